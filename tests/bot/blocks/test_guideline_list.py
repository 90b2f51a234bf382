"""The list of guidelines keeps to Slack's limits and tells the truth about each."""

import json
import re

import pytest

from bot.blocks.guideline_buttons import (
    APPROVE_GUIDELINE,
    EDIT_GUIDELINE,
    PIN_GUIDELINE,
    RESTORE_GUIDELINE,
    RETIRE_GUIDELINE,
    UNPIN_GUIDELINE,
)
from bot.blocks.guideline_list import guidelines_message, menu_actions, overview_message, row_id
from bot.blocks.primitives import SlackMessage, pack_messages, section
from bot.guideline_page import GuidelineEntry, GuidelinePage, GuidelineQuery, page_of
from bot.judge_names import short_name
from bot.sandbox.web_api.block_checks import check_message_blocks
from memalign.records import Guideline, Handling, Json, Source
from tests.bot.bot_in_workspace import words

DAY = 24 * 60 * 60 * 1000
NOW = 1_800_000_000_000
ANA = Handling(person="U1")


def a_rule(number: int, text: str = "", **state: Json) -> Guideline:
    source = Source(trace_id=f"tr-{number}", person="U1", quote="because")
    return Guideline(id=f"g-{number:016x}", text=text or f"Rule {number}.", sources=(source,), **state)


def page(entries: list[GuidelineEntry], query: GuidelineQuery | None = None) -> GuidelinePage:
    return page_of(entries, query or GuidelineQuery(judge="politeness"), NOW)


def listed(rule: Guideline, **told: Json) -> str:
    """Return the line of one rule in the list."""
    entry = GuidelineEntry(number=7, rule=rule, authors=("Ana Ruiz",), **told)
    return words(guidelines_message(page([entry])).blocks)


@pytest.mark.parametrize("text", ["short", "<" * 2_000, "&" * 2_000, "word " * 400, "👩‍🚀" * 500])
@pytest.mark.parametrize("offset", [0, 20, 180, 400])
def test_any_page_of_200_guidelines_is_one_message_that_slack_takes(text: str, offset: int) -> None:
    entries = [
        GuidelineEntry(
            number=number,
            rule=a_rule(number, text, edited_by=ANA, overruled=True),
            authors=tuple(f"<!channel> {each} " + "n" * 200 for each in range(30)),
            editor="e" * 300,
            verdicts=10_000_000,
            last_ms=NOW - 4_000 * DAY,
        )
        for number in range(1, 201)
    ]
    query = GuidelineQuery.of("j" * 200, "").at(offset)
    shown = page(entries, query)
    message = guidelines_message(shown, notice=(section("x" * 700),))
    assert [message] == [
        SlackMessage(text=message.text, blocks=each.blocks) for each in pack_messages([message])
    ]
    assert len(shown.entries) == 20
    check_message_blocks(list(message.blocks))
    assert not re.search(r"<[!@#]", json.dumps(message.blocks))


def test_pages_are_turned_in_both_directions() -> None:
    entries = [GuidelineEntry(number=number, rule=a_rule(number)) for number in range(1, 46)]
    turns = {
        offset: [
            (each["text"]["text"], json.loads(each["value"])[2])
            for each in guidelines_message(page(entries, GuidelineQuery(judge="j", offset=offset))).blocks[
                -1
            ]["elements"][:-1]
        ]
        for offset in (0, 20, 40)
    }
    assert turns == {
        0: [("Next 20", 20)],
        20: [("Previous", 0), ("Next 5", 40)],
        40: [("Previous", 20)],
    }


def test_a_search_leads_back_to_all() -> None:
    entries = [GuidelineEntry(number=1, rule=a_rule(1, "Name the park."))]
    found = guidelines_message(page(entries, GuidelineQuery(judge="j", words="park")))
    missed = guidelines_message(page(entries, GuidelineQuery(judge="j", words="castle")))
    assert "1 of 1 guideline of *j* with “park”" in found.text
    assert "No guideline of *j* says “castle”; it has 1 in all." in missed.text
    for message in (found, missed):
        texts = [each["text"]["text"] for each in message.blocks[-1]["elements"]]
        assert texts == ["All guidelines", "History"]


@pytest.mark.parametrize(
    ("rule", "offered"),
    [
        (a_rule(1), (APPROVE_GUIDELINE, EDIT_GUIDELINE, RETIRE_GUIDELINE, PIN_GUIDELINE)),
        (a_rule(1, approved_by="U2"), (EDIT_GUIDELINE, RETIRE_GUIDELINE, PIN_GUIDELINE)),
        (a_rule(1, approved_by="U2", pinned_by=ANA), (EDIT_GUIDELINE, RETIRE_GUIDELINE, UNPIN_GUIDELINE)),
        (a_rule(1, retired_by=ANA), (RESTORE_GUIDELINE,)),
    ],
)
def test_each_rule_offers_what_can_be_decided_on_it(rule: Guideline, offered: tuple[str, ...]) -> None:
    assert menu_actions(rule) == offered


@pytest.mark.parametrize(
    ("rule", "told", "part"),
    [
        (a_rule(1), {}, "*7.* Rule 1.\n1 case · Ana Ruiz · no verdict used it yet"),
        (a_rule(1), {"verdicts": 1, "last_ms": NOW}, "used 1×, last today"),
        (a_rule(1), {"verdicts": 1240, "last_ms": NOW - DAY}, "used 1,240×, last yesterday"),
        (a_rule(1), {"verdicts": 40, "led": 12, "last_ms": NOW}, "used 40×, led 12 verdicts, last today"),
        (a_rule(1), {"verdicts": 2, "last_ms": NOW - 3 * DAY}, "used 2×, last 3 days ago"),
        (a_rule(1), {"editor": "Ben"}, "edited by Ben"),
        (a_rule(1, pinned_by=ANA), {}, "*7.* Rule 1. _Pinned: it comes first"),
        (a_rule(1, retired_by=ANA), {}, "Out of use: somebody retired it."),
        (a_rule(1, lacks=("approval",)), {}, "somebody has to approve it"),
        (
            Guideline(id="g", text="Outvoted.", sources=(), edited_by=ANA, retired_by=ANA),
            {"editor": "Ben"},
            "no case counts for it now · Ana Ruiz · edited by Ben",
        ),
        (Guideline(id="g", text="By hand.", sources=(), added_by=ANA), {}, "added by hand · Ana Ruiz"),
    ],
)
def test_a_row_tells_number_cases_authors_uses_and_state(rule: Guideline, told: Json, part: str) -> None:
    assert part in listed(rule, **told)


@pytest.mark.parametrize("search_words", ["", "parks", '"' * 80, "\\" * 80, "ä" * 80, "\u0001" * 80])
@pytest.mark.parametrize("offset", [0, 9_980])
def test_the_id_of_a_row_carries_what_its_menu_needs(search_words: str, offset: int) -> None:
    query = GuidelineQuery(judge="j" * 2_000, words=search_words, offset=offset)
    block_id = row_id(query, "g-0123456789abcdef")
    short, guideline_id, carried_offset, carried_words = json.loads(block_id)
    assert len(block_id) <= 255
    assert (short, guideline_id, carried_offset) == (short_name(query.judge), "g-0123456789abcdef", offset)
    assert carried_words in (search_words, "")


def test_the_overview_leads_to_each_judge() -> None:
    pages = [
        page([GuidelineEntry(number=1, rule=a_rule(1))], GuidelineQuery(judge=f"judge {n}"))
        for n in range(60)
    ]
    message = overview_message(pages)
    assert len(message.blocks) <= 45
    check_message_blocks(list(message.blocks))
    assert "*judge 3*: 1 guideline" in words(message.blocks)
    assert json.loads(message.blocks[1]["accessory"]["value"]) == ["judge 0", "", 0]
