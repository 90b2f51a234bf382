"""Ports of the core: models and stores, each a narrow group of methods."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from memalign.records import (
    NOTHING_LEFT_OUT,
    Episode,
    Evidence,
    ForgetTarget,
    Guideline,
    Json,
    Label,
    LeftOut,
    OpinionKey,
    RefusedRule,
    RetrievedEpisode,
    RolledBackCase,
    Source,
    Usage,
    VersionKind,
)
from memalign.value_types import ValueType

Vector = NDArray[np.float32]
"""One embedded text: shape (dimension,), of Euclidean length 1 unless said otherwise."""

Matrix = NDArray[np.float32]
"""Embeddings texts: shape (texts, dimension), one row a text in the order of the texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """The vectors of some texts, and their cost."""

    vectors: Matrix
    """Shape (texts, dimension), rows in the order of the texts, of any length above 0."""
    usage: Usage


class Embedder(Protocol):
    """A text embedding model."""

    @property
    def name(self) -> str:
        """The model as `provider:/name`. Together with the dimension it names the space of the vectors."""

    @property
    def dimension(self) -> int:
        """The length of a vector: how many numbers it has."""

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Embed texts.

        Args:
            texts: At least one; none is empty. At most 256, of about 100,000 tokens together.

        Returns:
            Vectors, rows in the order of the texts.

        Raises:
            ModelError: If the model fails; `RequestRefusedError` where other, fewer texts may pass.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt in the order that suits a provider's prompt cache: the stable part first."""

    stable: str
    """The same for every call until something is learned; the provider may cache it."""
    changing: str
    """The part that belongs to this call only."""
    answer_tokens: int = 4_000
    """Most tokens of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRoom:
    """The room that a model's context has for a prompt and its answer."""

    prompt_tokens: int
    """By `memalign.tokens.count_tokens`; what the model's own tokenizer counts in excess is allowed for."""
    answer_tokens: int
    """By the model's own tokenizer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A language model's answer, parsed from JSON.

    Of what the schema asked for, a verdict may lack its rationale, and its lists may have any form.
    """

    answer: Mapping[str, Json]
    usage: Usage


class LanguageModel(Protocol):
    """A model that completes prompts with JSON."""

    @property
    def name(self) -> str:
        """The model as `provider:/name`."""

    async def prompt_room(self, answer_tokens: int) -> PromptRoom:
        """Find out how long a prompt may be; the model's server may be asked for it, once.

        Args:
            answer_tokens: Tokens wanted for the answer, where the model's options set no others.

        Returns:
            The room. It is smaller after a `PromptTooLongError` than before.
        """

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        """Complete a prompt with a JSON object.

        Args:
            prompt: The prompt.
            schema: JSON schema of the object.

        Returns:
            An object with all that the schema requires, and the cost.

        Raises:
            PromptTooLongError: If the prompt is too long; `prompt_room` is smaller from then on.
            ModelError: If the model fails otherwise; `RequestRefusedError` or `MalformedAnswerError` where another
                prompt may pass.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeResponse:
    """A judge model's value, with its reason."""

    value: Label
    rationale: str
    usage: Usage = field(default_factory=Usage)
    guideline_ids: tuple[str, ...] = ()
    """Guidelines that led the model, by its own word."""
    shown_guideline_ids: tuple[str, ...] = ()
    """Guidelines that the model was shown."""
    cited_trace_ids: tuple[str, ...] = ()
    """Traces of the cases that led the model, by its own word."""
    retrieved_trace_ids: tuple[str, ...] | None = None
    """Traces of the cases that decided; None: those that were retrieved."""
    left_out: LeftOut = NOTHING_LEFT_OUT
    """The part of the evidence and of the record that the model was not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRequest:
    """A request to a judge model: the criterion, the trace's fields, and the evidence."""

    judge: str
    instructions: str
    value_type: ValueType
    fields: Mapping[str, Json]
    """Values by template variable."""
    trace_id: str | None
    """None where the caller gave none."""
    evidence: Evidence
    episodes: Collection[Episode]
    """All labelled cases of the judge, without the trace's own; empty for a model that reads guidelines."""
    version: int
    """Version of the judge's memory; a model that was fitted to it is good until the next one."""
    rationale_first: bool = True
    """True if the model gives the reason before the value."""


class JudgeModel(Protocol):
    """A model that judges: a language model with a prompt, or a statistical one fitted to the episodes."""

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        """Judge one trace.

        Args:
            request: Criterion, fields and evidence.

        Returns:
            A value of the request's value type, with its reason.

        Raises:
            ModelError: If the model fails.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class OverruledVerdict:
    """The judge's verdict on a case where people's label is another one."""

    value: Label
    rationale: str = ""
    """The judge's reason; empty where it is not known any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledRationale:
    """One person's rationale with the labelled case it is about: material to distil from, and what helps to read it."""

    source: Source
    label: Label
    fields: Mapping[str, Json]
    overruled: OverruledVerdict | None = None
    """None where the judge agreed, or its verdict is not known."""
    neighbours: tuple[RetrievedEpisode, ...] = ()
    """Cases most like this one whose reasons were distilled before, best first: context, never a source."""

    @property
    def without_context(self) -> "LabelledRationale":
        """The person's own words and their case alone; of the verdict its value."""
        overruled = None if self.overruled is None else OverruledVerdict(value=self.overruled.value)
        return replace(self, overruled=overruled, neighbours=())


def opinions_read(rationales: Iterable[LabelledRationale]) -> tuple[OpinionKey, ...]:
    """Name the opinions that a distiller reads.

    Args:
        rationales: What it is asked about.

    Returns:
        Theirs, and those of the cases shown as context; each once.
    """
    own, shown = [], []
    for each in rationales:
        own.append(each.source.key)
        shown += [
            (case.episode.trace_id, opinion.person)
            for case in each.neighbours
            for opinion in case.episode.opinions
        ]
    return tuple(dict.fromkeys((*own, *shown)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A rule proposed by a distiller, with the rationales it rests on."""

    text: str
    sources: tuple[Source, ...]
    labels: tuple[Label, ...]
    """The label of each source's case, in the same order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distillation:
    """The outcome of distilling some rationales."""

    drafts: tuple[Draft, ...] = ()
    supports: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    """Id of a known guideline -> rationales that merely confirm it."""
    contradicts: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    """Id of a known guideline -> rationales that say the opposite of it."""
    conflicts: Sequence[tuple[str, str]] = ()
    """Pairs of a draft's text and the id of a known guideline that says the opposite."""
    same: Sequence[tuple[str, ...]] = ()
    """Groups of ids of known guidelines that say the same in other words."""
    prompted_by: Mapping[tuple[str, ...], tuple[OpinionKey, ...]] = field(default_factory=dict)
    """By group of `same`, the opinions that were in front of the model; of others, all that were distilled."""
    refused: tuple[RefusedRule, ...] = ()
    """Sentences that are no rules."""
    dropped: int = 0
    """Drafts that only repeat the prompt, and are left out."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Trace id -> why its rationales could not be distilled."""
    declined: frozenset[str] = frozenset()
    """Traces in `failed` of which the model refused a rationale for what it says, while it answered others."""
    retry_after: float = 0.0
    """Seconds after which the model's service asks to be called again."""
    batches: int = 1
    """Batches of rationales that were distilled at once, none of which sees the rules of another."""
    usage: Usage = field(default_factory=Usage)


def combine(parts: Sequence[Distillation]) -> Distillation:
    """Unite distillations.

    Args:
        parts: Of different rationales, with the same known guidelines.

    Returns:
        All that is in them, in their order.
    """
    groups = dict.fromkeys(tuple(group) for part in parts for group in part.same)
    return Distillation(
        drafts=tuple(draft for part in parts for draft in part.drafts),
        supports=_united([part.supports for part in parts]),
        contradicts=_united([part.contradicts for part in parts]),
        conflicts=tuple(pair for part in parts for pair in part.conflicts),
        same=tuple(groups),
        prompted_by={group: _prompting(group, parts) for group in groups},
        refused=tuple(each for part in parts for each in part.refused),
        dropped=sum(part.dropped for part in parts),
        failed={trace_id: why for part in parts for trace_id, why in part.failed.items()},
        declined=frozenset[str]().union(*(part.declined for part in parts)),
        retry_after=max((part.retry_after for part in parts), default=0.0),
        batches=max((part.batches for part in parts), default=1),
        usage=sum((part.usage for part in parts), Usage()),
    )


def _united(parts: Iterable[Mapping[str, tuple[Source, ...]]]) -> dict[str, tuple[Source, ...]]:
    united: dict[str, tuple[Source, ...]] = {}
    for part in parts:
        for rule_id, sources in part.items():
            united[rule_id] = (*united.get(rule_id, ()), *sources)
    return united


def _prompting(group: tuple[str, ...], parts: Iterable[Distillation]) -> tuple[OpinionKey, ...]:
    """Return the opinions in front of the model where it first took the group for the same."""
    return next((part.prompted_by[group] for part in parts if group in part.prompted_by), ())


class Distiller(Protocol):
    """A model that makes rules of rationales."""

    async def distil(
        self, instructions: str, rationales: Sequence[LabelledRationale], known: Sequence[Guideline]
    ) -> Distillation:
        """Distil rationales, given what is known already.

        Args:
            instructions: The judge's.
            rationales: What to distil.
            known: Guidelines in use.

        Returns:
            Drafts, and how the rationales stand to the known guidelines. A failed batch is reported in it.

        Raises:
            ModelError: If nothing can be distilled at all.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorKey:
    """Name of a vector: what made it, of which text."""

    model: str
    dimension: int
    digest: str
    """SHA-256 of the text, hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySnapshot:
    """One judge's whole memory as it is stored."""

    episodes: Mapping[str, Episode] = field(default_factory=dict)
    """By trace id, in order of learning."""
    guidelines: tuple[Guideline, ...] = ()
    undistilled: frozenset[str] = frozenset()
    """Traces whose episode is in, but whose rationales have not been distilled yet."""
    version: int = 0
    """Grows by one with each change that is saved; 0: nothing was saved yet."""
    number: int = 0
    """The version in the log that people see; it grows with each change of episodes or guidelines."""
    forget_version: int = 0
    """The `version` that the last forgetting made; 0: nothing was forgotten yet."""
    rolled_back: Mapping[str, RolledBackCase] = field(default_factory=dict)
    """By trace id."""
    first_name: str = ""
    """The name under which the judge began, where that is another one; ids of its guidelines are hashed with it."""


GuidelineAction = Literal["add", "edit", "retire", "restore", "pin", "unpin", "approve", "undo"]
"""A person's decision on a guideline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineDecision:
    """The decision that a change carries out; it holds no words."""

    action: GuidelineAction
    guideline_id: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCause:
    """The cause of a change, for the log of versions; by default somebody's feedback was learned."""

    kind: VersionKind = "lesson"
    people: tuple[str, ...] = ()
    """The people who asked for it; empty: those whose feedback it follows, if any."""
    decision: GuidelineDecision | None = None
    """The decision on a guideline that it carries out, for the audit."""
    forgets: tuple[ForgetTarget, ...] = ()
    """The traces and the person that are forgotten with it: no version holds anything of theirs after it."""
    rollback_to: int | None = None
    """The version that it goes back to."""
    round_id: str = ""
    """The round of learning it is a part of; the parts of one round make one version."""


LEARNING = ChangeCause()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryChange:
    """One indivisible change of a judge's memory."""

    put_episodes: tuple[Episode, ...] = ()
    drop_episodes: frozenset[str] = frozenset()
    put_guidelines: tuple[Guideline, ...] = ()
    drop_guidelines: frozenset[str] = frozenset()
    """Guideline ids."""
    undistilled: frozenset[str] = frozenset()
    """The whole set as it is after the change."""
    from_version: int = 0
    """The version of the stored memory that the change was made from."""
    at_ms: int = 0
    """Time of the change, in milliseconds since 1970."""
    put_rolled_back: tuple[RolledBackCase, ...] = ()
    drop_rolled_back: frozenset[str] = frozenset()
    """Trace ids."""
    cause: ChangeCause = LEARNING


class MemoryStore(Protocol):
    """A store of judges' memories and vectors."""

    async def load(self, judge: str) -> MemorySnapshot:
        """Read all of a judge's memory.

        Args:
            judge: The judge's name.

        Returns:
            The memory; of an unknown judge an empty one.

        Raises:
            StorageError: If the store cannot be read.
        """

    async def load_version(self, judge: str, number: int) -> MemorySnapshot:
        """Read a judge's memory as it was in an earlier version, without what was forgotten since.

        Args:
            judge: The judge's name.
            number: The version in the log, from 0.

        Returns:
            The memory, with `version` as it is now; nothing in it waits to be distilled.

        Raises:
            UnknownVersionError: If there is no such version.
            StorageError: If the store cannot be read.
        """

    async def save(self, judge: str, change: MemoryChange) -> int:
        """Apply a change, all or nothing, before returning; the memory is of the next version then.

        Args:
            judge: The judge's name.
            change: What to put and to drop.

        Returns:
            The newest version in the log.

        Raises:
            StaleMemoryError: If the stored memory is not of the version that the change was made from.
            StorageError: If the store cannot be written; nothing has changed then.
        """

    async def vectors(self, keys: Collection[VectorKey]) -> Mapping[VectorKey, Vector]:
        """Look up vectors.

        Args:
            keys: Names of the vectors.

        Returns:
            Vectors by name, each of shape (dimension,); unknown ones are missing.

        Raises:
            StorageError: If the store cannot be read.
        """

    async def keep_vectors(self, owner: str, vectors: Mapping[VectorKey, Vector]) -> None:
        """Keep vectors until their last owner drops them.

        Args:
            owner: A trace id or a guideline id.
            vectors: By name, each of shape (dimension,).

        Raises:
            StorageError: If the store cannot be written.
        """

    async def drop_vectors(self, owners: Collection[str]) -> None:
        """Delete the vectors that some owners alone had kept.

        Args:
            owners: Trace ids or guideline ids.

        Raises:
            StorageError: If the store cannot be written.
        """
