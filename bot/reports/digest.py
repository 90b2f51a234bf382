"""Figures of one judge's week: verdicts, votes and the agreement between judge and people."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar
from zoneinfo import ZoneInfo

from bot.feedback import Feedback, feedback_of
from bot.records import MIN_VERDICTS_FOR_KAPPA, Digest
from bot.reports.agreement import Pair, cohen_kappa, gwet_ac1, wilson_interval
from bot.runtime.clock import week_bounds
from memalign.records import Label
from memalign.value_types import ValueType
from storage.database import Database
from storage.records import AuditAction, AuditLine, PersonFeedback, StoredVerdict

T = TypeVar("T", bound=Hashable)


class Unnamed(Enum):
    """The label of people who only say that the judge is wrong."""

    UNNAMED = "unnamed"


UNNAMED = Unnamed.UNNAMED


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledVerdict:
    """A verdict with the label that most people gave to it."""

    value: Label
    agreed: bool
    people_label: Label | None
    """None if most people disagree without naming the right value."""


def majority(votes: Sequence[T]) -> T | None:
    """Return the most frequent vote; None without votes or at a tie."""
    ranked = Counter(votes).most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


def label_verdict(stored: StoredVerdict, feedback: Sequence[Feedback]) -> LabelledVerdict | None:
    """Label a verdict by the majority of people, leaving out those who cannot tell.

    Those who disagree without naming the right value share one label, `UNNAMED`.

    Returns:
        The labelled verdict; None at a tie, or if nobody could tell.
    """
    labels = [
        UNNAMED if entry.value is None else entry.value for entry in feedback if entry.vote in ("up", "down")
    ]
    label = majority(labels)
    if label is None:
        return None
    value = stored.verdict.value
    known = None if isinstance(label, Unnamed) else label
    return LabelledVerdict(value=value, agreed=known == value, people_label=known)


def compute_digest(
    judge: str,
    week: str,
    value_type: ValueType,
    verdicts: Sequence[tuple[StoredVerdict, Sequence[Feedback]]],
    audit: Sequence[AuditLine],
) -> Digest:
    """Compute the figures of one judge's week.

    Args:
        judge: The judge's name.
        week: The ISO week, such as `2026-W47`.
        value_type: The type of the judge's values.
        verdicts: The verdicts that were voted on in the week, each with that week's feedback.
        audit: The week's audit lines, of all judges.

    Returns:
        The digest; kappa and AC1 only from `MIN_VERDICTS_FOR_KAPPA` verdicts with a known label on.
    """
    cases = [case for stored, feedback in verdicts if (case := label_verdict(stored, feedback))]
    agreed = sum(case.agreed for case in cases)
    low, high = wilson_interval(agreed, len(cases)) if cases else (None, None)
    pairs = [(case.value, case.people_label) for case in cases if case.people_label is not None]
    changes = _count_changes(judge, audit)
    return Digest(
        judge=judge,
        week=week,
        n=len(cases),
        agreed=agreed,
        agreement=agreed / len(cases) if cases else None,
        wilson_low=low,
        wilson_high=high,
        table=_table(pairs) if value_type.opposite(True) is not None else None,
        kappa=_beyond_chance(cohen_kappa, pairs),
        ac1=_beyond_chance(gwet_ac1, pairs),
        people=len({entry.person for _, feedback in verdicts for entry in feedback if entry.vote}),
        guidelines_learned=len(changes.learned),
        guidelines_retired=len(changes.retired),
        forgotten=changes.forgotten,
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


@dataclass(slots=True, kw_only=True)
class _Changes:
    """A week's changes of one judge's memory, by what of them stands at its end."""

    learned: set[str] = field(default_factory=set)
    """Ids of guidelines."""
    retired: set[str] = field(default_factory=set)
    forgotten: int = 0
    decisions: dict[str, AuditAction] = field(default_factory=dict)
    """A guideline's id -> the last decision on it, which can be undone."""

    def note(self, line: AuditLine) -> None:
        """Take one line of the audit, the oldest first."""
        if line.what == "forgotten":
            self.forgotten += len(line.ids)
        for guideline_id in line.ids:
            if line.what == "guideline_undone":
                self._undo(guideline_id)
                continue
            if line.person is not None:
                self.decisions[guideline_id] = line.what
            self._note_guideline(line.what, guideline_id)

    def _note_guideline(self, what: AuditAction, guideline_id: str) -> None:
        if what == "guideline_learned":
            self.learned.add(guideline_id)
        if what == "guideline_retired":
            self.retired.add(guideline_id)
        elif what in ("guideline_learned", "guideline_restored"):
            self.retired.discard(guideline_id)

    def _undo(self, guideline_id: str) -> None:
        decision = self.decisions.pop(guideline_id, None)
        if decision == "guideline_learned":
            self.learned.discard(guideline_id)
        elif decision == "guideline_retired":
            self.retired.discard(guideline_id)
        elif decision == "guideline_restored":
            self.retired.add(guideline_id)


def _count_changes(judge: str, audit: Sequence[AuditLine]) -> _Changes:
    changes = _Changes()
    for line in audit:
        if line.judge == judge:
            changes.note(line)
    return changes


async def read_digest(
    database: Database, judge: str, value_type: ValueType, week: str, zone: ZoneInfo
) -> Digest:
    """Return one judge's digest of an ISO week, by the time of the vote in the time zone."""
    start, end = week_bounds(week, zone)
    verdicts = []
    for stored, people in await database.feedback.voted_between(judge, start, end):
        feedback = _feedback_between(stored, people, value_type, start, end)
        if feedback:
            verdicts.append((stored, feedback))
    return compute_digest(judge, week, value_type, verdicts, await database.audit.between(start, end))


def _feedback_between(
    stored: StoredVerdict, people: Mapping[str, PersonFeedback], value_type: ValueType, start: int, end: int
) -> list[Feedback]:
    """Return the votes cast in the time, in milliseconds since 1970; `end` is excluded."""
    feedback = [feedback_of(stored, person, events, value_type) for person, events in people.items()]
    return [entry for entry in feedback if entry.vote and start <= entry.time_ms < end]
