"""Versions of a memory in words."""

import pytest

from bot.__main__ import parser
from bot.blocks.guideline_answers import SENTENCES
from bot.blocks.memory_history import nothing_to_go_back
from bot.blocks.notices import memory_rolled_back
from bot.memory_words import case_words, difference_words, version_words
from memalign.records import Episode, MemoryDiff, MemoryVersion

NAMES = {"a": "Ana", "b": "Ben", "c": "Cem", "d": "Dora", "e": "Eva"}


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ("", "learned again from what remains"),
        ("a", "learned from Ana"),
        ("ab", "learned from Ana and Ben"),
        ("abc", "learned from Ana, Ben and Cem"),
        ("abcd", "learned from Ana, Ben, Cem and 1 other"),
        ("abcde", "learned from Ana, Ben, Cem and 2 others"),
    ],
)
def test_a_lesson_names_three_people_and_counts_the_others(people: str, words: str) -> None:
    assert (
        version_words(MemoryVersion(number=1, at_ms=0, kind="lesson", people=tuple(people)), NAMES) == words
    )


@pytest.mark.parametrize(
    ("people", "words"),
    [("a", "forgotten, as Ana asked"), ("ab", "forgotten, as Ana and Ben asked"), ("", "forgotten")],
)
def test_a_forget_names_who_asked_for_it_and_not_as_what_was_forgotten(people: str, words: str) -> None:
    version = MemoryVersion(number=1, at_ms=0, kind="forget", people=tuple(people))
    assert version_words(version, NAMES) == words


def test_a_case_that_comes_back_is_not_called_new() -> None:
    case = Episode(trace_id="tr-1", label=True, fields={"inputs": "Hi"}, text="Hi", opinions=())
    assert case_words(MemoryDiff(cases_came=(case,))) == "1 case added"
    both = MemoryDiff(cases_came=(case, case), cases_went=(case,), cases_changed=(case,))
    assert case_words(both) == "2 cases added, 1 case gone, 1 case changed"


def test_a_version_without_words_says_why() -> None:
    forget = MemoryVersion(number=2, at_ms=0, kind="forget", cases_forgotten=1, guidelines_forgotten=2)
    assert difference_words(forget, MemoryDiff()) == ["1 case and 2 guidelines affected"]
    lesson = MemoryVersion(number=1, at_ms=0, kind="lesson", people=("a",))
    assert difference_words(lesson, MemoryDiff()) == ["what it changed has since been forgotten"]


def test_a_roll_back_says_what_becomes_of_votes_in_slack() -> None:
    note = memory_rolled_back("Tone", 3, None).text
    assert note.startswith("↩️ Somebody at the terminal took *Tone* back to version 3")
    assert "any that this leaves out count again once you change them" in note
    assert "Votes and reasons that this leaves out count again" in SENTENCES["rollback"]
    assert nothing_to_go_back("Tone", 3).text == (
        "*Tone* is just as it was in version 3, so there is nothing to change."
    )


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "12345678901"])
def test_a_version_that_is_not_one_is_refused_by_what_it_should_be(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["memory", "rollback", "tone", text])
    assert ended.value.code == 2
    assert f"“{text}” is not a whole number from 0 to 999,999,999" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "went back to version 0, by Ana"),
        (12, "went back to version 12, by Ana"),
        (None, "went back to an earlier version, by Ana"),
    ],
)
def test_a_roll_back_names_the_version_where_it_is_known(number: int | None, words: str) -> None:
    version = MemoryVersion(number=20, at_ms=0, kind="rollback", people=("a",), rollback_to=number)
    assert version_words(version, NAMES) == words
