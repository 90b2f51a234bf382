"""Slack's rules for the content of an app's message: text, blocks, attachments, metadata."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass

from bot.sandbox.web_api.block_checks import check_message_blocks
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.mrkdwn import escape_sent
from bot.sandbox.workspace.records import Payload

MAX_TEXT_CHARACTERS = 40_000
"""Longer texts are cut when posted."""
MAX_UPDATE_CHARACTERS = 4_000
"""Longer texts are refused by chat.update."""
MAX_ATTACHMENTS = 100
MAX_METADATA_CHARACTERS = 16_000

_SCALAR = (str, int, float)
_EVENT_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContent:
    """The checked content of a message of the app; None: the call did not name it; `truncated`: the text was cut."""

    text: str | None
    blocks: list[Payload] | None
    attachments: list[Payload] | None
    metadata: Payload | None
    truncated: bool = False


def message_content(
    text: str | None,
    blocks: object,
    attachments: object,
    metadata: object,
    unknown_blocks: Collection[str] = (),
) -> MessageContent:
    """Check the content of an app's message, and return it as Slack stores it; some workspaces do not know all blocks.

    Raises:
        SlackError: with the code Slack gives for the first thing that is wrong.

    """
    if blocks:
        check_message_blocks(blocks, unknown_blocks)
    cut = text is not None and len(text) > MAX_TEXT_CHARACTERS
    return MessageContent(
        text=None if text is None else escape_sent(text[:MAX_TEXT_CHARACTERS]),
        blocks=blocks if isinstance(blocks, list) else None,
        attachments=_attachments(attachments),
        metadata=_metadata(metadata),
        truncated=cut,
    )


def require_content(content: MessageContent) -> None:
    """Refuse a message without any content, with `no_text`."""
    if not ((content.text or "").strip() or content.blocks or content.attachments):
        raise SlackError("no_text", "The message has neither text nor blocks.")


def _attachments(attachments: object) -> list[Payload] | None:
    if attachments is None:
        return None
    if not isinstance(attachments, list) or not all(isinstance(item, dict) for item in attachments):
        raise SlackError("invalid_attachments", "Attachments must be a list of objects.")
    if len(attachments) > MAX_ATTACHMENTS:
        raise SlackError("too_many_attachments", f"A message holds {MAX_ATTACHMENTS} attachments at most.")
    return attachments


def _metadata(metadata: object) -> Payload | None:
    if metadata is None:
        return None
    if metadata == {}:
        return {}
    if not isinstance(metadata, dict) or metadata.keys() != {"event_type", "event_payload"}:
        raise SlackError("invalid_metadata_format", "Metadata must be an event_type and an event_payload.")
    if not isinstance(metadata["event_type"], str) or not _EVENT_TYPE.fullmatch(metadata["event_type"]):
        raise SlackError("invalid_metadata_format", "The event_type of metadata must be a name.")
    if not isinstance(metadata["event_payload"], dict) or not all(
        map(_flat, metadata["event_payload"].values())
    ):
        raise SlackError(
            "invalid_metadata_format", "The event_payload must hold texts, numbers, flags, objects of those."
        )
    if len(json.dumps(metadata)) > MAX_METADATA_CHARACTERS:
        raise SlackError("metadata_too_large", "The metadata is too large.")
    return metadata


def _flat(value: object) -> bool:
    """Tell whether Slack keeps the value: a scalar, an object of scalars, or a list of such objects."""
    parts = value if isinstance(value, list) else [value]
    return all(
        all(isinstance(leaf, _SCALAR) for leaf in part.values())
        if isinstance(part, dict)
        else isinstance(part, _SCALAR) and not isinstance(value, list)
        for part in parts
    )
