"""Frozen records: what is passed between the rooms. They hold facts and no behaviour beyond reading them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Label = bool | int | float | str
"""A judge's or a person's value for one trace, in the judge's feedback value type."""

Json = Any
"""Whatever JSON can say; inputs and outputs of traces are not ours to shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What one source (a person, a model, code) says of one trace under one name; MLflow's shape."""

    name: str
    value: Label | None
    rationale: str | None = None
    source_type: str = "HUMAN"
    source_id: str = "default"
    assessment_id: str | None = None
    valid: bool = True
    create_time_ms: int | None = None
    last_update_time_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One recorded run of somebody's application."""

    trace_id: str
    inputs: Json = None
    outputs: Json = None
    expectations: Json = None
    conversation: Json = None
    spans: Sequence[Json] = ()
    assessments: Sequence[Assessment] = ()
    judges: tuple[str, ...] = ()
    """Names of the judges meant for it; empty: all."""
    timestamp: str | None = None
    """ISO 8601."""
    url: str | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What model calls cost."""

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    """The part of `input_tokens` that the provider served from its prompt cache."""
    output_tokens: int = 0
    embedding_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """The cost of both."""
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            embedding_tokens=self.embedding_tokens + other.embedding_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLabel:
    """One person's counted side of an episode."""

    person: str
    value: Label
    rationale: str = ""
    time_ms: int = 0
    """Milliseconds since 1970; 0 when the source gave none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One labelled case of one judge: a trace, what it was labelled by whom, and the text it is found by."""

    trace_id: str
    label: Label
    fields: Mapping[str, Json]
    """The template variables that the judge uses, with this trace's values."""
    text: str
    """What is embedded; made by the same function as the text of a query."""
    opinions: tuple[PersonLabel, ...]
    """Those who hold `label`, oldest first; one a person."""
    minority: tuple[PersonLabel, ...] = ()
    """Those outvoted; kept and reported, never taught."""

    @property
    def fingerprint(self) -> tuple[Label, tuple[PersonLabel, ...], tuple[PersonLabel, ...], str]:
        """Equal exactly when there is nothing new to learn from the trace."""
        return (self.label, self.opinions, self.minority, self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Whose word, on which trace, a guideline rests on."""

    trace_id: str
    person: str
    quote: str
    """The rationale, in the person's own words."""
    time_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Guideline:
    """A rule distilled from feedback."""

    id: str
    text: str
    sources: tuple[Source, ...]
    learned_ms: int = 0
    waiting: bool = False
    """True while out of use: it lost a source and has not been distilled again from those that remain.
    Its old text is gone then, since it may hold the lost source's words; a placeholder stands for it."""
    conflicts_with: tuple[str, ...] = ()
    """Ids of guidelines that say the opposite."""
    labels: tuple[Label, ...] = ()
    """The label of each source's case, in the same order; empty when not known."""
    contradicted: tuple[Source, ...] = ()
    """Records whose people say the opposite of it."""
    overruled: bool = False
    """True while out of use: each of its people has said the opposite since."""

    @property
    def in_use(self) -> bool:
        """Whether judges are shown it."""
        return not (self.waiting or self.overruled)

    @property
    def source_trace_ids(self) -> tuple[str, ...]:
        """The traces it rests on, each once, in order."""
        return tuple(dict.fromkeys(source.trace_id for source in self.sources))

    @property
    def people(self) -> tuple[str, ...]:
        """The people it rests on, each once, in order."""
        return tuple(dict.fromkeys(source.person for source in self.sources))


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """An episode found for a query."""

    episode: Episode
    similarity: float
    """Cosine, -1 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a judge's memory holds for one trace: its evidence for the verdict."""

    guidelines: tuple[Guideline, ...] = ()
    """In use and within the prompt budget, best first."""
    left_out: int = 0
    """Guidelines in use that did not fit the budget."""
    retrieved: tuple[Retrieved, ...] = ()
    """The most similar episodes, best first; never the trace's own."""
    note: str | None = None
    """Why there is less than there could be (for instance: the embedding model is down)."""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a judge said of a trace."""

    judge: str
    trace_id: str
    value: Label
    rationale: str
    guideline_ids: tuple[str, ...] = ()
    retrieved_trace_ids: tuple[str, ...] = ()
    similarities: tuple[float, ...] = ()
    """Cosine similarity of each retrieved trace, in the same order."""
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    note: str | None = None


Vote = Literal["up", "down", "unsure"]
"""👍 the judge is right, 👎 the judge is wrong, 🤷 cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What one person says of one verdict."""

    verdict_id: str
    trace_id: str
    judge: str
    person: str
    vote: Vote | None
    value: Label | None
    """The person's own label; None while not known (no vote, cannot tell, a 👎 without the right value)."""
    rationale: str
    time_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What one round of learning did; trace by trace, and guideline by guideline."""

    learned: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    pending: Mapping[str, str] = field(default_factory=dict)
    """Trace id -> why it waits; the next round tries again."""
    rejected: Mapping[str, str] = field(default_factory=dict)
    """Trace id -> why nothing can be learned from it."""
    added: tuple[Guideline, ...] = ()
    supported: tuple[Guideline, ...] = ()
    """Known guidelines that gained a source."""
    retired: tuple[Guideline, ...] = ()
    """Guidelines that lost their last source, or that all their people have turned against."""
    retracted: tuple[str, ...] = ()
    """The learned traces whose feedback was all taken back: their episodes are gone."""
    outvoted: Mapping[str, tuple[PersonLabel, ...]] = field(default_factory=dict)
    """Trace id -> the opinions that lost the vote; kept, never taught."""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceTarget:
    """A trace to be forgotten."""

    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonTarget:
    """A person whose votes and words are to be forgotten."""

    person: str


ForgetTarget = TraceTarget | PersonTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What forgetting takes, or took, out of one judge's memory."""

    trace_ids: tuple[str, ...] = ()
    """Those that were known to the memory."""
    retired: tuple[Guideline, ...] = ()
    """Guidelines that rested on these traces alone: gone."""
    waiting: tuple[Guideline, ...] = ()
    """Guidelines that keep other sources: out of use until distilled again from those."""
    distilled: tuple[Guideline, ...] = ()
    """What the remaining sources were distilled into; empty in a preview or while the model is down."""
    left: tuple[Guideline, ...] = ()
    """Those of `waiting` that could not be distilled again yet; the next round of learning tries."""
    people: tuple[str, ...] = ()
    """Whose words are concerned."""
    usage: Usage = field(default_factory=Usage)
