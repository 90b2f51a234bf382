"""Input in block elements: as view state, as block actions, and validated as Slack's client does."""

import re
from collections.abc import Iterator

from bot.sandbox.web_api.block_rules import elements_of
from bot.sandbox.web_api.element_rules import options_of
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Payload

_SELECTED = {
    "static_select": "selected_option",
    "overflow": "selected_option",
    "radio_buttons": "selected_option",
    "multi_static_select": "selected_options",
    "checkboxes": "selected_options",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "conversations_select": "selected_conversation",
    "multi_conversations_select": "selected_conversations",
    "channels_select": "selected_channel",
    "multi_channels_select": "selected_channels",
    "plain_text_input": "value",
    "number_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
}
_STATELESS = {"button", "overflow", "feedback_buttons", "icon_button"}
_REQUIRED = "Please complete this required field."


def find_element(
    blocks: list[Payload] | None, action_id: str, block_id: str | None
) -> tuple[Payload, Payload]:
    """Return the block and the element with an action id (feedback buttons included).

    Raises:
        SlackError: `no_such_element`.

    """
    for block in blocks or []:
        if block_id in {None, block["block_id"]}:
            for element in elements_of(block):
                if element["action_id"] == action_id:
                    return block, element
    raise SlackError("no_such_element", f"There is nothing to press named {action_id} here.")


def element_state(element: Payload, value: object) -> Payload:
    """Render a person's choice or text in an element as an entry of Slack's view state."""
    kind = element["type"]
    key = _SELECTED[kind]
    if key == "selected_option":
        return {"type": kind, key: None if value in (None, "") else _option(element, value)}
    if key == "selected_options":
        return {"type": kind, key: [_option(element, item) for item in _as_list(value)]}
    if kind.startswith("multi_"):
        return {"type": kind, key: [str(item) for item in _as_list(value)]}
    return {
        "type": kind,
        key: None if value in (None, "") else value if key == "selected_date_time" else str(value),
    }


def block_action(block: Payload, element: Payload, value: object, ts: str) -> Payload:
    """Render a press or a choice as the action Slack sends."""
    ids: Payload = {"action_id": element["action_id"], "block_id": block["block_id"], "action_ts": ts}
    kind = element["type"]
    if kind in {"button", "icon_button"}:
        copied: Payload = {key: element[key] for key in ("text", "value", "style", "url") if key in element}
        return {"type": kind, **copied, **ids}
    if kind == "feedback_buttons":
        return {"type": kind, **_feedback(element, value), **ids}
    return {**element_state(element, value), **ids}


def initial_state(blocks: list[Payload] | None) -> Payload:
    """Render the state of untouched elements, by block and action."""
    state: Payload = {}
    for block, element in _stateful(blocks or []):
        state.setdefault(block["block_id"], {})[element["action_id"]] = _initial(element)
    return state


def with_entry(state: Payload, block: Payload, element: Payload, value: object) -> Payload:
    """Return the state with a person's entry in one element; presses do not change it."""
    if element["type"] in _STATELESS:
        return state
    block_id = block["block_id"]
    return {
        **state,
        block_id: {**state.get(block_id, {}), element["action_id"]: element_state(element, value)},
    }


def with_entries(blocks: list[Payload], state: Payload, values: Payload) -> Payload:
    """Return the state with several entries; `values` by action id, by block id, or by both nested."""
    fields = list(_stateful(blocks))
    for name, value in values.items():
        spread = value.items() if isinstance(value, dict) else [(None, value)]
        for inner, entry in spread:
            block, element = _find_field(fields, name, inner)
            state = with_entry(state, block, element, entry)
    return state


def validation_errors(blocks: list[Payload], state: Payload) -> dict[str, str]:
    """Return by block why Slack's client would not submit the form; empty when it would."""
    errors: dict[str, str] = {}
    for block in blocks:
        if block["type"] == "input":
            element = block["element"]
            entry = state[block["block_id"]][element["action_id"]]
            value = entry.get(_SELECTED[element["type"]])
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


def _stateful(blocks: list[Payload]) -> Iterator[tuple[Payload, Payload]]:
    for block in blocks:
        for element in elements_of(block):
            if element["type"] not in _STATELESS:
                yield block, element


def _find_field(
    fields: list[tuple[Payload, Payload]], name: str, inner: str | None
) -> tuple[Payload, Payload]:
    for block, element in fields:
        names = {block["block_id"], element["action_id"]} if inner is None else {block["block_id"]}
        if name in names and inner in {None, element["action_id"]}:
            return block, element
    raise SlackError(
        "no_such_element", f"The form has no field named {name if inner is None else f'{name}/{inner}'}."
    )


def _initial(element: Payload) -> Payload:
    kind = element["type"]
    key = _SELECTED[kind]
    initial = element.get(key.replace("selected", "initial") if key != "value" else "initial_value")
    return {"type": kind, key: [] if initial is None and key.endswith("s") else initial or None}


def _option(element: Payload, value: object) -> Payload:
    for option in options_of(element):
        if isinstance(option, dict) and option["value"] == str(value):
            return option
    raise SlackError("no_such_option", f"“{value}” is not one of the choices of {element['action_id']}.")


def _feedback(element: Payload, value: object) -> Payload:
    for side in ("positive_button", "negative_button"):
        if element[side]["value"] == value:
            return {"text": element[side]["text"], "value": value}
    raise SlackError("no_such_option", f"“{value}” is not one of the feedback buttons.")


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value in (None, "") else [value]
