"""Newer blocks that Slack takes or refuses, by place; the limits are those of docs.slack.dev."""

import pytest

from bot.sandbox.web_api.block_checks import check_message_blocks
from bot.sandbox.web_api.stored_blocks import with_defaults
from bot.sandbox.web_api.view_rules import normalize_view
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Payload
from tests.sandbox.bolt_app import modal
from tests.sandbox.newer_blocks import (
    ask,
    axis_chart,
    choices,
    context_actions,
    data_table,
    feedback,
    icon,
    line,
    markdown,
    number,
    number_input,
    numbered_table,
    pie,
    plain,
    preformatted,
    raw,
    rich_list,
    rich_quote,
    rich_section,
    rich_text,
    rich_text_input,
    series,
    table,
    words,
)

DAYS = ("Mon", "Tue", "Wed")
LONG_DAYS = tuple(f"{number:020}" for number in range(20))

IN_MESSAGES: dict[str, list[Payload]] = {
    "a section of text": [line(words("<b>1 < 2</b> & <@U1> :tada:"))],
    "all styles of text": [line(words("x", bold=True, italic=True, strike=True, code=True, underline=True))],
    "a link with text": [
        line({"type": "link", "url": "https://a.b", "text": "here", "style": {"bold": True}})
    ],
    "a link without text": [line({"type": "link", "url": "https://a.b", "unsafe": True})],
    "an emoji": [line({"type": "emoji", "name": "wave", "unicode": "1f44b"})],
    "a person": [line({"type": "user", "user_id": "U1", "style": {"bold": True, "client_highlight": False}})],
    "a group of people": [line({"type": "usergroup", "usergroup_id": "S1"})],
    "a channel": [line({"type": "channel", "channel_id": "C1", "style": {"unlink": True}})],
    "everybody here": [line({"type": "broadcast", "range": "here"})],
    "a team": [line({"type": "team", "team_id": "T1"})],
    "a date": [line({"type": "date", "timestamp": 1_720_710_212, "format": "{date}", "fallback": "then"})],
    "a color": [line({"type": "color", "value": "#F405B3"})],
    "an empty line of rich text": [rich_text(rich_section())],
    "a quote with a border": [rich_text(rich_quote(words("as it was"), border=1))],
    "code": [rich_text(preformatted("  def f():\n\treturn `1`", border=0, language="python"))],
    "a link in code": [
        rich_text({**preformatted("x"), "elements": [{"type": "link", "url": "https://a.b"}]})
    ],
    "a list of points": [rich_text(rich_list("bullet", "a", "b"))],
    "an indented list with numbers": [rich_text(rich_list("ordered", "a", indent=8, offset=4, border=1))],
    "rich text without a limit of its own": [line(words("x" * 13_200))],
    "feedback buttons": [context_actions(feedback())],
    "feedback buttons at their limits": [
        context_actions(
            feedback(
                positive_button={
                    "text": plain("x" * 75),
                    "value": "v" * 2000,
                    "accessibility_label": "x" * 75,
                }
            )
        )
    ],
    "an icon button": [context_actions(icon(accessibility_label="x" * 75, visible_to_user_ids=["U1", "U2"]))],
    "five context actions": [context_actions(feedback(), *(icon(f"i{n}") for n in range(4)))],
    "a table with text and numbers": [table([raw("a"), raw("n")], [raw("x"), number(1.5, "1.50")])],
    "a table with rich text": [table([raw("a")], [line(words("x", bold=True))])],
    "a table with settings of its columns": [
        table([raw("a"), raw("b")], column_settings=[{"align": "right", "is_wrapped": True}, None])
    ],
    "a table with a row too short": [table([raw("a"), raw("b")], [raw("c")])],
    "a table at its limits": [table(*([raw("x")] * 20 for _ in range(100)))],
    "a data table": [data_table([raw("a"), raw("n")], [line(words("x")), number(-3)])],
    "a data table at its limits": [numbered_table(100, 20, page_size=100, row_header_column_index=19)],
    "two data tables": [numbered_table(1), numbered_table(1)],
    "a line chart": [axis_chart("line", DAYS, series("up", DAYS, 1, 2.5, -3))],
    "a bar chart": [axis_chart("bar", DAYS, series("up", DAYS, 1, 2, 3), series("down", DAYS, 0, 0, 0))],
    "an area chart": [
        axis_chart("area", ("Mon",), series("up", ("Mon",), 0), x_label="x" * 50, y_label="y" * 50)
    ],
    "a chart at its limits": [
        axis_chart("line", LONG_DAYS, *(series(f"{n:020}", LONG_DAYS, *range(20)) for n in range(6)))
    ],
    "points in another order": [axis_chart("line", DAYS, series("up", DAYS[::-1], 1, 2, 3))],
    "a pie chart": [pie(("right", 3), ("wrong", 0.5))],
    "a pie chart at its limits": [pie(*((f"{n:020}", n + 1) for n in range(6)), title="t" * 50)],
    "two charts": [pie(("a", 1)), pie(("a", 1))],
    "markdown": [markdown("# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |")],
    "markdown at its limit": [markdown("x" * 6_000), markdown("x" * 6_000)],
    "radio buttons": [ask(choices("radio_buttons", *map(str, range(10))))],
    "a text input": [ask({"type": "plain_text_input", "action_id": "a", "min_length": 3, "max_length": 3})],
    "text that is not parsed": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "https://a.b #general", "verbatim": True}}
    ],
}
NOT_IN_MESSAGES: dict[str, tuple[str, list[Payload]]] = {
    "rich text without parts": ("at least 1 items", [rich_text()]),
    "an unknown part": ("unsupported type: rich_text_table", [rich_text({"type": "rich_text_table"})]),
    "text outside of a section": ("unsupported type: text", [rich_text(words("x"))]),
    "empty text": ("more than 0 characters", [line(words(""))]),
    "text as an object": ("must be a string", [line({"type": "text", "text": plain("x")})]),
    "an unknown style": ("additional property: shadow", [line(words("x", shadow=True))]),
    "a style as a word": ("must be an object", [line({"type": "text", "text": "x", "style": "bold"})]),
    "a style that is no flag": (
        "must be a boolean",
        [line({"type": "text", "text": "x", "style": {"bold": 1}})],
    ),
    "code as the style of a mention": (
        "additional property: code",
        [line({"type": "user", "user_id": "U1", "style": {"code": True}})],
    ),
    "a mention without a person": ("missing required field: user_id", [line({"type": "user"})]),
    "a broadcast to nobody": ("must be one of here", [line({"type": "broadcast", "range": "all"})]),
    "a link without an address": ("missing required field: url", [line({"type": "link", "text": "x"})]),
    "a color without a hash": ("must be a hex color", [line({"type": "color", "value": "F405B3"})]),
    "a date without a format": ("missing required field: format", [line({"type": "date", "timestamp": 1})]),
    "a button in rich text": ("unsupported type: button", [line({"type": "button", "text": plain("x")})]),
    "a list without a style": (
        "missing required field: style",
        [rich_text({"type": "rich_text_list", "elements": [rich_section(words("x"))]})],
    ),
    "a list of another style": ("must be one of bullet, ordered", [rich_text(rich_list("check", "x"))]),
    "a list too deep": ("must be from 0 to 8", [rich_text(rich_list("bullet", "x", indent=9))]),
    "a list in a list": (
        "unsupported type: rich_text_list",
        [rich_text({**rich_list("bullet"), "elements": [rich_list("bullet", "x")]})],
    ),
    "a mention in code": (
        "unsupported type: user",
        [rich_text({**preformatted("x"), "elements": [{"type": "user", "user_id": "U1"}]})],
    ),
    "a border of two": ("must be from 0 to 1", [rich_text(rich_quote(words("x"), border=2))]),
    "a border around a section": (
        "additional property: border",
        [rich_text({**rich_section(words("x")), "border": 1})],
    ),
    "six context actions": ("no more than 5 items", [context_actions(*(icon(f"i{n}") for n in range(6)))]),
    "context actions of nothing": ("at least 1 items", [context_actions()]),
    "a button as context action": (
        "unsupported type: button",
        [context_actions({"type": "button", "text": plain("x"), "action_id": "a"})],
    ),
    "feedback buttons in actions": (
        "unsupported type: feedback_buttons",
        [{"type": "actions", "elements": [feedback()]}],
    ),
    "an icon button beside a section": (
        "unsupported type: icon_button",
        [{"type": "section", "text": plain("x"), "accessory": icon()}],
    ),
    "one feedback button": (
        "missing required field: negative_button",
        [context_actions({k: v for k, v in feedback().items() if k != "negative_button"})],
    ),
    "feedback without a value": (
        "missing required field: value",
        [context_actions(feedback(negative_button={"text": plain("x")}))],
    ),
    "feedback with a value too long": (
        "less than 2001 characters",
        [context_actions(feedback(negative_button={"text": plain("x"), "value": "v" * 2001}))],
    ),
    "feedback with a text too long": (
        "less than 76 characters",
        [context_actions(feedback(negative_button={"text": plain("x" * 76), "value": "v"}))],
    ),
    "feedback in mrkdwn": (
        "must be one of plain_text",
        [context_actions(feedback(negative_button={"text": {"type": "mrkdwn", "text": "x"}, "value": "v"}))],
    ),
    "feedback with a style": ("additional property: style", [context_actions(feedback(style="primary"))]),
    "feedback with a dialog": ("additional property: confirm", [context_actions(feedback(confirm={}))]),
    "two context actions of one name": (
        "action_id a already exists",
        [context_actions(icon("a"), feedback("a"))],
    ),
    "an icon Slack does not have": ("must be one of trash", [context_actions(icon(icon="question"))]),
    "an icon without words": (
        "missing required field: text",
        [context_actions({"type": "icon_button", "icon": "trash", "action_id": "a"})],
    ),
    "an icon for a person by name": ("must be an array", [context_actions(icon(visible_to_user_ids="U1"))]),
    "an icon with a label too long": ("less than 76", [context_actions(icon(accessibility_label="x" * 76))]),
    "a table without rows": ("at least 1 items", [table()]),
    "a table with too many rows": ("no more than 100 items", [table(*([raw("x")] for _ in range(101)))]),
    "a table with too many columns": ("no more than 20 items", [table([raw("x")] * 21)]),
    "a cell in mrkdwn": ("unsupported type: mrkdwn", [table([{"type": "mrkdwn", "text": "x"}])]),
    "an empty cell": ("more than 0 characters", [table([raw("")])]),
    "a column of another alignment": (
        "must be one of left, center, right",
        [table([raw("x")], column_settings=[{"align": "top"}])],
    ),
    "a cell with a number as text": (
        "must be a number",
        [table([{"type": "raw_number", "value": "1", "text": "1"}])],
    ),
    "a number without text": ("missing required field: text", [table([{"type": "raw_number", "value": 1}])]),
    "rich text that is wrong in a cell": ("unsupported type: text", [table([rich_text(words("x"))])]),
    "cells too long together": (
        "no more than 10000 characters",
        [table([raw("x" * 5_000), raw("x" * 5_001)])],
    ),
    "tables too long together": (
        "no more than 10000 characters",
        [data_table([raw("x")], [raw("x" * 5_000)]), table([raw("x" * 5_000)])],
    ),
    "a data table without a caption": (
        "missing required field: caption",
        [{"type": "data_table", "rows": [[raw("a")], [raw("b")]]}],
    ),
    "a data table of only a header": ("at least 2 items", [numbered_table(0)]),
    "a data table with too many rows": ("no more than 101 items", [numbered_table(101)]),
    "a data table with too many columns": ("no more than 20 items", [numbered_table(1, 21)]),
    "rich text in the header": (
        "rich_text is not allowed in the header",
        [data_table([line(words("x"))], [raw("b")])],
    ),
    "rows of different lengths": (
        "same number of cells",
        [data_table([raw("a"), raw("b")], [raw("c")])],
    ),
    "pages of nothing": ("must be from 1 to 100", [numbered_table(1, page_size=0)]),
    "pages too long": ("must be from 1 to 100", [numbered_table(1, page_size=101)]),
    "a row header that is no column": (
        "must name a column",
        [numbered_table(1, 2, row_header_column_index=2)],
    ),
    "settings of the columns of a data table": (
        "additional property: column_settings",
        [numbered_table(1, column_settings=[])],
    ),
    "a chart without a title": (
        "missing required field: title",
        [{"type": "data_visualization", "chart": pie(("a", 1))["chart"]}],
    ),
    "a chart with a title too long": ("less than 51 characters", [pie(("a", 1), title="t" * 51)]),
    "a chart with a text object as title": ("must be a string", [pie(("a", 1), title=plain("x"))]),
    "a chart of another kind": (
        "unsupported type: scatter",
        [axis_chart("scatter", DAYS, series("up", DAYS, 1, 2, 3))],
    ),
    "a chart without series": ("at least 1 items", [axis_chart("line", DAYS)]),
    "a chart with too many series": (
        "no more than 6 items",
        [axis_chart("line", DAYS, *(series(str(n), DAYS, 1, 2, 3) for n in range(7)))],
    ),
    "two series of one name": (
        "series up already exists",
        [axis_chart("bar", DAYS, series("up", DAYS, 1, 2, 3), series("up", DAYS, 3, 2, 1))],
    ),
    "a series with a name too long": (
        "less than 21 characters",
        [axis_chart("bar", DAYS, series("x" * 21, DAYS, 1, 2, 3))],
    ),
    "two categories of one name": (
        "category Mon already exists",
        [axis_chart("line", ("Mon", "Mon"), series("up", ("Mon", "Mon"), 1, 2))],
    ),
    "a category with a name too long": (
        "less than 21 characters",
        [axis_chart("line", ("x" * 21,), series("up", ("x" * 21,), 1))],
    ),
    "too many categories": (
        "no more than 20 items",
        [axis_chart("line", [*LONG_DAYS, "x"], series("up", [*LONG_DAYS, "x"], *range(21)))],
    ),
    "a series that lacks a category": (
        "one point for each category",
        [axis_chart("area", DAYS, series("up", DAYS[:2], 1, 2))],
    ),
    "a series of another category": (
        "one point for each category",
        [axis_chart("area", DAYS, series("up", ("Mon", "Tue", "Sun"), 1, 2, 3))],
    ),
    "a point without a number": (
        "must be a number",
        [axis_chart("line", ("Mon",), {"name": "up", "data": [{"label": "Mon", "value": None}]})],
    ),
    "a chart without axes": (
        "missing required field: axis_config",
        [
            {
                "type": "data_visualization",
                "title": "t",
                "chart": {"type": "line", "series": [series("up", DAYS, 1, 2, 3)]},
            }
        ],
    ),
    "an axis with a label too long": (
        "less than 51 characters",
        [axis_chart("line", DAYS, series("up", DAYS, 1, 2, 3), y_label="y" * 51)],
    ),
    "a pie of nothing": ("at least 1 items", [pie()]),
    "a pie with too many segments": ("no more than 6 items", [pie(*((str(n), 1) for n in range(7)))]),
    "a segment of nothing": ("must be greater than 0", [pie(("a", 0))]),
    "a segment below nothing": ("must be greater than 0", [pie(("a", -1))]),
    "two segments of one name": ("segment a already exists", [pie(("a", 1), ("a", 2))]),
    "three charts": ("no more than 2 data_visualization", [pie(("a", 1))] * 3),
    "markdown too long": ("less than 12001 characters", [markdown("x" * 12_001)]),
    "markdown as an object": ("must be a string", [{"type": "markdown", "text": plain("x")}]),
    "eleven radio buttons": ("no more than 10 items", [ask(choices("radio_buttons", *map(str, range(11))))]),
    "a number input": ("unsupported type: number_input", [ask(number_input())]),
    "a rich text input": ("unsupported type: rich_text_input", [ask(rich_text_input())]),
    "verbatim plain text": (
        "additional property: verbatim",
        [{"type": "section", "text": {**plain("x"), "verbatim": True}}],
    ),
    "verbatim that is no flag": (
        "must be a boolean",
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x", "verbatim": "yes"}}],
    ),
}
IN_MODALS: dict[str, Payload] = {
    "rich text": rich_text(preformatted("x")),
    "radio buttons": ask(
        choices("radio_buttons", "a", "b", initial_option={"text": plain("a"), "value": "a"})
    ),
    "checkboxes": ask(choices("checkboxes", *map(str, range(10)))),
    "a number input": ask(number_input(min_value="-1", max_value="5", initial_value="5")),
    "a number input with decimals": ask(
        number_input(is_decimal_allowed=True, min_value="-0.5", max_value="0.5", initial_value="0.25")
    ),
    "a text input at its limits": ask(
        {"type": "plain_text_input", "action_id": "a", "multiline": True, "min_length": 0, "max_length": 3000}
    ),
    "a rich text input": ask(
        rich_text_input(initial_value=line(words("x", bold=True)), min_lines=2, max_lines=9)
    ),
    "an input that tells at once": ask(
        number_input(dispatch_action_config={"trigger_actions_on": ["on_character_entered"]}),
        dispatch_action=True,
    ),
}
NOT_IN_MODALS: dict[str, tuple[str, Payload]] = {
    "markdown": ("unsupported type: markdown", markdown("x")),
    "a table": ("unsupported type: table", table([raw("x")])),
    "a data table": ("unsupported type: data_table", numbered_table(1)),
    "a chart": ("unsupported type: data_visualization", pie(("a", 1))),
    "context actions": ("unsupported type: context_actions", context_actions(feedback())),
    "a number input without a kind of number": (
        "missing required field: is_decimal_allowed",
        ask({"type": "number_input", "action_id": "a"}),
    ),
    "a limit that is no text": ("must be a string", ask(number_input(min_value=1))),
    "a limit that is no number": ("must be a whole number", ask(number_input(min_value="one"))),
    "a decimal limit of whole numbers": ("must be a whole number", ask(number_input(max_value="1.5"))),
    "crossed limits": ("min_value cannot be greater", ask(number_input(min_value="10", max_value="9"))),
    "a beginning beyond the limit": (
        "must be from min_value to max_value",
        ask(number_input(min_value="1", max_value="5", initial_value="0")),
    ),
    "crossed lengths": (
        "min_length cannot be greater",
        ask({"type": "plain_text_input", "action_id": "a", "min_length": 4, "max_length": 3}),
    ),
    "a text too long": (
        "must be from 1 to 3000",
        ask({"type": "plain_text_input", "action_id": "a", "max_length": 3001}),
    ),
    "rich text that begins as plain text": ("must be an object", ask(rich_text_input(initial_value="x"))),
    "rich text that begins wrong": (
        "unsupported type: text",
        ask(rich_text_input(initial_value=rich_text(words("x")))),
    ),
    "an input that tells never": (
        "must be one of on_enter_pressed",
        ask(number_input(dispatch_action_config={"trigger_actions_on": ["on_blur"]})),
    ),
    "eleven checkboxes": ("no more than 10 items", ask(choices("checkboxes", *map(str, range(11))))),
    "radio buttons that begin elsewhere": (
        "initial option is not one",
        ask(choices("radio_buttons", "a", initial_option={"text": plain("b"), "value": "b"})),
    ),
}
IN_HOMES: dict[str, Payload] = {
    "rich text": line(words("x")),
    "a table": table([raw("x")]),
    "a data table": numbered_table(3),
    "a rich text input": ask(rich_text_input()),
}
NOT_IN_HOMES: dict[str, tuple[str, Payload]] = {
    "markdown": ("unsupported type: markdown", markdown("x")),
    "a chart": ("unsupported type: data_visualization", pie(("a", 1))),
    "context actions": ("unsupported type: context_actions", context_actions(icon())),
    "a number input": ("unsupported type: number_input", ask(number_input())),
}


@pytest.mark.parametrize("blocks", IN_MESSAGES.values(), ids=IN_MESSAGES)
def test_a_message_takes_what_slack_documents(blocks: list[Payload]) -> None:
    check_message_blocks(blocks)


@pytest.mark.parametrize(("complaint", "blocks"), NOT_IN_MESSAGES.values(), ids=NOT_IN_MESSAGES)
def test_a_message_refuses_the_rest_and_says_where(complaint: str, blocks: list[Payload]) -> None:
    with pytest.raises(SlackError) as caught:
        check_message_blocks(blocks)
    messages = caught.value.details["response_metadata"]["messages"]
    assert caught.value.code == "invalid_blocks"
    assert any(complaint in message for message in messages), messages
    assert all("[json-pointer:/blocks" in message for message in messages)


@pytest.mark.parametrize(
    ("code", "blocks"),
    [
        ("only_one_table_allowed", [table([raw("x")]), table([raw("x")])]),
        ("msg_blocks_too_long", [markdown("x" * 6_000), markdown("x" * 6_001)]),
        ("msg_blocks_too_long", [line(words("x" * 13_201))]),
        ("invalid_blocks_format", markdown("x")),
    ],
)
def test_what_is_too_much_for_one_message_has_its_own_code(code: str, blocks: object) -> None:
    with pytest.raises(SlackError) as caught:
        check_message_blocks(blocks)
    assert caught.value.code == code


@pytest.mark.parametrize("block", IN_MODALS.values(), ids=IN_MODALS)
def test_a_modal_takes_what_slack_documents(block: Payload) -> None:
    stored = normalize_view(modal(block), "modal", 1)
    assert stored["blocks"][0]["type"] == block["type"]


@pytest.mark.parametrize(("complaint", "block"), NOT_IN_MODALS.values(), ids=NOT_IN_MODALS)
def test_a_modal_refuses_the_rest_and_says_where(complaint: str, block: Payload) -> None:
    assert any(complaint in message for message in _complaints(modal(block), "modal"))


@pytest.mark.parametrize("block", IN_HOMES.values(), ids=IN_HOMES)
def test_a_home_takes_what_slack_documents(block: Payload) -> None:
    stored = normalize_view({"type": "home", "blocks": [block]}, "home", 1)
    assert stored["blocks"][0]["type"] == block["type"]


@pytest.mark.parametrize(("complaint", "block"), NOT_IN_HOMES.values(), ids=NOT_IN_HOMES)
def test_a_home_refuses_the_rest_and_says_where(complaint: str, block: Payload) -> None:
    assert any(complaint in message for message in _complaints({"type": "home", "blocks": [block]}, "home"))


def test_only_one_field_of_a_modal_is_focused_on_load() -> None:
    fields = [ask(number_input(focus_on_load=True), label) for label in ("First", "Second")]
    complaint = "[ERROR] only one element can have focus_on_load [json-pointer:/view/blocks/1]"
    assert _complaints(modal(*fields), "modal") == [complaint]


def test_slack_gives_a_markdown_block_an_id_of_its_own() -> None:
    blocks = [markdown("x") | {"block_id": "mine"}, line(words("x")) | {"block_id": "mine"}]
    assert [block["block_id"] for block in with_defaults(blocks, 7)] == ["b0007", "mine"]


def _complaints(view: Payload, kind: str) -> list[str]:
    with pytest.raises(SlackError) as caught:
        normalize_view(view, kind, 1)
    assert caught.value.code == "invalid_arguments"
    messages = caught.value.details["response_metadata"]["messages"]
    assert all("[json-pointer:/view/blocks" in message for message in messages)
    return list(messages)
