"""Verdicts by the state of a judge's memory as it stands."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from memalign.judge import Judge
from memalign.memory.guideline_handling import wordings_of
from memalign.memory.state import MemoryState
from memalign.ports import JudgeModel, JudgeRequest
from memalign.recall.retrieval import Retrieval, Retriever, supporting_cases
from memalign.records import Episode, Evidence, Json, Trace, Verdict

_log = logging.getLogger("memalign")

Retrieve = Callable[[Trace, Mapping[str, Json]], Awaitable[Retrieval]]
"""Finds the evidence for a trace, given what the judge sees of it."""


class TraceJudge:
    """Judges traces; learns and stores nothing.

    Args:
        judge: The judge.
        current_state: Returns the memory as it stands.
        judge_model: Gives the verdicts.
        retriever: Finds the evidence.
    """

    def __init__(
        self,
        judge: Judge,
        current_state: Callable[[], MemoryState],
        judge_model: JudgeModel,
        retriever: Retriever,
    ) -> None:
        self._judge = judge
        self._current_state = current_state
        self._judge_model = judge_model
        self._retriever = retriever
        self._unfit_of: tuple[int, frozenset[str]] = (-1, frozenset())
        """Version of a state -> the traces whose label is none of the judge's."""

    @property
    def state(self) -> MemoryState:
        """The memory as it stands: a value that never changes."""
        return self._current_state()

    async def retrieve(self, trace: Trace, fields: Mapping[str, Json]) -> Retrieval:
        """Find the evidence for a trace.

        Args:
            trace: The trace. Its own episode is no evidence.
            fields: What the judge sees of it.

        Returns:
            The evidence, at the cost of at most one call of the embedding model.

        Raises:
            StorageError: If stored vectors cannot be read.
        """
        return await self._retriever.retrieve(fields, self._current_state, exclude_trace_id=trace.trace_id)

    async def judge(self, trace: Trace, retrieve: Retrieve | None = None) -> Verdict:
        """Judge a trace.

        Args:
            trace: The trace.
            retrieve: Finds the evidence; by default `retrieve` of this object.

        Returns:
            The verdict, at the cost of one call of the judge model and that of `retrieve`.

        Raises:
            InputError: If the trace lacks what the judge asks for.
            ModelError: If the judge model fails.
            StorageError: If the store fails.
        """
        start = time.perf_counter()
        fields = self._judge.select_fields(trace)
        retrieval = self._without_unfit(await (retrieve or self.retrieve)(trace, fields))
        state = self.state
        response = await self._judge_model.decide(self._request(state, trace, fields, retrieval.evidence))
        retrieved, similarities = supporting_cases(response, retrieval, state)
        verdict = Verdict(
            judge=self._judge.name,
            trace_id=trace.trace_id,
            value=response.value,
            rationale=response.rationale,
            guideline_ids=response.guideline_ids,
            shown_guideline_ids=response.shown_guideline_ids,
            guideline_wordings=wordings_of(
                state.id_namespace, response.shown_guideline_ids, retrieval.evidence.guidelines
            ),
            cited_trace_ids=response.cited_trace_ids,
            retrieved_trace_ids=retrieved,
            similarities=similarities,
            asked_for_evidence=True,
            usage=retrieval.evidence.usage + response.usage,
            seconds=time.perf_counter() - start,
            note=retrieval.evidence.note,
            left_out=replace(
                response.left_out, guidelines=response.left_out.guidelines + retrieval.evidence.left_out
            ),
            model=self._judge.model,
            memory=state.size,
        )
        _log.debug(
            "Judge %s on trace %s: %d guidelines, cases %s, %.3f s, %s",
            verdict.judge,
            verdict.trace_id,
            len(retrieval.evidence.guidelines),
            retrieved,
            verdict.seconds,
            verdict.usage,
        )
        return verdict

    def _request(
        self, state: MemoryState, trace: Trace, fields: Mapping[str, Json], evidence: Evidence
    ) -> JudgeRequest:
        return JudgeRequest(
            judge=self._judge.name,
            instructions=self._judge.instructions,
            value_type=self._judge.value_type,
            fields=fields,
            trace_id=trace.trace_id or None,
            evidence=evidence,
            # a model that reads guidelines is shown the similar cases alone, however many there are
            episodes=() if self._judge.reads_guidelines else self._fitting_episodes(state, trace.trace_id),
            version=state.version,
            rationale_first=self._judge.rationale_first,
        )

    def _without_unfit(self, retrieval: Retrieval) -> Retrieval:
        """Leave out similar cases whose label is none of the judge's: its value type was another one then."""
        accepts = self._judge.value_type.accepts
        fitting = tuple(
            replace(case, copies=tuple(copy for copy in case.copies if accepts(copy.label)))
            for case in retrieval.evidence.retrieved
            if accepts(case.episode.label)
        )
        return replace(retrieval, evidence=replace(retrieval.evidence, retrieved=fitting))

    def _fitting_episodes(self, state: MemoryState, own_trace_id: str) -> list[Episode]:
        unfit = self._unfit(state)
        return [
            episode for name, episode in state.episodes.items() if name != own_trace_id and name not in unfit
        ]

    def _unfit(self, state: MemoryState) -> frozenset[str]:
        """Return the traces whose label is none of the judge's, looked up once in each state."""
        version, unfit = self._unfit_of
        if version != state.version:
            accepts = self._judge.value_type.accepts
            unfit = frozenset(name for name, each in state.episodes.items() if not accepts(each.label))
            self._unfit_of = state.version, unfit
        return unfit
