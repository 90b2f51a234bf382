"""Slack's rules for blocks, as data: which blocks a message, a modal and a home tab take, and of what shape."""

from collections.abc import Mapping

from bot.sandbox.web_api.chart_rules import DATA_VISUALIZATION
from bot.sandbox.web_api.composition_rules import BLOCK_ID, text
from bot.sandbox.web_api.element_rules import (
    ELEMENTS,
    IN_ACTIONS,
    IN_ACTIONS_OF_HOMES,
    IN_CONTEXT_ACTIONS,
    IN_INPUT_OF_HOMES,
    IN_INPUT_OF_MESSAGES,
    IN_INPUT_OF_MODALS,
    IN_SECTION,
)
from bot.sandbox.web_api.rich_text_rules import RICH_TEXT
from bot.sandbox.web_api.table_rules import DATA_TABLE, TABLE
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
    tagged,
)

MAX_MARKDOWN_CHARACTERS = 12_000
"""Of all `markdown` blocks of one message together."""


def _block(kind: str, required: Mapping[str, Rule], optional: Mapping[str, Rule]) -> Rule:
    return record({"type": choice(kind), **required}, {"block_id": BLOCK_ID, **optional})


def _text_or_fields(value: object, pointer: str, complaints: list[str]) -> None:
    if isinstance(value, dict) and not {"text", "fields"} & value.keys():
        complain(complaints, "must have text or fields", pointer)


def _actions(allowed: frozenset[str]) -> Rule:
    return _block("actions", {"elements": array(tagged(ELEMENTS, allowed), 25)}, {})


def _input(allowed: frozenset[str]) -> Rule:
    return _block(
        "input",
        {"label": text(2000, plain=True), "element": tagged(ELEMENTS, allowed)},
        {"hint": text(2000, plain=True), "optional": flag, "dispatch_action": flag},
    )


_IN_CONTEXT: Mapping[str, Rule] = {"image": ELEMENTS["image"], "mrkdwn": text(3000), "plain_text": text(3000)}

_EVERYWHERE: Mapping[str, Rule] = {
    "section": both(
        _block(
            "section",
            {},
            {
                "text": text(3000),
                "fields": array(text(2000), 10),
                "accessory": tagged(ELEMENTS, IN_SECTION),
                "expand": flag,
            },
        ),
        _text_or_fields,
    ),
    "divider": _block("divider", {}, {}),
    "header": _block("header", {"text": text(150, plain=True)}, {}),
    "context": _block("context", {"elements": array(tagged(_IN_CONTEXT), 10)}, {}),
    "image": _block(
        "image",
        {"alt_text": string(2000)},
        {"image_url": string(3000), "slack_file": anything, "title": text(2000, plain=True)},
    ),
    "rich_text": RICH_TEXT,
}
IN_MESSAGES: Mapping[str, Rule] = {
    **_EVERYWHERE,
    "actions": _actions(IN_ACTIONS),
    "input": _input(IN_INPUT_OF_MESSAGES),
    "context_actions": _block(
        "context_actions", {"elements": array(tagged(ELEMENTS, IN_CONTEXT_ACTIONS), 5)}, {}
    ),
    "markdown": _block("markdown", {"text": string(MAX_MARKDOWN_CHARACTERS)}, {}),
    "table": TABLE,
    "data_table": DATA_TABLE,
    "data_visualization": DATA_VISUALIZATION,
}
IN_MODALS: Mapping[str, Rule] = {
    **_EVERYWHERE,
    "actions": _actions(IN_ACTIONS),
    "input": _input(IN_INPUT_OF_MODALS),
}
IN_HOMES: Mapping[str, Rule] = {
    **_EVERYWHERE,
    "actions": _actions(IN_ACTIONS_OF_HOMES),
    "input": _input(IN_INPUT_OF_HOMES),
    "table": TABLE,
    "data_table": DATA_TABLE,
}
