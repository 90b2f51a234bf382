"""Versions of a memory in words."""

import pytest

from bot.memory_words import version_words
from memalign.records import MemoryVersion

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
