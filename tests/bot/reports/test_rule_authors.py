"""The sentence in the status on one person who teaches most of a judge's rules."""

from collections.abc import Sequence

import pytest

from bot.plain_text import TERMINAL
from bot.reports.rule_authors import one_teacher
from memalign.records import Guideline, Handling, Source


def rules(*people: str) -> list[Guideline]:
    """A rule by each of the people, or by several with a "+" between them, oldest first."""
    return [
        Guideline(
            id=f"g-{number}",
            text=f"Rule {number}.",
            sources=tuple(
                Source(trace_id=f"tr-{number}", person=each, quote="x") for each in names.split("+")
            ),
            learned_ms=number,
        )
        for number, names in enumerate(people)
    ]


@pytest.mark.parametrize(
    ("people", "told"),
    [
        (["ben", *["ana"] * 9], "politeness: one person taught 9 of the 10 newest rules"),
        (
            [*["ben"] * 5, *["ana"] * 8, "ben", "cem"],
            "politeness: one person taught 8 of the 10 newest rules",
        ),
        (["ana"] * 9, ""),
        ([*["ana"] * 7, "ben", "ben", "cem"], ""),
        ([*["ana"] * 12, *["ben", "cem", "dan"]], ""),
        (["ana+ben"] * 10, ""),
        ([TERMINAL] * 10, ""),
    ],
)
def test_one_person_who_alone_taught_most_of_the_newest_rules_is_told_without_a_name(
    people: Sequence[str], told: str
) -> None:
    assert one_teacher("politeness", rules(*people)) == told


def test_rules_added_by_hand_count_for_who_added_them_and_retired_ones_not_at_all() -> None:
    added = [
        Guideline(id=f"g-{number}", text=f"Rule {number}.", sources=(), added_by=Handling(person="ana"))
        for number in range(10)
    ]
    assert "one person taught 10 of the 10" in one_teacher("politeness", added)
    gone = Guideline(id="g-x", text="Gone.", sources=(), retired_by=Handling(person="zoe"))
    assert one_teacher("politeness", [*added[:9], gone]) == ""
