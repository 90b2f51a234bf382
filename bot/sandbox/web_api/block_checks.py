"""The checks across the blocks of one message or view, with Slack's error codes."""

import copy
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from bot.sandbox.web_api.block_rules import IN_MESSAGES, MAX_MARKDOWN_CHARACTERS
from bot.sandbox.web_api.chart_rules import check_chart_count
from bot.sandbox.web_api.stored_blocks import elements_of
from bot.sandbox.web_api.table_rules import check_table_characters
from bot.sandbox.web_api.validators import Rule, array, complain, tagged
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Payload

MAX_MESSAGE_BLOCKS = 50
MAX_VIEW_BLOCKS = 100
MAX_BLOCK_TEXT_CHARACTERS = 13_200
"""Of all block texts of one message together; Slack does not document it but enforces it."""
UNKNOWN_TO_SDK = frozenset({"data_table", "data_visualization"})
"""Blocks of this year, which slack_sdk 3.47 cannot parse."""


def check_message_blocks(blocks: object, unknown: Collection[str] = ()) -> None:
    """Refuse blocks that Slack would not take in a message, and those of the types that the workspace does not know.

    Raises:
        SlackError: `invalid_blocks_format`, `invalid_blocks`, `msg_blocks_too_long` or `only_one_table_allowed`.

    """
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise SlackError("invalid_blocks_format", "Blocks must be a list of objects.")
    known = {kind: rule for kind, rule in IN_MESSAGES.items() if kind not in unknown}
    complaints = block_complaints(blocks, known, MAX_MESSAGE_BLOCKS)
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
        _check_focus(blocks, complaints)
        check_table_characters(blocks, complaints)
        check_chart_count(blocks, complaints)
        _check_with_sdk(blocks, complaints)
    return complaints


def _check_ids(blocks: list[Payload], complaints: list[str]) -> None:
    block_ids = Counter(block["block_id"] for block in blocks if block.get("block_id"))
    for block_id in (name for name, times in block_ids.items() if times > 1):
        complain(complaints, f"block_id {block_id} already exists", "/blocks")
    for index, block in enumerate(blocks):
        actions = Counter(part["action_id"] for part in elements_of(block) if "action_id" in part)
        for action_id in (name for name, times in actions.items() if times > 1):
            complain(complaints, f"action_id {action_id} already exists", f"/blocks/{index}/elements")


def _check_focus(blocks: list[Payload], complaints: list[str]) -> None:
    focused = [
        index
        for index, block in enumerate(blocks)
        for element in elements_of(block)
        if element.get("focus_on_load")
    ]
    for index in focused[1:]:
        complain(complaints, "only one element can have focus_on_load", f"/blocks/{index}")


def _check_with_sdk(blocks: list[Payload], complaints: list[str]) -> None:
    for index, block in enumerate(blocks):
        if block["type"] in UNKNOWN_TO_SDK:
            continue
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
