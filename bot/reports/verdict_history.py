"""All verdicts of a judge with people's votes, read in pages and kept without their words."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from bot.feedback import Feedback, all_feedback
from bot.judge_report import LabelCount, ModelUse
from bot.reports.answered_weeks import VERDICTS_AT_ONCE, AnsweredVerdict, TouchedVerdict
from bot.reports.verdict_label import (
    UNNAMED,
    LabelledVerdict,
    PeopleLabel,
    label_verdict,
    person_labels,
)
from bot.reports.vote_week import first_vote_week
from bot.runtime.clock import from_ms, week_bounds, week_of
from memalign.records import Label, Verdict
from memalign.value_types import ValueType
from storage.database import Database
from storage.keys import event_ms
from storage.records import SHOWN_AS_ALL, PersonFeedback, SelectionReason, StoredVerdict

MAX_OVERRULED = 100
"""Newest overruled verdicts that are kept with their words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverruledCase:
    """A verdict with its words, and people's label against it."""

    stored: StoredVerdict
    people_label: PeopleLabel
    supporters: int
    """People who hold that label."""
    voters: int
    """People who could tell."""


@dataclass(slots=True)
class VerdictHistory:
    """A judge's verdicts, as far as they were read."""

    value_type: ValueType
    zone: ZoneInfo
    judged: int = 0
    first_ms: int = 0
    last_ms: int = 0
    shown: Counter[str] = field(default_factory=Counter)
    """Week -> cards posted in it."""
    answered: dict[str, list[AnsweredVerdict]] = field(default_factory=dict)
    """Week -> verdicts that belong to it, with their votes; without any words."""
    reasons: Counter[SelectionReason] = field(default_factory=Counter)
    blind: int = 0
    chances: set[float] = field(default_factory=set)
    """The smallest and the greatest chance of being shown among the cards."""
    cards_without_chance: int | None = None
    """Cards before the first whose choice was noted; None before it."""
    near_copies: int = 0
    late: int = 0
    votes: Counter[str] = field(default_factory=Counter)
    """Person -> votes."""
    labels: Counter[tuple[str, Label, PeopleLabel]] = field(default_factory=Counter)
    """Verdicts by type and value, and people's label: true equals 1 otherwise."""
    overruled: deque[OverruledCase] = field(default_factory=lambda: deque(maxlen=MAX_OVERRULED))
    """The newest ones, oldest first."""
    _models: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Model -> verdicts, first and last time."""

    def add(self, stored: StoredVerdict, people: Mapping[str, PersonFeedback]) -> None:
        """Take in the next verdict, in order of judging."""
        self.judged += 1
        self.first_ms = self.first_ms or stored.judged_ms
        self.last_ms = stored.judged_ms
        verdicts, first_ms, _ = self._models.get(stored.verdict.model, (0, stored.judged_ms, 0))
        self._models[stored.verdict.model] = (verdicts + 1, first_ms, stored.judged_ms)
        if stored.message_ts is not None:
            self._add_card(stored, stored.message_ts)
        if people:
            self._add_votes(stored, people)

    def add_all(self, page: Sequence[TouchedVerdict]) -> None:
        """Take in the next verdicts, each with all that people did about it, in order of judging."""
        for stored, people in page:
            self.add(stored, people)

    @property
    def models(self) -> list[ModelUse]:
        """The models that judged, by first use."""
        return [
            ModelUse(
                model=model,
                verdicts=verdicts,
                first=from_ms(first_ms, self.zone),
                last=from_ms(last_ms, self.zone),
            )
            for model, (verdicts, first_ms, last_ms) in self._models.items()
        ]

    @property
    def label_counts(self) -> list[LabelCount]:
        """Verdicts by value and label, the most frequent first."""
        return [
            LabelCount(value=value, people=None if label is UNNAMED else label, verdicts=count)
            for (_, value, label), count in self.labels.most_common()
        ]

    def weeks(self) -> list[str]:
        """Return the weeks in which cards were posted or answered, in order."""
        return sorted({*self.shown, *self.answered})

    def verdicts_of(self, weeks: Sequence[str]) -> list[AnsweredVerdict]:
        """Return the answered verdicts of some weeks."""
        return [each for week in weeks for each in self.answered.get(week, ())]

    def shown_in(self, weeks: Sequence[str]) -> int:
        """Return how many cards were posted in some weeks."""
        return sum(self.shown[week] for week in weeks)

    def _add_card(self, stored: StoredVerdict, message_ts: str) -> None:
        if self.cards_without_chance is None and stored.selection != SHOWN_AS_ALL:
            self.cards_without_chance = self.shown.total()
        self.shown[week_of(from_ms(event_ms(message_ts), self.zone).date())] += 1
        self.reasons[stored.selection.reason] += 1
        self.blind += stored.is_blind
        known = {*self.chances, stored.selection.probability}
        self.chances = {min(known), max(known)}

    def _add_votes(self, stored: StoredVerdict, people: Mapping[str, PersonFeedback]) -> None:
        first = first_vote_week(stored, people, self.value_type, self.zone)
        if first is None:
            return
        self.votes.update(entry.person for entry in first.votes)
        _, end_ms = week_bounds(first.week, self.zone)
        now = all_feedback(stored, people, self.value_type)
        self.late += any(entry.vote is not None and entry.time_ms >= end_ms for entry in now)
        self.answered.setdefault(first.week, []).append(_without_words(stored, first.votes))
        case = label_verdict(stored, first.votes, self.value_type)
        if case is not None:
            self._add_case(stored, first.votes, case)

    def _add_case(self, stored: StoredVerdict, votes: Sequence[Feedback], case: LabelledVerdict) -> None:
        self.labels[type(case.value).__name__, case.value, case.people_label] += 1
        self.near_copies += stored.resembles_case
        if case.agreed or stored.is_hidden:  # nobody is to read it before its card has shown it
            return
        labels = person_labels(votes, self.value_type)
        self.overruled.append(
            OverruledCase(
                stored=stored,
                people_label=case.people_label,
                supporters=labels.count(case.people_label),
                voters=len(labels),
            )
        )


def _without_words(stored: StoredVerdict, votes: Sequence[Feedback]) -> AnsweredVerdict:
    """Return a verdict and its votes as far as figures need them: twenty thousand fit the memory of a small machine."""
    verdict = stored.verdict
    value = Verdict(judge=verdict.judge, trace_id=verdict.trace_id, value=verdict.value, rationale="")
    return (
        replace(stored, verdict=value),
        [replace(each, rationale="", typed_reason="", supports=()) for each in votes],
    )


async def read_verdict_history(
    database: Database,
    judge: str,
    value_type: ValueType,
    zone: ZoneInfo,
    advance: Callable[[int], None],
) -> VerdictHistory:
    """Read all verdicts of a judge, page by page.

    Args:
        database: the store.
        judge: the judge's name.
        value_type: the judge's.
        zone: the time zone in which weeks begin and end.
        advance: called with the number of verdicts read since its last call.

    Raises:
        StorageError: The store cannot be read.
    """
    history = VerdictHistory(value_type, zone)
    last: StoredVerdict | None = None
    while page := await database.feedback.page_of_judge(judge, last, VERDICTS_AT_ONCE):
        # many replies take tenths of a second to read
        await asyncio.to_thread(history.add_all, page)
        last = page[-1][0]
        advance(len(page))
    return history
