"""Judges of the library: as defined, and as aligned. They are values: aligning and unaligning give a new judge.

The plain names may be called from any thread, also inside a running event loop; the names with an `a` are their twins
for `await`.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from memalign.alignment import AlignmentModels, AlignmentSettings
from memalign.errors import InputError, SettingsError
from memalign.event_loop import run_and_wait, run_on_private_loop
from memalign.judge import Judge, JudgeField
from memalign.judge_file import SavedJudge, dump, restore, write
from memalign.judge_memory import JudgeMemory
from memalign.memory.episodic import EpisodicMemory
from memalign.memory.state import MemoryState
from memalign.memory.stored_state import StoredState
from memalign.memory.version_diff import diff_of
from memalign.mlflow_feedback import import_mlflow
from memalign.mlflow_names import missing_judge_name
from memalign.mlflow_sessions import conversation_traces, session_fields
from memalign.mlflow_traces import trace_id_of, trace_of
from memalign.models import connect_judge_model
from memalign.records import Episode, Guideline, Json, Lesson, Trace, Verdict
from memalign.trial.call_budget import FixedBudget
from memalign.value_types import ValueType

_log = logging.getLogger("memalign")
_pending_log = logging.getLogger("memalign.pending")
"""A logger of its own, so that a program that shows the report itself can turn it off."""


class LibraryJudge(ABC):
    """A judge that can be called and aligned, each under a plain name and as an awaitable."""

    __slots__ = ()

    if not TYPE_CHECKING:  # type checkers know the names there are

        def __getattr__(self, name: str) -> Any:
            """Refuse a name that only MLflow's judges have, and tell what takes its place."""
            raise AttributeError(missing_judge_name(type(self).__name__, name), name=name, obj=self)

    @property
    @abstractmethod
    def definition(self) -> "AlignableJudge":
        """The judge as it was defined, without what it has learned."""

    @property
    def feedback_value_type(self) -> Any:
        """The Python type of the labels: bool, int, float or str; of categories, their `Literal`."""
        return self.definition.value_type.python_type

    @property
    def is_session_level_scorer(self) -> bool:
        """True if it judges whole conversations, as MLflow calls it."""
        return "conversation" in self.definition.fields

    def get_input_fields(self) -> list[JudgeField]:
        """List what the judge looks at.

        Returns:
            A field for each template variable, in template order.
        """
        return [JudgeField(name=name, description=f"The trace's {name}.") for name in self.definition.fields]

    def align(self, traces: Sequence[object], optimizer: AlignmentModels | None = None) -> "AlignedJudge":
        """Learn from people's assessments. This judge stays as it is.

        Only assessments by people (HUMAN) with the judge's name count, each person's newest one on a trace; the
        majority is the trace's label. What was learned before and has not changed costs nothing.

        Args:
            traces: `memalign.Trace` or `mlflow.entities.Trace` objects with assessments. Of a trace given twice the
                last one counts; one that was learned before and has no assessment left is taken back. For a judge of
                conversations those of MLflow's that are of one session are one conversation.
            optimizer: A `MemAlignOptimizer`. None: the one this judge was aligned with, or one with its defaults.

        Returns:
            A new judge. Its `report` names what was learned trace by trace, and what has to wait for a model that
            failed; align again to try again.

        Raises:
            InputError: If there are no traces, one is no trace, or none has feedback that can be used.
            SettingsError: If a model cannot be used as the settings say, or the optimizer is not one of ours.
        """
        return run_and_wait(self._align(_listed(traces), _optimizer(optimizer)))

    async def aalign(
        self, traces: Sequence[object], optimizer: AlignmentModels | None = None
    ) -> "AlignedJudge":
        """See `align`, of which this is the awaitable."""
        return await run_on_private_loop(self._align(_listed(traces), _optimizer(optimizer)))

    def __call__(
        self,
        *,
        inputs: Json = None,
        outputs: Json = None,
        expectations: Json = None,
        conversation: Json = None,
        trace: object = None,
        trace_id: str | None = None,
        session: Sequence[object] | None = None,
    ) -> Verdict:
        """Judge one trace.

        It costs one call of the judge's model and, once something is learned, one embedded text.

        Args:
            inputs: The request to the application; any JSON.
            outputs: Its answer; any JSON.
            expectations: The answer that was wanted; any JSON.
            conversation: Earlier and last messages; any JSON.
            trace: A `memalign.Trace` or `mlflow.entities.Trace`, whose parts are used where none of the above is given.
            trace_id: Id of the trace, if known. The episode of that trace (or of `trace`) is not shown to the model.
            session: The traces of one session, whose requests and answers are the conversation where none is given.

        Returns:
            The verdict.

        Raises:
            InputError: If the judge's instructions ask for something that is not given, or the session is none.
            ModelError: If the judge's model fails. An embedding model that fails costs the similar cases only.
            SettingsError: If a model cannot be used as the settings say.
        """
        fields = {"inputs": inputs, "outputs": outputs, "expectations": expectations}
        given = _trace({**fields, "conversation": conversation}, trace, trace_id, session)
        return run_and_wait(self._judge(given))

    async def acall(
        self,
        *,
        inputs: Json = None,
        outputs: Json = None,
        expectations: Json = None,
        conversation: Json = None,
        trace: object = None,
        trace_id: str | None = None,
        session: Sequence[object] | None = None,
    ) -> Verdict:
        """See `__call__`, of which this is the awaitable."""
        fields = {"inputs": inputs, "outputs": outputs, "expectations": expectations}
        given = _trace({**fields, "conversation": conversation}, trace, trace_id, session)
        return await run_on_private_loop(self._judge(given))

    def to_mlflow_scorer(self) -> Any:
        """Make a judge of MLflow's that this judge stands behind, for `mlflow.genai.evaluate(scorers=[…])`.

        Returns:
            A `memalign.mlflow_judge.MemAlignJudge`, which is a scorer, too. Its `align` and `unalign` give new ones.

        Raises:
            SettingsError: If MLflow is not installed.
        """
        return import_mlflow("memalign.mlflow_judge").MemAlignJudge(self)

    @abstractmethod
    async def _align(self, traces: Sequence[object], optimizer: AlignmentModels | None) -> "AlignedJudge":
        """On the private loop."""

    @abstractmethod
    async def _judge(self, trace: Trace) -> Verdict:
        """On the private loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignableJudge(Judge, LibraryJudge):
    """A judge as defined, that has learned nothing yet. Made by `memalign.make_judge`."""

    kind: ClassVar[str] = "instructions"
    """As MLflow calls such judges."""

    @property
    def version(self) -> int:
        """The version of what it has learned: 0, for it has learned nothing."""
        return 0

    @property
    def definition(self) -> "AlignableJudge":
        """The judge itself."""
        return self

    async def _align(self, traces: Sequence[object], optimizer: AlignmentModels | None) -> "AlignedJudge":
        chosen = optimizer or AlignmentModels(AlignmentSettings())
        state = MemoryState.empty(
            self.name, binary=self.value_type.binary, policy=chosen.settings.policy_for(self)
        )
        return await _aligned(self, state, traces, chosen)

    async def _judge(self, trace: Trace) -> Verdict:
        state = MemoryState.empty(self.name, binary=self.value_type.binary)
        # with nothing learned there is nothing to look up, so that these models are never asked
        unused = AlignmentModels(
            AlignmentSettings(reflection_lm="local:/extract", embedding_model="local:/wordllama")
        )
        memory = await asyncio.to_thread(_memory, self, state, unused)
        return await memory.judge(trace)


class AlignedJudge(LibraryJudge):
    """A judge with what it has learned. Never changes. Made by `align`, `unalign` and `memalign.load_judge`.

    Args:
        base: The judge as it was defined.
        state: What it has learned.
        optimizer: The models it was aligned with.
        report: What the last `align` or `unalign` did.
    """

    kind = "memory_augmented"
    """As MLflow calls such judges."""

    def __init__(
        self, base: AlignableJudge, state: MemoryState, optimizer: AlignmentModels, report: Lesson
    ) -> None:
        self.base = base
        self.optimizer = optimizer
        self.report = report
        self._state = state
        self._memory = _memory(base, state, optimizer)

    def __repr__(self) -> str:
        return (
            f"AlignedJudge(name={self.name!r}, model={self.model!r}, episodes={len(self.episodes)}, "
            f"guidelines={len(self.guidelines)})"
        )

    def __reduce__(self) -> tuple[object, ...]:
        """Return what a copy or a pickle is made from: the document of the judge's file, and the last report."""
        return _restored, (self.base, self.optimizer, dump(self._saved()), self.report)

    @property
    def definition(self) -> AlignableJudge:
        """The judge as it was defined; `base`."""
        return self.base

    @property
    def name(self) -> str:
        """The judge's name."""
        return self.base.name

    @property
    def version(self) -> int:
        """The version of what it has learned: it grows with each `align` and `unalign` that changes something."""
        return self._state.number

    @property
    def description(self) -> str:
        """The criterion in a few words; empty where none was given."""
        return self.base.description

    @property
    def model(self) -> str:
        """The model that judges, as `provider:/name`."""
        return self.base.model

    @property
    def value_type(self) -> ValueType:
        """The labels that it may give."""
        return self.base.value_type

    @property
    def fields(self) -> tuple[str, ...]:
        """The template variables used, in template order."""
        return self.base.fields

    @property
    def instructions(self) -> str:
        """The instructions as defined, then the guidelines in use."""
        rules = self.guidelines_in_use
        if not rules:
            return self.base.instructions
        lines = "\n".join(f"- {' '.join(rule.text.split())}" for rule in rules)
        return f"{self.base.instructions}\n\nDistilled Guidelines ({len(rules)}):\n{lines}"

    @property
    def guidelines(self) -> tuple[Guideline, ...]:
        """All guidelines, those waiting or overruled included."""
        return self._state.semantic.guidelines

    @property
    def guidelines_in_use(self) -> tuple[Guideline, ...]:
        """The guidelines that count for verdicts."""
        return tuple(self._state.semantic.in_use)

    @property
    def episodes(self) -> Mapping[str, Episode]:
        """The labelled cases by trace id, in order of learning."""
        return self._state.episodes

    @property
    def pending(self) -> Mapping[str, str]:
        """Trace id -> why something of it waits for a model; the next `align` tries again."""
        return self._memory.pending

    def unalign(self, traces: Sequence[object]) -> "AlignedJudge":
        """Forget what was learned from some traces. This judge stays as it is.

        Guidelines that rest on these traces alone go. Those with other sources are distilled again from these, at the
        cost of one call of the reflection model, if there are any.

        Args:
            traces: Traces, or their ids; unknown ones are passed over.

        Returns:
            A new judge; this one when nothing was learned from any of the traces.

        Raises:
            InputError: If something is neither a trace nor an id.
        """
        return run_and_wait(self._unalign(_listed(traces)))

    async def aunalign(self, traces: Sequence[object]) -> "AlignedJudge":
        """See `unalign`, of which this is the awaitable."""
        return await run_on_private_loop(self._unalign(_listed(traces)))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the judge with all it knows, vectors included, as one JSON file, whole or not at all.

        Header values may be secrets: those that are not read from the environment are left out, with a warning.

        Args:
            path: The file; one that is there is replaced. Its folder must exist.

        Raises:
            InputError: If the file cannot be written.
        """
        settings = self.optimizer.settings
        for model, each in [(self.model, self.base.model_options), *settings.model_options.items()]:
            if each.literal_headers:
                _log.warning(
                    "Headers of %s are not saved (%s); write their values as env:NAME, or give them to load_judge.",
                    model,
                    ", ".join(each.literal_headers),
                )
        write(Path(path), self._saved())

    def _saved(self) -> SavedJudge:
        return SavedJudge(judge=self.base, settings=self.optimizer.settings, state=self._state)

    async def _align(self, traces: Sequence[object], optimizer: AlignmentModels | None) -> "AlignedJudge":
        chosen = optimizer or self.optimizer
        return await _aligned(self.base, self._state_for(chosen.settings), traces, chosen)

    def _state_for(self, settings: AlignmentSettings) -> MemoryState:
        """Return the state by other settings, without its vectors when another model will embed from now on."""
        known, policy = self.optimizer.settings, settings.policy_for(self.base)
        state = self._state
        if policy != state.policy:
            state = replace(state, policy=policy).next(state.episodic, state.semantic, state.undistilled)
        if (known.embedding_model, known.embedding_dim) == (settings.embedding_model, settings.embedding_dim):
            return state
        semantic = replace(state.semantic, vectors={})
        return state.next(EpisodicMemory(self.episodes), semantic, state.undistilled)

    async def _unalign(self, traces: Sequence[object]) -> "AlignedJudge":
        trace_ids = [trace_id_of(trace) for trace in traces]
        if not any(trace_id in self.episodes for trace_id in trace_ids):
            _log.warning("Nothing was learned from the traces to unalign, so nothing changes.")
            return self
        memory = _memory(self.base, self._state, self.optimizer)
        forgotten = await memory.distil_again(await memory.forget(trace_ids))
        report = Lesson(
            pending=dict(memory.pending),
            added=forgotten.distilled,
            retired=forgotten.retired,
            retracted=forgotten.trace_ids,
            usage=forgotten.usage,
        )
        return AlignedJudge(self.base, _numbered(self._state, memory.state), self.optimizer, report)

    async def _judge(self, trace: Trace) -> Verdict:
        return await self._memory.judge(trace)


def judge_of_state(
    base: AlignableJudge, state: MemoryState, optimizer: AlignmentModels, report: Lesson
) -> AlignedJudge:
    """Make a judge of what was saved, whose optimizer knows the vectors of its cases.

    Args:
        base: The judge as it was defined.
        state: What it had learned.
        optimizer: The models it was aligned with.
        report: What its last `align` or `unalign` did.

    Returns:
        The judge.
    """
    rows = state.episodic.vectors
    episodes = state.episodes.items()
    outdated = state.episodic.outdated
    optimizer.vectors.prime(
        {
            episode.case_text: rows[trace_id]
            for trace_id, episode in episodes
            if trace_id in rows and trace_id not in outdated
        }
    )
    return AlignedJudge(base, state, optimizer, report)


def _restored(
    base: AlignableJudge, optimizer: AlignmentModels, document: Mapping[str, Json], report: Lesson
) -> AlignedJudge:
    return judge_of_state(base, restore(document).state, optimizer, report)


def _memory(base: AlignableJudge, state: MemoryState, optimizer: AlignmentModels) -> JudgeMemory:
    return JudgeMemory(
        base,
        StoredState(state, optimizer.vectors),
        judge_model=connect_judge_model(base.model, base.model_options),
        distiller=optimizer.distiller,
        comparer=optimizer.comparer,
        retrieval_k=optimizer.settings.retrieval_k,
        guideline_tokens=optimizer.settings.guideline_tokens,
        min_similarity=optimizer.settings.min_similarity,
    )


async def _aligned(
    base: AlignableJudge, state: MemoryState, traces: Sequence[object], optimizer: AlignmentModels
) -> AlignedJudge:
    if not traces:
        raise InputError(
            "No traces were given to align with; give at least one with people's feedback on it."
        )
    # connecting may import a provider's package, which takes its time
    memory = await asyncio.to_thread(_memory, base, state, optimizer)
    report = await memory.learn(
        conversation_traces(traces) if base.is_session_level_scorer else map(trace_of, traces)
    )
    if report.rejected and not (report.learned or report.unchanged or report.pending):
        raise InputError(f"None of the {len(traces)} traces can be learned from: {_first(report.rejected)}")
    if report.pending:
        _pending_log.warning("%d traces wait to be learned: %s", len(report.pending), _first(report.pending))
    if memory.trials.due:
        report = await _tried(memory, report, optimizer.settings.trial_calls)
    return AlignedJudge(base, _numbered(state, memory.state), optimizer, report)


def _numbered(before: MemoryState, after: MemoryState) -> MemoryState:
    """Return a state with its version, which is the next one if anything was learned or forgotten."""
    difference = diff_of(
        guidelines_before=before.semantic.guidelines,
        guidelines_after=after.semantic.guidelines,
        episodes_before=before.episodes,
        episodes_after=after.episodes,
    )
    return replace(after, number=before.number if difference.is_empty else before.number + 1)


async def _tried(memory: JudgeMemory, report: Lesson, calls: int) -> Lesson:
    """Try the new guidelines; returns the report with what came of it."""
    trials = await memory.trials.run(FixedBudget(calls))
    if trials.left:
        _pending_log.warning(
            "%d guidelines wait to be tried, and are not used yet: %s", len(trials.left), _first(trials.left)
        )
    return replace(
        report,
        added=(*report.added, *(rule for rule in trials.settled if rule.in_use)),
        tried=tuple(rule for rule in trials.settled if rule.trial is not None),
        usage=report.usage + trials.usage,
    )


def _trace(
    fields: Mapping[str, Json], trace: object, trace_id: str | None, session: Sequence[object] | None
) -> Trace:
    """Return the trace to judge: the fields that are given, then those of the session, then the parts of the trace."""
    whole = Trace(trace_id="") if trace is None else trace_of(trace)
    sources = ({} if session is None else session_fields(session), fields)
    present = {name: value for source in sources for name, value in source.items() if value is not None}
    return replace(whole, trace_id=trace_id or whole.trace_id, **present)


def _listed(traces: object) -> list[object]:
    """Return the traces as a list. An optimizer in their place is told: early versions of MLflow took it first."""
    if not isinstance(traces, Iterable) or isinstance(traces, str | Mapping):
        raise InputError(
            f"A list of traces was expected, not {type(traces).__name__}; call align(traces, optimizer)."
        )
    return list(traces)


def _optimizer(optimizer: object) -> AlignmentModels | None:
    if optimizer is None or isinstance(optimizer, AlignmentModels):
        return optimizer
    raise SettingsError(
        f"The optimizer is a {type(optimizer).__module__.partition('.')[0]} {type(optimizer).__name__}; "
        "give a `memalign.MemAlignOptimizer`, which takes the arguments of MLflow's."
    )


def _first(reasons: Mapping[str, str]) -> str:
    return next(iter(reasons.values()))
