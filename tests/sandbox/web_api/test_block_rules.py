import pytest

from bot.sandbox.web_api.block_checks import check_message_blocks
from bot.sandbox.web_api.view_rules import normalize_view
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Payload
from tests.sandbox.bolt_app import actions, button, field_block, menu, modal, section


def _plain(text: str) -> Payload:
    return {"type": "plain_text", "text": text}


def _context(count: int) -> Payload:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * count}


def _table(rows: int, columns: int) -> Payload:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns] * rows}


def _confirmed(length: int) -> Payload:
    confirm = {
        "title": _plain("t" * length),
        "text": _plain("t"),
        "confirm": _plain("y"),
        "deny": _plain("n"),
    }
    return actions(button(confirm=confirm))


def _option(text: str, value: str, **more: object) -> Payload:
    return {"text": _plain(text), "value": value, **more}


def _menu_of(*options: Payload) -> Payload:
    return actions({"type": "static_select", "action_id": "pick", "options": list(options)})


ALLOWED: list[list[Payload]] = [
    [{"type": "divider"}] * 50,
    [section("x" * 3000)],
    [{"type": "header", "text": _plain("x" * 150)}],
    [actions(button(value="x" * 2000))],
    [actions(*(button(f"a{n}") for n in range(25)))],
    [actions(button("x" * 255))],
    [_context(10)],
    [actions(menu(*(str(n) for n in range(100))))],
    [_menu_of(_option("x" * 75, "x" * 150, description=_plain("x" * 75)))],
    [_table(100, 20)],
    [_confirmed(100)],
    [{"type": "markdown", "text": "x" * 12_000}],
    [field_block()],
]
REFUSED: list[tuple[str, list[Payload]]] = [
    ("no more than 50 items", [{"type": "divider"}] * 51),
    ("less than 3001 characters", [section("x" * 3001)]),
    ("more than 0 characters", [section("")]),
    ("missing required field: text", [section(accessory={"type": "button", "action_id": "a"})]),
    ("must have text or fields", [{"type": "section"}]),
    ("no more than 10 items", [{"type": "section", "fields": [_plain("x")] * 11}]),
    ("less than 2001 characters", [{"type": "section", "fields": [_plain("x" * 2001)]}]),
    ("less than 151 characters", [{"type": "header", "text": _plain("x" * 151)}]),
    ("must be one of plain_text", [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]),
    ("less than 76 characters", [actions(button(text=_plain("x" * 76)))]),
    ("must be one of plain_text", [actions(button(text={"type": "mrkdwn", "text": "x"}))]),
    ("less than 2001 characters", [actions(button(value="x" * 2001))]),
    ("less than 256 characters", [actions(button("x" * 256))]),
    ("must be one of primary, danger", [actions(button(style="warning"))]),
    ("no more than 25 items", [actions(*(button(f"a{n}") for n in range(26)))]),
    ("action_id go already exists", [actions(button(), button())]),
    ("block_id acts already exists", [actions(button()), actions(button())]),
    ("no more than 10 items", [_context(11)]),
    ("unsupported type: button", [{"type": "context", "elements": [button()]}]),
    ("unsupported type: plain_text_input", [actions({"type": "plain_text_input", "action_id": "a"})]),
    ("no more than 100 items", [actions(menu(*(str(n) for n in range(101))))]),
    ("less than 76 characters", [_menu_of(_option("x" * 76, "v"))]),
    ("less than 151 characters", [_menu_of(_option("x", "v" * 151))]),
    ("less than 76 characters", [_menu_of(_option("x", "v", description=_plain("x" * 76)))]),
    ("option values must be unique", [_menu_of(_option("x", "v"), _option("y", "v"))]),
    ("initial option is not one", [actions(menu("a", initial_option=_option("B", "b")))]),
    ("either options or option_groups", [actions({"type": "static_select", "action_id": "a"})]),
    ("less than 101 characters", [_confirmed(101)]),
    ("no more than 100 items", [_table(101, 1)]),
    ("no more than 20 items", [_table(1, 21)]),
    ("invalid additional property: colour", [section(colour="red")]),
    ("unsupported type: hologram", [{"type": "hologram"}]),
    ("unsupported type: None", [{"text": _plain("x")}]),
]


@pytest.mark.parametrize("blocks", ALLOWED, ids=range(len(ALLOWED)))
def test_blocks_at_slacks_limits_are_taken(blocks: list[Payload]) -> None:
    check_message_blocks(blocks)


@pytest.mark.parametrize(("complaint", "blocks"), REFUSED, ids=range(len(REFUSED)))
def test_blocks_beyond_slacks_limits_are_refused_with_the_place(
    complaint: str, blocks: list[Payload]
) -> None:
    with pytest.raises(SlackError) as caught:
        check_message_blocks(blocks)
    assert caught.value.code == "invalid_blocks"
    assert any(complaint in error for error in caught.value.details["errors"])
    assert all("json-pointer:/blocks" in error for error in caught.value.details["errors"])


def test_two_tables_are_one_too_many() -> None:
    with pytest.raises(SlackError, match="only_one_table_allowed"):
        check_message_blocks([_table(1, 1), _table(1, 1)])


@pytest.mark.parametrize(
    ("complaint", "view"),
    [
        ("less than 25 characters", modal(title=_plain("x" * 25))),
        ("less than 25 characters", modal(submit=_plain("x" * 25))),
        ("less than 3001 characters", modal(private_metadata="x" * 3001)),
        ("less than 256 characters", modal(callback_id="x" * 256)),
        ("no more than 100 items", modal(*[{"type": "divider"}] * 101)),
        ("missing required field: title", {"type": "modal", "blocks": []}),
        (
            "missing required field: submit",
            {"type": "modal", "title": _plain("x"), "blocks": [field_block()]},
        ),
        ("invalid additional property: colour", modal(colour="red")),
        ("unsupported type: markdown", modal({"type": "markdown", "text": "x"})),
        ("must be one of modal", {"type": "home", "title": _plain("x"), "blocks": []}),
    ],
)
def test_modals_beyond_slacks_limits_are_refused(complaint: str, view: Payload) -> None:
    with pytest.raises(SlackError, match="invalid_arguments") as caught:
        normalize_view(view, "modal", 1)
    assert any(complaint in error for error in caught.value.details["response_metadata"]["messages"])


def test_a_home_takes_no_title() -> None:
    with pytest.raises(SlackError, match="invalid additional property: title"):
        normalize_view({"type": "home", "title": _plain("x"), "blocks": []}, "home", 1)
