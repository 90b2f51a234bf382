"""A week of verdicts and votes -> numbers: how far judge and people agree."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar
from zoneinfo import ZoneInfo

from bot.feedback import Feedback, feedback_of
from bot.records import MIN_VERDICTS_FOR_KAPPA, Digest
from bot.reports.agreement import Pair, cohen_kappa, gwet_ac1, wilson
from bot.runtime.clock import week_bounds
from memalign.records import Label
from memalign.value_types import ValueType
from storage.database import Database
from storage.records import AuditLine, PersonFeedback, StoredVerdict

T = TypeVar("T", bound=Hashable)


class Unnamed(Enum):
    """The label of people who only say that the judge is wrong."""

    UNNAMED = "unnamed"


UNNAMED = Unnamed.UNNAMED


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One verdict and what the people who voted on it made of it."""

    value: Label
    agreed: bool
    people_label: Label | None
    """None while a 👎 lacks its right value."""


def majority(votes: Sequence[T]) -> T | None:
    """The most frequent; None without votes or at a tie."""
    ranked = Counter(votes).most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


def judged(stored: StoredVerdict, feedback: Sequence[Feedback]) -> Judged | None:
    """How people judged a verdict: the label of most of them; None at a tie, or when nobody could tell.

    Those who disagree without naming the right value share one label, which nobody knows yet.
    """
    labels = [
        UNNAMED if said.value is None else said.value for said in feedback if said.vote in ("up", "down")
    ]
    label = majority(labels)
    if label is None:
        return None
    value = stored.verdict.value
    known = None if isinstance(label, Unnamed) else label
    return Judged(value=value, agreed=known == value, people_label=known)


def count(
    judge: str,
    week: str,
    values: ValueType,
    voted: Sequence[tuple[StoredVerdict, Sequence[Feedback]]],
    audit: Sequence[AuditLine],
) -> Digest:
    """Count one judge's week."""
    cases = [case for stored, feedback in voted if (case := judged(stored, feedback))]
    agreed = sum(case.agreed for case in cases)
    low, high = wilson(agreed, len(cases)) if cases else (None, None)
    pairs = [(case.value, case.people_label) for case in cases if case.people_label is not None]
    happened = _happenings(judge, audit)
    return Digest(
        judge=judge,
        week=week,
        n=len(cases),
        agreed=agreed,
        agreement=agreed / len(cases) if cases else None,
        wilson_low=low,
        wilson_high=high,
        table=_table(pairs) if values.opposite(True) is not None else None,
        kappa=_beyond_chance(cohen_kappa, pairs),
        ac1=_beyond_chance(gwet_ac1, pairs),
        people=len({said.person for _, feedback in voted for said in feedback if said.vote}),
        guidelines_learned=happened["guideline_learned"],
        guidelines_retired=happened["guideline_retired"],
        forgotten=happened["forgotten"],
    )


def _beyond_chance(measure: Callable[[Sequence[Pair]], float | None], pairs: Sequence[Pair]) -> float | None:
    return measure(pairs) if len(pairs) >= MIN_VERDICTS_FOR_KAPPA else None


def _table(pairs: Sequence[Pair]) -> dict[str, int]:
    counts = Counter(pairs)
    return {
        "judge_pass_people_pass": counts[True, True],
        "judge_pass_people_fail": counts[True, False],
        "judge_fail_people_pass": counts[False, True],
        "judge_fail_people_fail": counts[False, False],
    }


def _happenings(judge: str, audit: Sequence[AuditLine]) -> Counter[str]:
    happened: Counter[str] = Counter()
    for line in audit:
        if line.judge == judge:
            happened[line.what] += len(line.ids)
    return happened


async def digest_of(database: Database, judge: str, values: ValueType, week: str, zone: ZoneInfo) -> Digest:
    """One judge's digest of an ISO week, by the time of the vote in the time zone."""
    start, end = week_bounds(week, zone)
    voted = []
    for stored, people in await database.verdicts.voted_between(judge, start, end):
        feedback = _within(stored, people, values, start, end)
        if feedback:
            voted.append((stored, feedback))
    return count(judge, week, values, voted, await database.journal.between(start, end))


def _within(
    stored: StoredVerdict, people: Mapping[str, PersonFeedback], values: ValueType, start: int, end: int
) -> list[Feedback]:
    said = [feedback_of(stored, person, facts, values) for person, facts in people.items()]
    return [feedback for feedback in said if feedback.vote and start <= feedback.time_ms < end]
