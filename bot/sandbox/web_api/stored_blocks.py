"""Blocks as Slack stores them: with ids and defaults, and the elements a person can use in them."""

import copy

from bot.sandbox.workspace.records import Payload


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
        block["block_id"] = _block_id(block) or f"b{first_id + offset:04d}"
        for place, element in enumerate(elements_of(block)):
            element.setdefault("action_id", f"{block['block_id']}-{place}")
        _write_defaults(block)
    return stored


def _block_id(block: Payload) -> str | None:
    """Return the id an app gave the block; Slack ignores that of a `markdown` block, which it translates."""
    return None if block["type"] == "markdown" else block.get("block_id")


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
