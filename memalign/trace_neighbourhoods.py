"""Traces beside a judge's labelled cases: how near the nearest is, and what people said on those most similar."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from memalign.embedded_text import text_of
from memalign.errors import InputError
from memalign.judge import Judge
from memalign.memory.case_similarity import DEFAULT_MIN_SIMILARITY, NEAR_COPY_COSINE
from memalign.memory.stored_state import StoredState
from memalign.ports import JudgeModel, JudgeRequest, Vector
from memalign.records import CaseText, Evidence, Label, Trace

MAX_NEIGHBOURS = 5
"""Cases whose labels are counted; as many as are shown to a judge by default."""
MIN_CASES_FOR_OPINION = 20
"""Labelled cases from which on a model fitted to them is worth asking. Set by hand: below it such a model is little
better than the majority's label (tests/bench/local_models.py)."""

MAX_CASES_FOR_OPINION = 500
"""The newest ones, to which such a model is fitted in a tenth of a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """The cases near a trace, in one state of a judge's memory."""

    nearest_cosine: float | None = None
    """Of the nearest case, -1 to 1; None where there is no other case, or the trace's vector is not known."""
    least_cosine: float = DEFAULT_MIN_SIMILARITY
    """Reached by two cases that have nothing special in common, see `CaseSimilarity`."""
    votes: Mapping[Label, int] = field(default_factory=dict)
    """Label -> people who gave it to one of the most similar cases."""

    @property
    def has_copy(self) -> bool:
        """True if a case is a near copy of the trace."""
        return _is_copy(self.nearest_cosine)


class TraceNeighbourhoods:
    """Compares traces with the labelled cases of one judge; nothing is learned or stored.

    Args:
        judge: The judge.
        memory: Its memory.
    """

    def __init__(self, judge: Judge, memory: StoredState) -> None:
        self._judge = judge
        self._memory = memory

    async def embed(self, traces: Iterable[Trace]) -> Mapping[str, Vector]:
        """Embed traces together, so that judging them needs no further call of the embedding model.

        Args:
            traces: The traces.

        Returns:
            Vectors by trace id, each of shape (2 x dimension,) and length 1; without those that could not be embedded,
            or that lack what the judge asks for.

        Raises:
            StorageError: If stored vectors cannot be read.
        """
        texts = self._texts(traces)
        return _by_trace(texts, (await self._memory.vectors.find(texts.values())).vectors)

    async def known_vectors(self, traces: Iterable[Trace]) -> Mapping[str, Vector]:
        """Look up the vectors of traces that were embedded before; no model is asked.

        Args:
            traces: The traces.

        Returns:
            As `embed`, without those that are not known.

        Raises:
            StorageError: If stored vectors cannot be read.
        """
        texts = self._texts(traces)
        return _by_trace(texts, await self._memory.vectors.known(texts.values()))

    async def find(self, trace: Trace) -> Neighbourhood:
        """Find the cases near a trace that was embedded before; no model is asked.

        Args:
            trace: The trace. Its own case is none of them.

        Returns:
            The neighbourhood; one without cases where the trace's vector is not known.

        Raises:
            StorageError: If stored vectors cannot be read.
        """
        vector = (await self.known_vectors([trace])).get(trace.trace_id)
        if vector is None:
            return Neighbourhood()
        episodic = self._memory.current.episodic
        nearest = episodic.nearest(
            vector, MAX_NEIGHBOURS, text=self._texts([trace])[trace.trace_id], exclude_trace_id=trace.trace_id
        )
        votes = sum((Counter(case.votes) for case in nearest), Counter[Label]())
        accepts = self._judge.value_type.accepts
        return Neighbourhood(
            nearest_cosine=episodic.nearest_cosine(vector, exclude_trace_id=trace.trace_id),
            least_cosine=episodic.least_cosine,
            votes={label: number for label, number in votes.items() if accepts(label)},
        )

    async def has_copy(self, trace: Trace) -> bool:
        """Find out whether a case is a near copy of a trace that was embedded before; no model is asked.

        Args:
            trace: The trace. Its own case does not count.

        Returns:
            True if there is one; False also where the trace's vector is not known.

        Raises:
            StorageError: If stored vectors cannot be read.
        """
        vector = (await self.known_vectors([trace])).get(trace.trace_id)
        if vector is None:
            return False
        return _is_copy(self._memory.current.episodic.nearest_cosine(vector, exclude_trace_id=trace.trace_id))

    async def value_by_cases(self, trace: Trace, model: JudgeModel) -> Label | None:
        """Ask a model that is fitted to the labelled cases for a second opinion.

        Args:
            trace: The trace. Its own case is left out.
            model: The model, such as `local:/cases`.

        Returns:
            Its value; None where the judge itself is such a model or gives free text, and where there are too few
            cases, or all are of one label.

        Raises:
            InputError: If the trace lacks what the judge asks for.
            ModelError: If the model fails.
        """
        state, accepts = self._memory.current, self._judge.value_type.accepts
        if not self._judge.reads_guidelines or self._judge.value_type.kind == "str":
            return None
        newest = list(state.episodes.values())[-MAX_CASES_FOR_OPINION:]
        cases = [case for case in newest if case.trace_id != trace.trace_id and accepts(case.label)]
        if len(cases) < MIN_CASES_FOR_OPINION or len({case.label for case in cases}) < 2:
            return None
        request = JudgeRequest(
            judge=self._judge.name,
            instructions=self._judge.instructions,
            value_type=self._judge.value_type,
            fields=self._judge.select_fields(trace),
            trace_id=trace.trace_id or None,
            evidence=Evidence(),
            episodes=cases,
            version=state.version,
        )
        return (await model.decide(request)).value

    def _texts(self, traces: Iterable[Trace]) -> dict[str, CaseText]:
        texts = {}
        for trace in traces:
            try:
                texts[trace.trace_id] = text_of(self._judge.select_fields(trace))
            except InputError:  # the judge cannot see it, and says so when it is asked to judge it
                continue
        return texts


def _is_copy(nearest_cosine: float | None) -> bool:
    return nearest_cosine is not None and nearest_cosine > NEAR_COPY_COSINE


def _by_trace(texts: Mapping[str, CaseText], rows: Mapping[CaseText, Vector]) -> dict[str, Vector]:
    return {trace_id: rows[text] for trace_id, text in texts.items() if text in rows}
