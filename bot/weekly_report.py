"""One judge's week as its digest tells it: figures, the verdicts behind them, rules, and what waits. Frozen records."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.records import CurvePoint, Digest
from bot.runtime.clock import monday_of
from memalign.records import Label

RECENT_DAYS = timedelta(days=8)
"""Age of a week's end up to which what waits now is told beside its figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedVerdict:
    """One answered verdict of the week."""

    verdict_id: str
    trace_id: str
    question: str
    """The question of the trace, in one line; not escaped."""
    value: Label
    """The judge's."""
    people_value: Label | None
    """The label of most people; None where they tie, could not tell, or named no right value."""
    agreed: bool | None
    """True if most people gave the judge's value; None where they tie, or nobody could tell."""
    majority: int
    """People who gave the label of most; 0 where they tie, or nobody could tell."""
    labels: int
    """People who could tell."""
    link: str = ""
    """Address of its card; empty where it is not known."""
    is_hidden: bool = False
    """True while its card asks before it shows the verdict: nobody in Slack may be told `value`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRule:
    """A rule that the week brought or took, or on which somebody has to decide."""

    guideline_id: str
    text: str
    """Not escaped."""
    authors: tuple[str, ...] = ()
    """Names of the people it comes from, in order; none where votes are not shown."""
    cases: int = 0
    """Traces that it rests on."""
    trace_ids: tuple[str, ...] = ()
    """Those traces."""
    person_ids: tuple[str, ...] = ()
    """The people whose words it may hold."""
    is_doubtful: bool = False
    """True if most votes were against verdicts that rested on it."""
    is_pending: bool = False
    """True while it is not used yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementChange:
    """The difference between this week's share of agreement and the last one's, with its 95 % interval."""

    low: float
    high: float

    @property
    def could_be_chance(self) -> bool:
        """True if no difference at all is within the interval."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyReport:
    """One judge's week."""

    judge: str
    title: str
    """The judge as people call it; not escaped."""
    figures: Digest
    before: Digest
    """The week before."""
    change: AgreementChange | None
    """None unless both weeks have `MIN_VERDICTS_FOR_SHARE` verdicts."""
    curve: tuple[CurvePoint, ...]
    """This week and those before it in which people answered, the oldest first."""
    verdicts: tuple[ReportedVerdict, ...]
    """All answered verdicts of the week, in order of judging."""
    learned: tuple[ReportedRule, ...]
    """Rules of the week that the memory still holds; doubtful ones first."""
    retired: tuple[ReportedRule, ...]
    """Rules that went, as far as the memory holds their words."""
    doubtful: tuple[ReportedRule, ...]
    """All rules that somebody has to decide on, of whatever week."""
    in_use: int
    """Guidelines in use; as it is now."""
    from_one_person: int
    """Those of them that rest on one person."""
    pending: int
    """Guidelines that are not used yet, and not in doubt."""
    unanswered: int
    """Cards of the last days that nobody has answered; as it is now."""
    open_splits: int
    """Cards of the last days on which people tie, which one more vote decides; as it is now."""
    people: tuple[str, ...]
    """Names of the people who answered, in alphabetical order, without those who are not to be named."""
    today: date
    """The day on which it is told."""
    unnamed_people: int = 0
    """People who answered and are not to be named."""
    person_ids: tuple[str, ...] = ()
    """All who answered."""

    @property
    def week(self) -> str:
        """The ISO week."""
        return self.figures.week

    @property
    def first_day(self) -> date:
        """The week's Monday."""
        return monday_of(self.week)

    @property
    def last_day(self) -> date:
        """The week's Sunday."""
        return self.first_day + timedelta(days=6)

    @property
    def is_future(self) -> bool:
        """True before the week begins."""
        return self.today < self.first_day

    @property
    def is_running(self) -> bool:
        """True while the week is not over."""
        return self.first_day <= self.today <= self.last_day

    @property
    def is_recent(self) -> bool:
        """True of the present week and the one before."""
        return not self.is_future and self.today - self.last_day < RECENT_DAYS

    @property
    def is_quiet(self) -> bool:
        """True if nobody voted, and nothing was learned, retired or forgotten."""
        week = self.figures
        return not any(
            (week.people, week.late, week.guidelines_learned, week.guidelines_retired, week.forgotten)
        )

    @property
    def overruled(self) -> Sequence[ReportedVerdict]:
        """Verdicts of which most people say otherwise and which their cards show, the most overruled first."""
        against = [each for each in self.verdicts if each.agreed is False and not each.is_hidden]
        return sorted(against, key=lambda each: (each.labels - 2 * each.majority, -each.majority))

    @property
    def all_trace_ids(self) -> Collection[str]:
        """The traces that any part of it tells of."""
        return {each.trace_id for each in self.verdicts} | {
            trace_id for rule in self._rules for trace_id in rule.trace_ids
        }

    @property
    def all_person_ids(self) -> Collection[str]:
        """The people that any part of it tells of."""
        return {*self.person_ids} | {person for rule in self._rules for person in rule.person_ids}

    @property
    def _rules(self) -> Sequence[ReportedRule]:
        return (*self.learned, *self.retired, *self.doubtful)

    @property
    def splits(self) -> Sequence[ReportedVerdict]:
        """Verdicts on which people tie."""
        return [each for each in self.verdicts if each.agreed is None and each.labels]
