"""Slack's rules for block elements, as data."""

from collections.abc import Mapping

from bot.sandbox.web_api.composition_rules import (
    ACTION_ID,
    CONFIRM,
    DISPATCH_ACTION_CONFIG,
    GROUP_OPTION,
    MENU_OPTION,
    OPTION_GROUP,
    STYLE,
    option,
    text,
)
from bot.sandbox.web_api.input_range_rules import length_range, number_range
from bot.sandbox.web_api.rich_text_rules import RICH_TEXT
from bot.sandbox.web_api.validators import (
    Rule,
    anything,
    array,
    both,
    choice,
    complain,
    flag,
    record,
    string,
    whole_number,
)

MAX_INPUT_LINES = 100


def options_of(element: Mapping[str, object]) -> list[object]:
    """List all options of a menu, those inside groups included."""
    groups = element.get("option_groups")
    found: list[object] = []
    for holder in groups if isinstance(groups, list) else [element]:
        options = holder.get("options") if isinstance(holder, dict) else None
        found.extend(options if isinstance(options, list) else [])
    return found


def _initial_options_exist(value: object, pointer: str, complaints: list[str]) -> None:
    if not isinstance(value, dict):
        return
    known = options_of(value)
    chosen = value.get("initial_options")
    for option_ in (
        [value["initial_option"]] if "initial_option" in value else chosen if isinstance(chosen, list) else []
    ):
        if option_ not in known:
            complain(complaints, "initial option is not one of the options", pointer)


def _options_or_groups(value: object, pointer: str, complaints: list[str]) -> None:
    if isinstance(value, dict) and ("options" in value) == ("option_groups" in value):
        complain(complaints, "must have either options or option_groups", pointer)


def _option_values_differ(value: object, pointer: str, complaints: list[str]) -> None:
    values = [
        item.get("value")
        for item in options_of(value if isinstance(value, dict) else {})
        if isinstance(item, dict)
    ]
    if len({str(item) for item in values}) < len(values):
        complain(complaints, "option values must be unique", pointer)


def _element(kind: str, required: Mapping[str, Rule], optional: Mapping[str, Rule]) -> Rule:
    return record({"type": choice(kind), **required}, {"action_id": ACTION_ID, **optional})


_FOCUS: dict[str, Rule] = {"focus_on_load": flag}
_PLACEHOLDER: dict[str, Rule] = {"placeholder": text(150, plain=True)}
_ASKING: dict[str, Rule] = {"confirm": CONFIRM, **_FOCUS, **_PLACEHOLDER}
_SEVERAL: dict[str, Rule] = {"max_selected_items": whole_number(1, 100)}
_OPTIONS: dict[str, Rule] = {"options": array(MENU_OPTION, 100), "option_groups": array(OPTION_GROUP, 100)}
_TYPING: dict[str, Rule] = {
    "dispatch_action_config": DISPATCH_ACTION_CONFIG,
    **_FOCUS,
    **_PLACEHOLDER,
}
_TYPED_TEXT: dict[str, Rule] = {"initial_value": string(3000, 0), **_TYPING}
_MENU = (_options_or_groups, _option_values_differ, _initial_options_exist)
_GROUP = (_option_values_differ, _initial_options_exist)
_FEEDBACK = record({"text": text(75, plain=True), "value": string(2000)}, {"accessibility_label": string(75)})


def _menu_of(what: str, filters: Mapping[str, Rule]) -> dict[str, Rule]:
    one, several = f"{what}_select", f"multi_{what}_select"
    noun = what.removesuffix("s")
    return {
        one: _element(one, {}, {f"initial_{noun}": string(255), **filters, **_ASKING}),
        several: _element(
            several, {}, {f"initial_{what}": array(string(255), 100, 0), **filters, **_ASKING, **_SEVERAL}
        ),
    }


_CONVERSATION_FILTERS: dict[str, Rule] = {"default_to_current_conversation": flag, "filter": anything}

ELEMENTS: Mapping[str, Rule] = {
    "button": _element(
        "button",
        {"text": text(75, plain=True)},
        {
            "url": string(3000),
            "value": string(2000),
            "style": STYLE,
            "confirm": CONFIRM,
            "accessibility_label": string(75),
        },
    ),
    "static_select": both(
        _element("static_select", {}, {**_OPTIONS, "initial_option": MENU_OPTION, **_ASKING}), *_MENU
    ),
    "multi_static_select": both(
        _element(
            "multi_static_select",
            {},
            {**_OPTIONS, "initial_options": array(MENU_OPTION, 100), **_ASKING, **_SEVERAL},
        ),
        *_MENU,
    ),
    **_menu_of("users", {}),
    **_menu_of("conversations", _CONVERSATION_FILTERS),
    **_menu_of("channels", {}),
    "overflow": both(
        _element("overflow", {"options": array(option(plain=True, link=True), 5)}, {"confirm": CONFIRM}),
        _option_values_differ,
    ),
    "radio_buttons": both(
        _element(
            "radio_buttons",
            {"options": array(GROUP_OPTION, 10)},
            {"initial_option": GROUP_OPTION, "confirm": CONFIRM, **_FOCUS},
        ),
        *_GROUP,
    ),
    "checkboxes": both(
        _element(
            "checkboxes",
            {"options": array(GROUP_OPTION, 10)},
            {"initial_options": array(GROUP_OPTION, 10), "confirm": CONFIRM, **_FOCUS},
        ),
        *_GROUP,
    ),
    "datepicker": _element("datepicker", {}, {"initial_date": string(10, 10), **_ASKING}),
    "timepicker": _element(
        "timepicker", {}, {"initial_time": string(5, 5), "timezone": string(255), **_ASKING}
    ),
    "datetimepicker": _element(
        "datetimepicker",
        {},
        {"initial_date_time": whole_number(10**9, 10**10 - 1), "confirm": CONFIRM, **_FOCUS},
    ),
    "plain_text_input": both(
        _element(
            "plain_text_input",
            {},
            {
                "multiline": flag,
                "min_length": whole_number(0, 3000),
                "max_length": whole_number(1, 3000),
                **_TYPED_TEXT,
            },
        ),
        length_range,
    ),
    "number_input": both(
        _element(
            "number_input",
            {"is_decimal_allowed": flag},
            {"min_value": string(255), "max_value": string(255), **_TYPED_TEXT},
        ),
        number_range,
    ),
    "rich_text_input": _element(
        "rich_text_input",
        {},
        {
            "initial_value": RICH_TEXT,
            "min_lines": whole_number(1, MAX_INPUT_LINES),
            "max_lines": whole_number(1, MAX_INPUT_LINES),
            **_TYPING,
        },
    ),
    "email_text_input": _element("email_text_input", {}, _TYPED_TEXT),
    "url_text_input": _element("url_text_input", {}, _TYPED_TEXT),
    "image": record(
        {"type": choice("image"), "alt_text": string(2000)},
        {"image_url": string(3000), "slack_file": anything},
    ),
    "feedback_buttons": _element(
        "feedback_buttons", {"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, {}
    ),
    "icon_button": _element(
        "icon_button",
        {"icon": choice("trash"), "text": text(75, plain=True)},
        {
            "value": string(2000),
            "confirm": CONFIRM,
            "accessibility_label": string(75),
            "visible_to_user_ids": array(string(255), 100),
        },
    ),
}

_SELECTS = frozenset(
    f"{several}{what}_select"
    for several in ("", "multi_")
    for what in ("static", "users", "conversations", "channels")
)
_PICKERS = frozenset({"datepicker", "timepicker", "radio_buttons", "checkboxes"})
IN_SECTION = _SELECTS | _PICKERS | {"button", "overflow", "image"}
IN_CONTEXT_ACTIONS = frozenset({"feedback_buttons", "icon_button"})
IN_ACTIONS_OF_HOMES = _SELECTS | _PICKERS | {"button", "overflow"}
IN_ACTIONS = IN_ACTIONS_OF_HOMES | {"datetimepicker"}
IN_INPUT_OF_MESSAGES = _SELECTS | _PICKERS | {"datetimepicker", "plain_text_input"}
IN_INPUT_OF_HOMES = _SELECTS | _PICKERS | {"plain_text_input", "rich_text_input"}
IN_INPUT_OF_MODALS = (
    IN_INPUT_OF_MESSAGES | IN_INPUT_OF_HOMES | {"number_input", "email_text_input", "url_text_input"}
)
