"""Searching a judge's guidelines and turning their pages."""

import pytest

from bot.guideline_page import GuidelineEntry, GuidelineQuery, page_of, search
from bot.judge_names import short_name
from memalign.records import WAITING_TEXT, Guideline, Source

RULES = ("Never name a park twice.", "Opening hours of Parks belong in it.", "Grüße gehören an den Anfang.")


def entry(number: int, text: str, *authors: str) -> GuidelineEntry:
    source = Source(trace_id=f"tr-{number}", person="U1", quote=text)
    return GuidelineEntry(
        number=number, rule=Guideline(id=f"g-{number}", text=text, sources=(source,)), authors=authors
    )


ENTRIES = [entry(number, text, "Zoë Núñez") for number, text in enumerate(RULES, start=1)]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("", [1, 2, 3]),
        ("park", [1, 2]),
        ("PARKS hours", [2]),
        ("grusse", [3]),
        ("grüsse", [3]),
        ("GRÜSSE", [3]),
        ("Gruße", [3]),
        ("nunez twice", [1]),
        ("ｐａｒｋ", [1, 2]),
        ("castle", []),
        ("park castle", []),
    ],
)
def test_all_words_are_searched_whatever_their_case_and_accents(words: str, numbers: list[int]) -> None:
    assert [each.number for each in search(ENTRIES, words)] == numbers


def test_the_placeholder_of_a_rule_without_words_is_not_searched() -> None:
    assert search([entry(1, WAITING_TEXT)], "distilled") == []


@pytest.mark.parametrize(
    ("offset", "shown"),
    [(0, range(1, 21)), (20, range(21, 41)), (40, range(41, 46)), (60, range(41, 46)), (-5, range(1, 21))],
)
def test_a_page_beyond_the_last_is_the_last(offset: int, shown: range) -> None:
    entries = [entry(number, f"Rule {number}.") for number in range(1, 46)]
    page = page_of(entries, GuidelineQuery(judge="j").at(offset), now_ms=0)
    assert [each.number for each in page.entries] == list(shown)
    assert (page.matches, page.total) == (45, 45)


def test_a_search_that_empties_its_page_shows_the_first() -> None:
    page = page_of(ENTRIES, GuidelineQuery(judge="j", words="castle", offset=20), now_ms=0)
    assert (page.entries, page.query.offset, page.matches) == ((), 0, 0)


def test_words_are_cut_to_what_a_block_can_carry() -> None:
    query = GuidelineQuery.of("j", "  long   words " * 50)
    assert len(query.words) <= 80
    assert query.words.startswith("long words long")


def test_judges_have_short_names_of_their_own() -> None:
    names = {short_name(f"judge {number}") for number in range(500)}
    assert (len(names), {len(each) for each in names}) == (500, {8})
