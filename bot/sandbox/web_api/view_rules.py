"""Slack's rules for modals and home tabs."""

import copy
import json

from bot.sandbox.web_api.block_checks import MAX_VIEW_BLOCKS, block_complaints
from bot.sandbox.web_api.block_rules import IN_HOMES, IN_MODALS
from bot.sandbox.web_api.composition_rules import text
from bot.sandbox.web_api.stored_blocks import with_defaults
from bot.sandbox.web_api.validators import Rule, anything, choice, complain, flag, record, string
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Payload

MAX_VIEW_CHARACTERS = 250_000

_BOTH: dict[str, Rule] = {
    "private_metadata": string(3000, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}
_MODAL = record(
    {"type": choice("modal"), "title": text(24, plain=True), "blocks": anything},
    {
        **_BOTH,
        "close": text(24, plain=True),
        "submit": text(24, plain=True),
        "clear_on_close": flag,
        "notify_on_close": flag,
        "submit_disabled": flag,
    },
)
_HOME = record({"type": choice("home"), "blocks": anything}, _BOTH)


def normalize_view(view: object, kind: str, first_block_id: int) -> Payload:
    """Return a view as Slack stores it, its blocks with defaults; `kind` is `modal` or `home`.

    Raises:
        SlackError: `invalid_arguments` with what is wrong, or `view_too_large`.

    """
    complaints: list[str] = []
    (_HOME if kind == "home" else _MODAL)(view, "/view", complaints)
    if not isinstance(view, dict) or complaints:
        raise _invalid_view(complaints)
    if not isinstance(view["blocks"], list) or not all(isinstance(block, dict) for block in view["blocks"]):
        complain(complaints, "must be an array of objects", "/view/blocks")
        raise _invalid_view(complaints)
    complaints = block_complaints(view["blocks"], IN_HOMES if kind == "home" else IN_MODALS, MAX_VIEW_BLOCKS)
    _check_submit(view, kind, complaints)
    if complaints:
        raise _invalid_view(
            [
                complaint.replace("json-pointer:/blocks", "json-pointer:/view/blocks")
                for complaint in complaints
            ]
        )
    if len(json.dumps(view)) > MAX_VIEW_CHARACTERS:
        raise SlackError("view_too_large", "The view is larger than 250,000 characters.")
    return {**copy.deepcopy(view), "blocks": with_defaults(view["blocks"], first_block_id)}


def _check_submit(view: Payload, kind: str, complaints: list[str]) -> None:
    inputs = any(block.get("type") == "input" for block in view["blocks"])
    if kind == "modal" and inputs and "submit" not in view:
        complain(complaints, "missing required field: submit", "/view")


def _invalid_view(complaints: list[str]) -> SlackError:
    return SlackError("invalid_arguments", "; ".join(complaints), response_metadata={"messages": complaints})
