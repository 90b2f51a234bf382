"""What the core asks of others, one narrow group of methods each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from memalign.records import Episode, Evidence, Guideline, Json, Label, Source, Usage
from memalign.value_types import ValueType

Vector = NDArray[np.float32]
"""One embedded text: shape (dimension,), of Euclidean length 1 unless said otherwise."""

Matrix = NDArray[np.float32]
"""Embedded texts: shape (texts, dimension), one row a text in the order of the texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """Vectors, in the order of the texts, and what they cost."""

    vectors: Matrix
    usage: Usage


class Embedder(Protocol):
    """A text embedding model."""

    @property
    def name(self) -> str:
        """`provider:/name`."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed the texts (none is empty). Raises `ModelError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt in the order that suits a provider's prompt cache: what never changes first."""

    stable: str
    """The same for every call until something is learned; the provider may cache it."""
    changing: str
    """What belongs to this call only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A language model's answer, parsed from JSON and valid against the schema asked for."""

    answer: Mapping[str, Json]
    usage: Usage


class LanguageModel(Protocol):
    """A model that completes prompts with JSON."""

    @property
    def name(self) -> str:
        """`provider:/name`."""

    @property
    def context_tokens(self) -> int:
        """How many tokens a prompt and its answer may have together."""

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        """Answer with an object that satisfies the JSON schema. Raises `ModelError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeResponse:
    """A value with its reason."""

    value: Label
    rationale: str
    usage: Usage = field(default_factory=Usage)
    guideline_ids: tuple[str, ...] = ()
    """The guidelines that were in front of whoever decided."""
    retrieved_trace_ids: tuple[str, ...] | None = None
    """The cases that decided, when they are others than those retrieved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRequest:
    """What is asked of a decider: the criterion, the trace's fields, and the evidence."""

    judge: str
    instructions: str
    value_type: ValueType
    fields: Mapping[str, Json]
    trace_id: str | None
    recollection: Evidence
    episodes: Collection[Episode]
    """All labelled cases of the judge but the trace's own."""
    version: int
    """Grows with every change of the judge's memory: what was fitted to a version is good until the next."""


class JudgeModel(Protocol):
    """Answers a judge's question: a language model with a prompt, or a model fitted to the episodes."""

    async def decide(self, question: JudgeRequest) -> JudgeResponse:
        """Give the value and the reason. Raises `ModelError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One person's labelled case with a reason, as material to distil from."""

    source: Source
    label: Label
    fields: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A rule proposed by a distiller, with the records it rests on."""

    text: str
    sources: tuple[Source, ...]
    labels: tuple[Label, ...]
    """The label of each source's record, in the same order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distilled:
    """What a distiller made of some records."""

    drafts: tuple[Draft, ...] = ()
    supports: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    """Id of a known guideline -> records that merely confirm it."""
    contradicts: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    """Id of a known guideline -> records that say the opposite of it."""
    conflicts: Sequence[tuple[str, str]] = ()
    """(text of a draft, id of the known guideline that says the opposite)."""
    same: Sequence[tuple[str, ...]] = ()
    """Ids of known guidelines that say the same in other words."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Trace id -> why its records could not be distilled."""
    usage: Usage = field(default_factory=Usage)


class Distiller(Protocol):
    """Makes rules of rationales."""

    async def distil(
        self, instructions: str, records: Sequence[Record], known: Sequence[Guideline]
    ) -> Distilled:
        """Distil the records, given what is known already. A failed batch is reported, not raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorKey:
    """Names a vector by what made it."""

    model: str
    dimension: int
    digest: str
    """SHA-256 of the text, hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySnapshot:
    """All of one judge's memory as stored."""

    episodes: Mapping[str, Episode] = field(default_factory=dict)
    """By trace id, in order of learning."""
    guidelines: tuple[Guideline, ...] = ()
    undistilled: frozenset[str] = frozenset()
    """Traces whose episode is in, but whose rationales have not been distilled yet."""
    version: int = 0
    """Grows by one with each change that is saved; 0: nothing was saved yet."""


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
    """When it was made, in milliseconds since 1970."""


class MemoryStore(Protocol):
    """Keeps judges' memories and vectors."""

    async def load(self, judge: str) -> MemorySnapshot:
        """Read all of a judge's memory; an unknown judge's is empty. Raises `StorageError`."""

    async def save(self, judge: str, change: MemoryChange) -> None:
        """Apply the change, all or nothing, before returning; the memory's version is the next one then.

        Raises `StaleMemoryError` when the stored memory is not of the version that the change was made from, and
        `StorageError`.
        """

    async def vectors(self, keys: Collection[VectorKey]) -> Mapping[VectorKey, Vector]:
        """Look up vectors (each of shape (dimension,)); unknown keys are missing from the answer."""

    async def keep_vectors(self, owner: str, vectors: Mapping[VectorKey, Vector]) -> None:
        """Keep vectors until their last owner (a trace id, or a guideline id) drops them."""

    async def drop_vectors(self, owners: Collection[str]) -> None:
        """Erase what these owners alone had kept."""
