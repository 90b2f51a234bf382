"""Slack's rules for blocks, as data, and the checks across the blocks of one message or view."""

import copy
from collections import Counter
from collections.abc import Iterator, Mapping

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from bot.sandbox.web_api.composition_rules import BLOCK_ID, text
from bot.sandbox.web_api.element_rules import (
    ELEMENTS,
    IN_ACTIONS,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_SECTION,
)
from bot.sandbox.web_api.validators import (
    Rule,
    anything,
    array,
    choice,
    complain,
    flag,
    record,
    string,
    tagged,
)
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Payload

MAX_MESSAGE_BLOCKS = 50
MAX_VIEW_BLOCKS = 100
MAX_BLOCK_TEXT_CHARACTERS = 13_200
"""Of all block texts of one message together; Slack does not document it but enforces it."""
MAX_MARKDOWN_CHARACTERS = 12_000


def _block(kind: str, required: Mapping[str, Rule], optional: Mapping[str, Rule]) -> Rule:
    return record({"type": choice(kind), **required}, {"block_id": BLOCK_ID, **optional})


def _text_or_fields(value: object, pointer: str, complaints: list[str]) -> None:
    if isinstance(value, dict) and not {"text", "fields"} & value.keys():
        complain(complaints, "must have text or fields", pointer)


def _section(value: object, pointer: str, complaints: list[str]) -> None:
    _SECTION(value, pointer, complaints)
    _text_or_fields(value, pointer, complaints)


_SECTION = _block(
    "section",
    {},
    {
        "text": text(3000),
        "fields": array(text(2000), 10),
        "accessory": tagged(ELEMENTS, IN_SECTION),
        "expand": flag,
    },
)
_IN_CONTEXT: Mapping[str, Rule] = {"image": ELEMENTS["image"], "mrkdwn": text(3000), "plain_text": text(3000)}
_CELL: Mapping[str, Rule] = {
    "raw_text": record({"type": choice("raw_text"), "text": string(3000)}),
    "raw_number": anything,
    "rich_text": anything,
}

_EVERYWHERE: Mapping[str, Rule] = {
    "section": _section,
    "divider": _block("divider", {}, {}),
    "header": _block("header", {"text": text(150, plain=True)}, {}),
    "context": _block("context", {"elements": array(tagged(_IN_CONTEXT), 10)}, {}),
    "actions": _block("actions", {"elements": array(tagged(ELEMENTS, IN_ACTIONS), 25)}, {}),
    "input": _block(
        "input",
        {"label": text(2000, plain=True), "element": tagged(ELEMENTS, IN_INPUT)},
        {"hint": text(2000, plain=True), "optional": flag, "dispatch_action": flag},
    ),
    "image": _block(
        "image",
        {"alt_text": string(2000)},
        {"image_url": string(3000), "slack_file": anything, "title": text(2000, plain=True)},
    ),
    "rich_text": _block("rich_text", {"elements": array(anything, 1000)}, {}),
}
IN_MESSAGES: Mapping[str, Rule] = {
    **_EVERYWHERE,
    "markdown": _block("markdown", {"text": string(MAX_MARKDOWN_CHARACTERS)}, {}),
    "table": _block(
        "table",
        {"rows": array(array(tagged(_CELL), 20), 100)},
        {"column_settings": array(anything, 20)},
    ),
    "context_actions": _block(
        "context_actions", {"elements": array(tagged(ELEMENTS, IN_CONTEXT_ACTIONS), 5)}, {}
    ),
}
IN_VIEWS: Mapping[str, Rule] = _EVERYWHERE


def check_message_blocks(blocks: object) -> None:
    """Refuse blocks that Slack would not take in a message.

    Raises:
        SlackError: `invalid_blocks_format`, `invalid_blocks`, `msg_blocks_too_long` or `only_one_table_allowed`.

    """
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise SlackError("invalid_blocks_format", "Blocks must be a list of objects.")
    complaints = block_complaints(blocks, IN_MESSAGES, MAX_MESSAGE_BLOCKS)
    if complaints:
        raise SlackError(
            "invalid_blocks",
            "; ".join(complaints),
            errors=complaints,
            response_metadata={"messages": complaints},
        )
    if sum(block["type"] == "table" for block in blocks) > 1:
        raise SlackError("only_one_table_allowed", "A message holds one table at most.")
    if (
        sum(_text_lengths(blocks)) > MAX_BLOCK_TEXT_CHARACTERS
        or _markdown_length(blocks) > MAX_MARKDOWN_CHARACTERS
    ):
        raise SlackError("msg_blocks_too_long", "The texts of the blocks are too long together.")


def block_complaints(blocks: list[Payload], known: Mapping[str, Rule], maximum: int) -> list[str]:
    """List everything Slack would complain about in the blocks of a message or a view."""
    complaints: list[str] = []
    array(tagged(known), maximum, 0)(blocks, "/blocks", complaints)
    if not complaints:
        _check_ids(blocks, complaints)
        _check_with_sdk(blocks, complaints)
    return complaints


def elements_of(block: Payload) -> list[Payload]:
    """List the interactive elements a block holds, in the order shown."""
    elements = [block[key] for key in ("accessory", "element") if key in block]
    if block["type"] in {"actions", "context_actions"}:
        elements.extend(block["elements"])
    return [element for element in elements if element["type"] != "image"]


def with_defaults(blocks: list[Payload], first_id: int) -> list[Payload]:
    """Return the blocks as Slack stores them: with ids where the app gave none, and defaults written out."""
    stored = copy.deepcopy(blocks)
    for offset, block in enumerate(stored):
        block["block_id"] = block.get("block_id") or f"b{first_id + offset:04d}"
        for place, element in enumerate(elements_of(block)):
            element.setdefault("action_id", f"{block['block_id']}-{place}")
        _write_defaults(block)
    return stored


def _write_defaults(value: object) -> None:
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            if value.get("type") == "plain_text":
                value.setdefault("emoji", True)
            elif value.get("type") == "mrkdwn":
                value.setdefault("verbatim", False)
        for part in value.values():
            _write_defaults(part)
    elif isinstance(value, list):
        for part in value:
            _write_defaults(part)


def _check_ids(blocks: list[Payload], complaints: list[str]) -> None:
    block_ids = Counter(block["block_id"] for block in blocks if block.get("block_id"))
    for block_id in (name for name, times in block_ids.items() if times > 1):
        complain(complaints, f"block_id {block_id} already exists", "/blocks")
    for index, block in enumerate(blocks):
        actions = Counter(part["action_id"] for part in elements_of(block) if "action_id" in part)
        for action_id in (name for name, times in actions.items() if times > 1):
            complain(complaints, f"action_id {action_id} already exists", f"/blocks/{index}/elements")


def _check_with_sdk(blocks: list[Payload], complaints: list[str]) -> None:
    for index, block in enumerate(blocks):
        try:
            parsed = Block.parse(copy.deepcopy(block))
            if parsed is None:
                complain(complaints, f"unsupported type: {block['type']}", f"/blocks/{index}/type")
            else:
                parsed.validate_json()
        except (SlackObjectFormationError, TypeError) as error:
            complain(complaints, str(error), f"/blocks/{index}")


def _text_lengths(value: object) -> Iterator[int]:
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "text" and isinstance(part, str):
                yield len(part)
            else:
                yield from _text_lengths(part)
    elif isinstance(value, list):
        for part in value:
            yield from _text_lengths(part)


def _markdown_length(blocks: list[Payload]) -> int:
    return sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
