"""The entries of a form, validated as Slack's client does before it submits."""

import re

from bot.sandbox.delivery.input_state import STATE_KEYS
from bot.sandbox.workspace.records import Payload

_REQUIRED = "Please complete this required field."


def validation_errors(blocks: list[Payload], state: Payload) -> dict[str, str]:
    """Return by block why Slack's client would not submit the form; empty when it would."""
    errors: dict[str, str] = {}
    for block in blocks:
        if block["type"] == "input":
            element = block["element"]
            entry = state[block["block_id"]][element["action_id"]]
            value = entry.get(STATE_KEYS[element["type"]])
            if value in (None, "", []):
                error = None if block.get("optional") else _REQUIRED
            else:
                error = _text_error(element, value)
            if error:
                errors[block["block_id"]] = error
    return errors


def _text_error(element: Payload, value: object) -> str | None:
    text = str(value)
    kind = element["type"]
    if kind == "plain_text_input" and len(text) < element.get("min_length", 0):
        return f"Please enter at least {element['min_length']} characters."
    if kind == "plain_text_input" and len(text) > element.get("max_length", 3000):
        return f"Please enter at most {element.get('max_length', 3000)} characters."
    if kind == "number_input" and not _fits(element, text):
        return "Please enter a number in the range asked for."
    if kind == "email_text_input" and not re.fullmatch(r"\S+@\S+\.\S+", text):
        return "Please enter an email address."
    if kind == "url_text_input" and not re.match(r"https?://\S+", text):
        return "Please enter a web address."
    return None


def _fits(element: Payload, text: str) -> bool:
    pattern = r"-?\d+(\.\d+)?" if element["is_decimal_allowed"] else r"-?\d+"
    if not re.fullmatch(pattern, text):
        return False
    low, high = float(element.get("min_value", "-inf")), float(element.get("max_value", "inf"))
    return low <= float(text) <= high
