"""Figures about the bot, its judges and what it forgot, as views and the command line are given them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from memalign.records import (
    ForgetTarget,
    Forgotten,
    Guideline,
    Json,
    Label,
    PersonTarget,
    Trace,
    TraceTarget,
)
from memalign.value_types import ValueType
from storage.records import ShadowKind, StoredVerdict

MIN_VERDICTS_FOR_SHARE = 10
"""Below this number of verdicts, their counts stand alone: a percentage would claim more than they tell."""
MIN_VERDICTS_FOR_KAPPA = 20
"""Below this number of verdicts, chance-corrected agreement says little and is left out."""
NOT_IN_JSON: Mapping[str, bool] = {"json": False}
"""Metadata of a field that `memalign digest --format json` does not print."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeStatus:
    """One judge's memory in numbers."""

    name: str
    title: str
    """The judge as people call it."""
    model: str
    cases: int
    guidelines: int
    waiting: int
    """Guidelines out of use until distilled again."""
    refused_rules: int = 0
    """Sentences, since the start, that were no rules on answers."""
    refused_traces: int = 0
    """Traces that its model refused for good."""
    declined_traces: int = 0
    """Traces whose reasons the reflection model refused for good."""
    is_paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The whole bot in numbers."""

    connected: bool
    traces_waiting: int
    feedback_waiting: int
    posts_waiting: int
    judges: tuple[JudgeStatus, ...]
    troubles: tuple[str, ...]
    """The reasons why something waits, a sentence each."""
    remarks: tuple[str, ...] = ()
    """The ways in which cards are chosen, a sentence each, where they do not simply come with the traces."""
    keep_days: int | None = None
    """Days after which traces that nobody answered are deleted; None: never."""
    model_calls: Mapping[str, int] = field(default_factory=dict)
    """Model calls of today by purpose, as of `storage.model_calls.CallPurpose`."""
    file_problem: str | None = None
    """The reason that the store cannot be written, among the troubles as well; None while it can."""

    @property
    def ready(self) -> bool:
        """True if the bot is connected and able to work."""
        return self.connected and self.file_problem is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverFigures:
    """The events of one receiver outside."""

    name: str
    waiting: int
    results: Mapping[str, int]
    """Since the start: events delivered, attempts failed, and events given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementShare:
    """A share of equal labels with its 95 % interval."""

    agreed: int
    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatedShare:
    """A share of all traces with its 95 % interval, in which each card counts by its chance of being picked."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleVotes:
    """Agreement of single people's labels, on verdicts that several people answered."""

    with_judge: AgreementShare
    among_people: AgreementShare


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentAgreement:
    """Agreement between one judge and people over the last weeks, weighed by the cards' chances of being picked."""

    judge: str
    weeks: int
    """Number of ISO weeks, the running one included."""
    n: int
    """Verdicts on which people had a majority."""
    agreement: float | None
    """The share of agreement; None without verdicts."""
    low: float | None
    """Lower bound of its 95 % interval."""
    high: float | None
    """Upper bound of its 95 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindAgreement:
    """First answers to cards that ask before they show the verdict, beside those to other cards.

    Shares are weighed by the cards' chances of being picked, counts are not.
    """

    n: int
    """Labels given before the verdict was shown."""
    agreed: int
    """Those of them that are the judge's value."""
    agreement: float
    """The unanchored agreement: the share of those."""
    low: float
    """Lower bound of its 95 % interval."""
    high: float
    """Upper bound of its 95 % interval."""
    anchored_n: int
    """First labels given to cards that show the verdict."""
    anchored_agreed: int
    """Those of them that are the judge's value."""
    effect: float | None
    """The anchoring effect: agreement with the verdict in sight minus the unanchored one; None without the former."""
    effect_low: float | None
    """Lower bound of its 95 % interval."""
    effect_high: float | None
    """Upper bound of its 95 % interval."""
    weeks: int = 1
    """Number of weeks that the answers are of: this one, or with those before it where it has too few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryComparison:
    """Verdicts shown beside those of another memory on the same traces; people's label says which are right."""

    n: int
    """Verdicts of which it is known of both whether they are right."""
    right_now: int
    """Right as shown."""
    right_then: int
    """Right with the other memory."""
    fixed: int
    """Right as shown, wrong with the other memory."""
    broken: int
    """Wrong as shown, right with the other memory."""
    p_value: float
    """Two-sided mid-p value of McNemar's test: the chance of such a difference between memories that are as good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowComparison:
    """A comparison with another memory, and its parts."""

    all: MemoryComparison
    new: MemoryComparison
    """On traces unlike any case that was learned."""
    seen_before: MemoryComparison
    """On near copies of learned cases, which are right by copying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worsening:
    """A judge that judges worse than with another memory."""

    judge: str
    title: str
    """The judge as people call it."""
    reference: ShadowKind
    """The other memory."""
    version: int
    """Its version."""
    fixed: int
    """Verdicts that are right, and would have been wrong with the other memory."""
    broken: int
    """Verdicts that are wrong, and would have been right with the other memory."""
    links: tuple[str, ...] = ()
    """Addresses of some cards with broken verdicts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One week of a judge's learning curve."""

    week: str
    """The ISO week, such as `2026-W47`."""
    shown: AgreementShare
    """People's labels equal to the verdicts shown."""
    beside_base: AgreementShare | None = None
    """The same, of those verdicts alone that the judge without memory gave a value beside; None without any."""
    base: AgreementShare | None = None
    """People's labels equal to the value of the judge without memory, on the verdicts of `beside_base`."""
    estimate: EstimatedShare
    """The agreement that the counts of `shown` stand for."""
    base_share: float | None = None
    """Agreement of the judge without memory: `estimate`, less what the memory changed on the verdicts of `base`.

    None without these.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One judge's week. A verdict belongs to the week of its first vote, with the votes of that week's end."""

    judge: str
    week: str
    """The ISO week, such as `2026-W47`."""
    n: int
    """Verdicts on which people had a majority."""
    agreed: int
    """Verdicts on which that majority had the judge's value."""
    agreement: float | None
    """`agreed / n`; None without verdicts."""
    wilson_low: float | None
    """Lower bound of the 95 % Wilson interval of the agreement."""
    wilson_high: float | None
    """Upper bound of the 95 % Wilson interval of the agreement."""
    table: Mapping[str, int] | None
    """Counts of judge's value by people's label; of bool judges only."""
    kappa: float | None
    """Cohen's kappa; None below `MIN_VERDICTS_FOR_KAPPA`, where one side used one class only, and of free texts."""
    ac1: float | None
    """Gwet's AC1; None as for `kappa`."""
    people: int
    """People who answered."""
    guidelines_learned: int
    """Lessons: a guideline worded anew is none."""
    guidelines_retired: int
    """Lessons that nobody holds any more, those that their people turned against included."""
    forgotten: int
    """Traces forgotten."""
    shown: int = 0
    """Cards posted in the week."""
    answered: int = 0
    """Verdicts with a vote: up, down or unsure."""
    unsure: int = 0
    """Answered verdicts of which nobody could tell."""
    split: int = 0
    """Answered verdicts on which people tie."""
    unnamed: int = 0
    """Answered verdicts with a 👎 whose right value nobody named."""
    kappa_low: float | None = None
    """Lower bound of the 95 % interval of kappa; None as for `kappa`."""
    kappa_high: float | None = None
    """Upper bound of the 95 % interval of kappa; None as for `kappa`."""
    weighted_agreement: float | None = None
    """The agreement, weighted by the cards' chances of being shown."""
    weighted_low: float | None = None
    """Lower bound of its 95 % interval."""
    weighted_high: float | None = None
    """Upper bound of its 95 % interval."""
    weighted_kappa: float | None = None
    """Kappa with quadratic weights; of numbers only, None as for `kappa`."""
    mean_absolute_error: float | None = None
    """Mean distance between the numbers of judge and people; of numbers only."""
    late: int = field(default=0, metadata=NOT_IN_JSON)
    """Verdicts of earlier weeks with a vote of this week, which those weeks' figures leave out."""
    is_comparable: bool = field(default=True, metadata=NOT_IN_JSON)
    """False of free texts, of which two that mean the same are hardly ever equal."""
    weighted_kappa_bounds: tuple[float, float] | None = field(default=None, metadata=NOT_IN_JSON)
    """The 95 % interval of the weighted kappa; None as for it."""
    has_scores: bool = field(default=False, metadata=NOT_IN_JSON)
    """True if values are numbers."""
    single_votes: SingleVotes | None = field(default=None, metadata=NOT_IN_JSON)
    """Agreement of single people; None of few verdicts."""
    blind: BlindAgreement | None = field(default=None, metadata=NOT_IN_JSON)
    """Agreement of people who had not seen the verdict; None where no card asked first."""
    against_base: ShadowComparison | None = field(default=None, metadata=NOT_IN_JSON)
    """The judge beside the judge without its memory; None where that was not asked, and of free texts."""
    against_last_week: ShadowComparison | None = field(default=None, metadata=NOT_IN_JSON)
    """The judge beside the judge with the memory that it had when the week of each verdict began; None as before."""

    def as_json(self) -> dict[str, Json]:
        """Return the shape of `memalign digest --format json`."""
        return {each.name: getattr(self, each.name) for each in fields(self) if "json" not in each.metadata}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetResult:
    """The outcome of forgetting a trace or a person, or a preview of it."""

    target: ForgetTarget
    verdicts: int
    """Verdicts on the trace, or those that the person said something of."""
    people: tuple[str, ...]
    """Slack ids of those whose words and votes go."""
    judges: Mapping[str, Forgotten]
    """By judge, what is taken out of its memory."""
    is_partial: bool = False
    """True if there is more, of judges that are left out here."""

    def about(self, judges: Collection[str]) -> "ForgetResult":
        """Return what is told to somebody who may see these judges only."""
        told = {name: part for name, part in self.judges.items() if name in judges}
        hidden = (part for name, part in self.judges.items() if name not in judges)
        is_partial = any(part.trace_ids or part.retired or part.waiting for part in hidden)
        return replace(self, judges=told, is_partial=self.is_partial or is_partial)

    @property
    def trace_ids(self) -> set[str]:
        """The trace to be forgotten, or those whose cases the person had a part in."""
        if isinstance(self.target, TraceTarget):
            return {self.target.trace_id}
        return {trace_id for part in self.judges.values() for trace_id in part.trace_ids}

    @property
    def is_empty(self) -> bool:
        """True for a person of whom there is nothing."""
        parts = self.judges.values()
        nothing = (
            not self.verdicts
            and not self.is_partial
            and not any(part.trace_ids or part.retired for part in parts)
        )
        return isinstance(self.target, PersonTarget) and nothing

    @property
    def cases(self) -> int:
        """Cases that memories hold, over all judges."""
        return sum(len(part.trace_ids) for part in self.judges.values())

    @property
    def retired(self) -> int:
        """Guidelines that rest on nothing else."""
        return sum(len(part.retired) for part in self.judges.values())

    @property
    def waiting(self) -> int:
        """Guidelines that rest on others, too."""
        return sum(len(part.waiting) for part in self.judges.values())

    @property
    def left(self) -> int:
        """Those of the waiting guidelines that were not distilled again yet."""
        return sum(len(part.left) for part in self.judges.values())

    @property
    def distilled(self) -> list[str]:
        """The texts that the waiting guidelines were distilled into."""
        return [rule.text for part in self.judges.values() for rule in part.distilled]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnVote:
    """One person's vote and reason on one verdict."""

    stored: StoredVerdict
    trace: Trace | None
    """None where it was not read, or is gone."""
    vote: str | None
    """`up`, `down` or `unsure`; None for a reason without a vote."""
    value: Label | None
    rationale: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRecord:
    """All that is held about one person."""

    votes: tuple[OwnVote, ...]
    """Newest first."""
    rules: tuple[tuple[str, Guideline], ...]
    """The guidelines that rest on the person, each with its judge's title."""
    is_muted: bool
    hidden: int = 0
    """Cards with votes or words of the person in channels where they are no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastForgetting:
    """A trace or a person's words that were forgotten."""

    at: datetime
    by: str | None
    """The name of who asked for it; None for somebody at the terminal."""
    trace_ids: tuple[str, ...]
    people: tuple[str, ...]
    """The names of those whose words went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeJudge:
    """One judge on the Home tab."""

    name: str
    cases: int
    guidelines: int
    agreed: int
    """Verdicts of this week on which people and the judge agree."""
    n: int
    """Verdicts of this week on which people had a majority."""
    is_paused: bool
    rules: Sequence[Guideline] = ()
    """Its guidelines as they are now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCard:
    """A card without a person's vote."""

    stored: StoredVerdict
    title: str
    """Title of its judge."""
    value_type: ValueType
    """Of its judge."""
    trace: Trace
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """The Home tab of one person: what concerns the judges of their channels."""

    judges: tuple[HomeJudge, ...]
    open_cards: tuple[OpenCard, ...]
    record: OwnRecord
    is_well: bool
    """True if the bot is connected and has no trouble to tell of."""
    keep_days: int | None
    read_at: datetime
