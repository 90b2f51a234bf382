"""The library face, with the names of MLflow's judge API: make_judge, MemAlignOptimizer, judges that align.

Judges are values: aligning and unaligning give a new judge. The plain names may be called from any thread, also
inside a running event loop; the names with an `a` are their twins for `await`.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from os import PathLike
from pathlib import Path

from memalign.errors import InputError, SettingsError, TemplateError
from memalign.event_loop import elsewhere, run
from memalign.judge import Judge
from memalign.judge_file import SavedJudge, Settings, read, write
from memalign.judge_memory import JudgeMemory
from memalign.memory.embedding_cache import VectorCache
from memalign.memory.episodic import EpisodicMemory
from memalign.memory.state import MemoryState
from memalign.mlflow_traces import trace_id_of, trace_of
from memalign.models import connect_distiller, connect_embedder, connect_judge_model, model_name
from memalign.ports import Distiller, Embedder
from memalign.records import Episode, Guideline, Json, Lesson, Trace, Verdict
from memalign.template import VARIABLES, variables_in
from memalign.value_types import ValueType, value_type_of

DEFAULT_MODEL = "openai:/gpt-5-mini"
DEFAULT_EMBEDDING_MODEL = "openai:/text-embedding-3-small"

_log = logging.getLogger("memalign")


class MemAlignOptimizer:
    """The models and numbers to align with."""

    def __init__(
        self,
        reflection_lm: str = DEFAULT_MODEL,
        retrieval_k: int = 5,
        embedding_model: str = DEFAULT_EMBEDDING_MODEL,
        embedding_dim: int = 512,
    ) -> None:
        """Raises `SettingsError` for a number below 1 or a model that does not exist."""
        numbers: Mapping[str, object] = {"retrieval_k": retrieval_k, "embedding_dim": embedding_dim}
        for name, number in numbers.items():
            if not isinstance(number, int) or isinstance(number, bool) or number < 1:
                raise SettingsError(f"{name} is {number!r}; set a whole number of at least 1.")
        for name in (reflection_lm, embedding_model):
            model_name(name)
        self.settings = Settings(
            reflection_lm=reflection_lm,
            retrieval_k=retrieval_k,
            embedding_model=embedding_model,
            embedding_dim=embedding_dim,
        )

    @cached_property
    def embedder(self) -> Embedder:
        """The embedding model, connected when first used."""
        return connect_embedder(self.settings.embedding_model, self.settings.embedding_dim)

    @cached_property
    def distiller(self) -> Distiller:
        """The reflection model, connected when first used."""
        return connect_distiller(self.settings.reflection_lm)

    @cached_property
    def vectors(self) -> VectorCache:
        """Texts embedded so far."""
        return VectorCache(self.embedder, None)

    def align(self, judge: "LibraryJudge", traces: Sequence[object]) -> "AlignedJudge":
        """Align the judge with what people said of the traces."""
        return judge.align(traces, self)


class LibraryJudge(ABC):
    """What can be called and aligned, each under a plain name and as an awaitable."""

    __slots__ = ()

    def align(self, traces: Sequence[object], optimizer: MemAlignOptimizer | None = None) -> "AlignedJudge":
        """A new judge that has learned from people's assessments of the traces (ours, or MLflow's).

        What could not be learned is in its `report`, trace by trace. Raises `InputError` when there are no traces,
        or none with feedback that can be used.
        """
        return run(self._align(list(traces), optimizer))

    async def aalign(
        self, traces: Sequence[object], optimizer: MemAlignOptimizer | None = None
    ) -> "AlignedJudge":
        """`align`, awaited."""
        return await elsewhere(self._align(list(traces), optimizer))

    def __call__(
        self,
        *,
        inputs: Json = None,
        outputs: Json = None,
        expectations: Json = None,
        conversation: Json = None,
        trace: object = None,
        trace_id: str | None = None,
    ) -> Verdict:
        """Judge; what a `trace` holds is used where nothing else is given.

        With `trace` or `trace_id` that trace's own episode is no evidence. Raises `InputError`, `ModelError`.
        """
        given = {"inputs": inputs, "outputs": outputs, "expectations": expectations}
        return run(self._judge(_asked({**given, "conversation": conversation}, trace, trace_id)))

    async def acall(
        self,
        *,
        inputs: Json = None,
        outputs: Json = None,
        expectations: Json = None,
        conversation: Json = None,
        trace: object = None,
        trace_id: str | None = None,
    ) -> Verdict:
        """Judge, awaited."""
        given = {"inputs": inputs, "outputs": outputs, "expectations": expectations}
        return await elsewhere(self._judge(_asked({**given, "conversation": conversation}, trace, trace_id)))

    @abstractmethod
    async def _align(self, traces: Sequence[object], optimizer: MemAlignOptimizer | None) -> "AlignedJudge":
        """On the private loop."""

    @abstractmethod
    async def _judge(self, trace: Trace) -> Verdict:
        """On the private loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignableJudge(Judge, LibraryJudge):
    """A judge as defined, that has learned nothing yet."""

    async def _align(self, traces: Sequence[object], optimizer: MemAlignOptimizer | None) -> "AlignedJudge":
        state = MemoryState.empty(self.name, binary=self.value_type.binary)
        return await _aligned(self, state, traces, optimizer or MemAlignOptimizer())

    async def _judge(self, trace: Trace) -> Verdict:
        state = MemoryState.empty(self.name, binary=self.value_type.binary)
        # with nothing learned there is nothing to look up, so that these models are never asked
        unused = MemAlignOptimizer(reflection_lm="local:/extract", embedding_model="local:/wordllama")
        memory = await asyncio.to_thread(_memory, self, state, unused)
        return await memory.judge(trace)


class AlignedJudge(LibraryJudge):
    """A judge with what it has learned. Never changes."""

    kind = "memory_augmented"

    def __init__(
        self, base: AlignableJudge, state: MemoryState, optimizer: MemAlignOptimizer, report: Lesson
    ) -> None:
        self.base = base
        """The judge as it was defined."""
        self.optimizer = optimizer
        self.report = report
        """What the last `align` learned, and what it could not."""
        self._state = state
        self._memory = _memory(base, state, optimizer)

    @property
    def name(self) -> str:
        """The judge's name."""
        return self.base.name

    @property
    def model(self) -> str:
        """`provider:/name` of what judges."""
        return self.base.model

    @property
    def value_type(self) -> ValueType:
        """What it may answer."""
        return self.base.value_type

    @property
    def fields(self) -> tuple[str, ...]:
        """The template variables used, in template order."""
        return self.base.fields

    @property
    def instructions(self) -> str:
        """The text as defined, then the guidelines."""
        rules = self._state.semantic.in_use
        if not rules:
            return self.base.instructions
        lines = "\n".join(f"- {' '.join(rule.text.split())}" for rule in rules)
        return f"{self.base.instructions}\n\nDistilled Guidelines ({len(rules)}):\n{lines}"

    @property
    def guidelines(self) -> tuple[Guideline, ...]:
        """The guidelines, those waiting or overruled included."""
        return self._state.semantic.guidelines

    @property
    def episodes(self) -> Mapping[str, Episode]:
        """The labelled cases by trace id, in order of learning."""
        return self._state.episodes

    @property
    def pending(self) -> Mapping[str, str]:
        """Trace id -> why something of it waits; the next `align` tries again."""
        return self._memory.pending

    def unalign(self, traces: Sequence[object]) -> "AlignedJudge":
        """A new judge without what was learned from these traces (or trace ids); itself when nothing was."""
        return run(self._unalign(list(traces)))

    async def aunalign(self, traces: Sequence[object]) -> "AlignedJudge":
        """`unalign`, awaited."""
        return await elsewhere(self._unalign(list(traces)))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the judge, with all it knows, as one JSON file. Raises `InputError` when that is impossible."""
        write(Path(path), SavedJudge(judge=self.base, settings=self.optimizer.settings, state=self._state))

    async def _align(self, traces: Sequence[object], optimizer: MemAlignOptimizer | None) -> "AlignedJudge":
        chosen = optimizer or self.optimizer
        return await _aligned(self.base, self._for(chosen.settings), traces, chosen)

    def _for(self, settings: Settings) -> MemoryState:
        """What was learned; without its vectors when another model will embed from now on."""
        known = self.optimizer.settings
        if (known.embedding_model, known.embedding_dim) == (settings.embedding_model, settings.embedding_dim):
            return self._state
        semantic = replace(self._state.semantic, vectors={})
        return self._state.next(EpisodicMemory(self.episodes), semantic, self._state.undistilled)

    async def _unalign(self, traces: Sequence[object]) -> "AlignedJudge":
        gone = [trace_id_of(trace) for trace in traces]
        if not any(trace_id in self.episodes for trace_id in gone):
            _log.warning("Nothing was learned from any of the %d traces to unalign.", len(gone))
            return self
        memory = _memory(self.base, self._state, self.optimizer)
        forgotten = await memory.distil_again(await memory.forget(gone))
        report = Lesson(
            pending=memory.pending,
            added=forgotten.distilled,
            retired=forgotten.retired,
            retracted=forgotten.trace_ids,
            usage=forgotten.usage,
        )
        return AlignedJudge(self.base, memory.state, self.optimizer, report)

    async def _judge(self, trace: Trace) -> Verdict:
        return await self._memory.judge(trace)


def make_judge(
    name: str,
    instructions: str,
    feedback_value_type: object = str,
    model: str = DEFAULT_MODEL,
) -> AlignableJudge:
    """Define a judge. Raises `SettingsError`; `TemplateError` for a wrong template variable."""
    if not name.strip():
        raise SettingsError("A judge needs a name.")
    try:
        model_name(model)
        value_type = value_type_of(feedback_value_type)
    except SettingsError as error:
        raise SettingsError(f"Judge {name}: {error}") from error
    _check_template(name, instructions)
    return AlignableJudge(name=name, instructions=instructions, value_type=value_type, model=model)


def load_judge(path: str | PathLike[str]) -> AlignedJudge:
    """Read a saved judge, exactly as it was; no model is asked. Raises `InputError`."""
    saved = read(Path(path))
    judge = saved.judge
    base = AlignableJudge(
        name=judge.name, instructions=judge.instructions, value_type=judge.value_type, model=judge.model
    )
    optimizer = MemAlignOptimizer(**asdict(saved.settings))
    rows = saved.state.episodic.vectors
    optimizer.vectors.prime(
        {one.text: rows[name] for name, one in saved.state.episodes.items() if name in rows}
    )
    return AlignedJudge(base, saved.state, optimizer, Lesson())


def _memory(base: AlignableJudge, state: MemoryState, optimizer: MemAlignOptimizer) -> JudgeMemory:
    return JudgeMemory(
        base,
        state,
        vectors=optimizer.vectors,
        decider=connect_judge_model(base.model),
        distiller=optimizer.distiller,
        retrieval_k=optimizer.settings.retrieval_k,
    )


async def _aligned(
    base: AlignableJudge, state: MemoryState, traces: Sequence[object], optimizer: MemAlignOptimizer
) -> AlignedJudge:
    if not traces:
        raise InputError(
            "No traces were given to align with; give at least one with people's feedback on it."
        )
    # connecting may import a provider's package, which takes its time
    memory = await asyncio.to_thread(_memory, base, state, optimizer)
    report = await memory.learn(trace_of(trace) for trace in traces)
    if report.rejected and not (report.learned or report.unchanged or report.pending):
        raise InputError(f"None of the {len(traces)} traces can be learned from: {_first(report.rejected)}")
    if report.pending:
        _log.warning("%d traces wait to be learned: %s", len(report.pending), _first(report.pending))
    return AlignedJudge(base, memory.state, optimizer, report)


def _asked(given: Mapping[str, Json], trace: object, trace_id: str | None) -> Trace:
    whole = Trace(trace_id="") if trace is None else trace_of(trace)
    said = {name: value for name, value in given.items() if value is not None}
    return replace(whole, trace_id=trace_id or whole.trace_id, **said)


def _first(reasons: Mapping[str, str]) -> str:
    return next(iter(reasons.values()))


def _check_template(name: str, instructions: str) -> None:
    used = variables_in(instructions)
    known = ", ".join(f"{{{{ {variable} }}}}" for variable in VARIABLES)
    if not used:
        raise TemplateError(f"The instructions of judge {name} use no template variable; use one of {known}.")
    wrong = [variable for variable in used if variable not in VARIABLES]
    if wrong:
        raise TemplateError(
            f"The instructions of judge {name} use {{{{ {wrong[0]} }}}}, which is no template variable; "
            f"use one of {known}."
        )
