"""A judge's report to hand on: figures, errors, rules and versions, as its page is given them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.config import SkippedKind
from bot.records import CurvePoint, Digest
from memalign.records import GuidelineTrial, Label
from memalign.value_types import ValueType
from storage.records import SelectionReason

RuleGroup = Literal["used", "doubtful", "waiting", "retired"]
"""In use; to be decided on; not used yet; taken out of use by a person, or by those who taught it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeCard:
    """The judge as the settings have it."""

    name: str
    title: str
    instructions: str
    value_type: ValueType
    model: str
    embedding_model: str
    reflection_model: str
    skipped: Sequence[SkippedKind]
    """Kinds of traces that it leaves out."""
    memory_version: int
    """0 before the first recorded change."""
    cases: int
    """Labelled cases that its memory holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """The verdicts that one model gave."""

    model: str
    """As `provider:/name`; empty where an earlier version of the bot did not note it."""
    verdicts: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """The traces and cards that the figures come from, and how they were chosen."""

    traces: int
    """Traces of all judges that the store knows, be it by a hash."""
    sampled_lately: int
    """Traces sampled for the judge in the last eight days."""
    judged: int
    """Verdicts of the judge."""
    shown: int
    """Those of them that a card shows."""
    blind: int
    """Cards that asked before they showed the verdict."""
    reasons: Mapping[SelectionReason, int]
    """Cards by the largest reason for their choice."""
    lowest_chance: float
    """Smallest chance of being shown among the cards; 1 without cards."""
    highest_chance: float
    """Greatest chance of being shown among the cards; 1 without cards."""
    cards_without_chance: int
    """Cards before the first whose chance of being shown was noted; 0 where none was."""
    near_copies: int
    """Compared verdicts on traces of which the memory held a near copy."""
    models: Sequence[ModelUse]
    """By first use."""
    forgotten_traces: int
    forgotten_people: int
    expired: int
    """Traces of all judges that nobody answered and that were deleted for their age."""
    late: int
    """Verdicts with a vote after the week in which they count."""
    most_by_one: int
    """Votes of the person who gave most."""
    votes: int
    """Votes of all people, 🤷 included."""
    damaged_records: int
    """Records of the store that could not be read for this report."""

    @property
    def has_different_chances(self) -> bool:
        """True if some cards were likelier to be picked than others."""
        return self.lowest_chance < self.highest_chance


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """The settings that the data depend on, as they are now."""

    rate: float
    """Share of the judge's traces that are sampled."""
    max_per_day: int
    """Most cards a day of the judge."""
    max_per_day_of_channel: int
    spread: bool
    blind: float
    max_model_calls_per_day: int
    keep_days: int | None
    is_redacted: bool
    keeps_originals: bool
    min_people: int
    needs_approval: bool
    changes: Sequence[str]
    """A sentence for each setting that is another one than the bot ran with last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCount:
    """Verdicts by the judge's value and people's label."""

    value: Label
    people: Label | None
    """None: people only say that the value is wrong."""
    verdicts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverruledCard:
    """A verdict of which most people say something else."""

    trace_id: str
    question: str
    """First words of what was asked; empty where the trace is gone."""
    judged_at: datetime
    value: Label
    rationale: str
    people_label: Label | None
    """None where nobody named the right value."""
    supporters: int
    """People who hold that label."""
    voters: int
    """People who could tell."""
    link: str | None
    """Address of its card; None where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRule:
    """A guideline with its credit."""

    number: int
    text: str
    """Empty where it waits to be learned again, for its words may be those of what was forgotten."""
    group: RuleGroup
    note: str
    """The reason why it is not simply in use, a sentence; empty where it is."""
    up: int
    """Votes for verdicts that it led to."""
    down: int
    """Votes against them."""
    cases: int
    people: int
    names: Sequence[str]
    """Of these people; none where the settings hide them."""
    since: datetime | None
    led: int
    """Verdicts that it led, by the judge's own word."""
    trial: GuidelineTrial | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportVersion:
    """A change of the memory."""

    number: int
    at: datetime
    cause: str
    changes: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """A return to an earlier version of the memory."""

    at: datetime
    number: int
    to: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChange:
    """A change of the judge's settings after it had learned."""

    at: datetime
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionHistory:
    """The changes of the memory and of the settings."""

    total: int
    """Recorded versions."""
    newest: Sequence[ReportVersion]
    rollbacks: Sequence[Rollback]
    """Newest first, as are the other changes."""
    settings: Sequence[SettingsChange]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeReport:
    """All that a judge's page tells."""

    card: JudgeCard
    made_at: datetime
    program_version: str
    """Of memalign."""
    first_verdict: datetime | None
    """None before the first."""
    last_verdict: datetime | None
    life: Digest
    """Figures of all weeks; `week` is empty. It counts the verdicts that `weeks` count."""
    recent: Digest
    """Figures of the last four weeks, the running one included; `week` is empty."""
    weeks: Sequence[Digest]
    """Those in which cards were posted or answered, oldest first."""
    curve: Sequence[CurvePoint]
    """The weeks in which people gave labels, beside the judge without memory; oldest first."""
    worse_weeks: Sequence[str]
    """ISO weeks in which the judge did worse than with the memory of the week before, beyond chance; oldest first."""
    data: ReportData
    settings: ReportSettings
    labels: Sequence[LabelCount]
    """Sums to `life.n`."""
    overruled: Sequence[OverruledCard]
    """The newest ones that their cards show, newest first; `life.n - life.agreed` there are in all."""
    rules: Sequence[ReportRule]
    history: VersionHistory
