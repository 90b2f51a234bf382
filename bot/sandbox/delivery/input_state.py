"""Input in block elements, as view state and as block actions."""

from collections.abc import Iterator

from bot.sandbox.delivery.rich_text_entry import entered_rich_text
from bot.sandbox.web_api.element_rules import options_of
from bot.sandbox.web_api.stored_blocks import elements_of
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Payload

STATE_KEYS = {
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
    "rich_text_input": "rich_text_value",
}
"""The key under which an element's state holds what was entered, by the element's type."""
_STATELESS = {"button", "overflow", "feedback_buttons", "icon_button"}


def find_element(
    blocks: list[Payload] | None, action_id: str, block_id: str | None, *, user_id: str
) -> tuple[Payload, Payload]:
    """Return the block and the element with an action id, if the person can see it.

    Raises:
        SlackError: `no_such_element`.

    """
    for block in blocks or []:
        if block_id in {None, block["block_id"]}:
            for element in elements_of(block):
                if element["action_id"] == action_id and _is_visible(element, user_id):
                    return block, element
    raise SlackError("no_such_element", f"There is nothing to press named {action_id} here.")


def _is_visible(element: Payload, user_id: str) -> bool:
    return user_id in element.get("visible_to_user_ids", [user_id])


def element_state(element: Payload, value: object) -> Payload:
    """Render a person's choice or text in an element as an entry of Slack's view state."""
    kind = element["type"]
    key = STATE_KEYS[kind]
    if key == "selected_option":
        return {"type": kind, key: None if value in (None, "") else _option(element, value)}
    if key == "selected_options":
        return {"type": kind, key: [_option(element, item) for item in _as_list(value)]}
    if kind == "rich_text_input":
        return {"type": kind, key: entered_rich_text(element, value)}
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
    key = STATE_KEYS[kind]
    initial = element.get(key.replace("selected", "initial") if "selected" in key else "initial_value")
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
