"""Evidence for a verdict: the guidelines in use, and the labelled cases most like the trace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from memalign.embedded_text import text_of
from memalign.memory.case_vectors import CaseVectors, whole
from memalign.memory.semantic import SemanticMemory
from memalign.memory.state import MemoryState
from memalign.memory.vector_index import cosine
from memalign.ports import JudgeResponse, Vector
from memalign.recall.case_selection import CaseChoice, contrasting_cases
from memalign.recall.guideline_selection import GuidelineSelector
from memalign.records import CaseText, Evidence, Guideline, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """The evidence for a trace, and the vector of the trace's text."""

    evidence: Evidence
    vector: Vector | None
    """Of shape (2 x dimension,); None where nothing had to be embedded, or the embedding model failed."""


class Retriever:
    """Finds the evidence for traces in the states of one judge's memory.

    Args:
        vectors: Embeds the traces' texts.
        max_cases: Most episodes for a trace (`retrieval_k`).
        min_similarity: Episodes with a lower cosine are no evidence; None: found from the memory.
        guideline_tokens: Room that guidelines may take in a prompt, in tokens.
        durable: Whether vectors are stored, so that embedding a trace pays even while there is nothing to find.
        choose_cases: Chooses among the similar episodes; by default one of another label is among them.
    """

    def __init__(
        self,
        vectors: CaseVectors,
        *,
        max_cases: int,
        min_similarity: float | None,
        guideline_tokens: int,
        durable: bool,
        choose_cases: CaseChoice = contrasting_cases,
    ) -> None:
        self._vectors = vectors
        self._max_cases = max_cases
        self._min_similarity = min_similarity
        self._guideline_tokens = guideline_tokens
        self._durable = durable
        self._choose_cases = choose_cases
        self._selector: GuidelineSelector | None = None

    def copy(self) -> "Retriever":
        """Return one that finds the same and remembers no selection of this one's.

        Returns:
            The retriever, for states that are used only for a moment.
        """
        return Retriever(
            self._vectors,
            max_cases=self._max_cases,
            min_similarity=self._min_similarity,
            guideline_tokens=self._guideline_tokens,
            durable=self._durable,
            choose_cases=self._choose_cases,
        )

    async def retrieve(
        self,
        fields: Mapping[str, Json],
        current_state: Callable[[], MemoryState],
        *,
        exclude_trace_id: str | None,
    ) -> Retrieval:
        """Find the evidence for a trace; an embedding model that fails leaves a note instead of cases.

        Args:
            fields: What the judge sees of the trace.
            current_state: Returns the state as it stands. It is read again after the text has been embedded, so
                that nothing is taken from a state that has been replaced meanwhile.
            exclude_trace_id: The trace's own id; its episode is no evidence.

        Returns:
            The evidence, at the cost of at most one call of the embedding model.

        Raises:
            StorageError: If stored vectors cannot be read.
        """
        text = text_of(fields)
        needed = self._durable or current_state().episodes
        lookup = await self._vectors.find([text] if needed else [])
        vector, failure = lookup.vectors.get(text), lookup.failed.get(text)
        evidence = replace(
            self.recall(text, vector, current_state(), exclude_trace_id=exclude_trace_id),
            note=f"Similar cases could not be looked up: {failure}" if failure else None,
            usage=lookup.usage,
        )
        return Retrieval(evidence=evidence, vector=vector)

    def recall(
        self, text: CaseText, vector: Vector | None, state: MemoryState, *, exclude_trace_id: str | None
    ) -> Evidence:
        """Find the evidence for a text whose vector is known; no model is asked.

        Args:
            text: The text.
            vector: Its vector, of shape (2 x dimension,); None: without similar cases.
            state: The state of the memory.
            exclude_trace_id: A trace whose episode is no evidence.

        Returns:
            The evidence.
        """
        selection = self._selector_for(state.semantic).select(
            "\n".join(text), None if vector is None else whole(vector)
        )
        retrieved = (
            ()
            if vector is None
            else self._choose_cases(
                state.episodic.ranked(
                    vector,
                    self._max_cases,
                    text=text,
                    exclude_trace_id=exclude_trace_id,
                    min_similarity=self._min_similarity,
                ),
                self._max_cases,
            )
        )
        return Evidence(
            guidelines=selection.guidelines,
            chosen=selection.chosen,
            left_out=selection.left_out,
            guideline_ranking=selection.ranking,
            retrieved=retrieved,
        )

    async def relevant_guidelines(
        self, fields: Mapping[str, Json], semantic: SemanticMemory, limit: int
    ) -> tuple[Guideline, ...]:
        """Find guidelines in use that may cover a trace, by what is known of its text; no model is asked.

        Args:
            fields: What the judge sees of the trace.
            semantic: The guidelines.
            limit: Most guidelines to return.

        Returns:
            The guidelines, the most relevant first.

        Raises:
            StorageError: If stored vectors cannot be read.
        """
        text = text_of(fields)
        vector = (await self._vectors.known([text])).get(text)
        return self._selector_for(semantic).most_relevant(
            "\n".join(text), None if vector is None else whole(vector), limit
        )

    def _selector_for(self, semantic: SemanticMemory) -> GuidelineSelector:
        if self._selector is None or self._selector.memory is not semantic:
            self._selector = GuidelineSelector(semantic, self._guideline_tokens)
        return self._selector


def supporting_cases(
    response: JudgeResponse, retrieval: Retrieval, state: MemoryState
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Name the cases behind a judge model's response.

    Args:
        response: What the judge model answered.
        retrieval: The evidence it was asked with.
        state: The state it was asked with.

    Returns:
        Trace ids of the cases that the model names, or of those retrieved where it names none; and their cosine
        similarities in the same order, empty where a vector is not known.
    """
    shown = {case.episode.trace_id: case.similarity for case in retrieval.evidence.retrieved}
    if response.retrieved_trace_ids is None:
        return tuple(shown), tuple(shown.values())
    rows, vector = state.episodic.vectors, retrieval.vector
    if vector is None or any(trace_id not in rows for trace_id in response.retrieved_trace_ids):
        return response.retrieved_trace_ids, ()
    similarities = (cosine(vector, rows[trace_id]) for trace_id in response.retrieved_trace_ids)
    return response.retrieved_trace_ids, tuple(similarities)
