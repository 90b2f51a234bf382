"""The choice of the trace that gets a window's card: which one, with which chance, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple

from bot.judging.candidate_scores import ScoredCandidate, reason_for, score_candidate
from bot.judging.candidate_verdicts import CandidateVerdicts, JudgedCandidate
from bot.judging.chosen_card import CandidateTrace, ChosenCard
from bot.judging.hash_fraction import hash_fraction
from bot.judging.inclusion import Draw, draw
from bot.judging.near_copies import groups_of_copies
from bot.judging.novelty import CardVectors
from bot.judging.recent_cards import RecentCards
from bot.judging.score_weights import ScoreWeights
from bot.judging.shadow_judges import ShadowValue, ShadowValues
from bot.judging.wrong_score import WrongWeights
from bot.runtime.clock import now_ms
from memalign.judge_memory import JudgeMemory
from memalign.ports import Vector
from storage.database import Database
from storage.records import CardSelection, SelectionReason


class CardChooser:
    """Chooses among a window's candidates, a uniform sample of all that arrived in it."""

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        verdicts: CandidateVerdicts,
        shadow_values: ShadowValues,
        *,
        time_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._database = database
        self._memories = memories
        self._verdicts = verdicts
        self._shadow_values = shadow_values
        self._time_ms = time_ms
        self._cards = RecentCards(database)
        self._weights = ScoreWeights(self._cards)

    async def choose(self, judge: str, candidates: Sequence[CandidateTrace], seen: int) -> ChosenCard:
        """Judge a window's candidates as far as the budget goes, and choose one, as `CardChoice` says.

        Its probability is that of all stages: to be sampled, to be a candidate, to stand for its near copies, to be
        judged, and to be drawn by its score. Nothing is stored but its vector.

        Args:
            judge: the judge's name.
            candidates: at least one.
            seen: the number of sampled traces that arrived in the window, candidates or not.

        Raises:
            InputError: if the judge can take none of them, or none is a candidate any more.
            ModelError: if the model is down, or fails at all of them.
            StorageError: if the store fails.
        """
        memory = self._memories[judge]
        traces = [each.trace for each in candidates]
        key = await self._database.traces.sampling_key()
        vectors = await memory.neighbourhoods.embed(traces)
        groups = groups_of_copies(traces, vectors, judge, key)
        judged = await self._verdicts.judge(memory, [group.trace for group in groups])
        weights = await self._weights.of(memory.definition, self._time_ms())
        scored = await self._score(memory, judged.candidates, vectors, weights)
        ids = sorted(trace.trace_id for trace in traces)
        drawn = draw([each.score for each in scored], hash_fraction(judge, *ids, key=key))
        chosen = scored[drawn.place]
        copies = next(group.size for group in groups if group.trace is chosen.trace)
        among = min(1.0, len(traces) / max(seen, 1)) * judged.share / copies
        rate = next(each.rate for each in candidates if each.trace is chosen.trace)
        probability = rate * among * drawn.probability
        await memory.keep_vector(chosen.trace)
        shadows = await self._shadow_values(judge, chosen.trace, chosen.judged.base)
        return _card(chosen, probability, _reason(drawn, probability, scored, weights), shadows)

    async def _score(
        self,
        memory: JudgeMemory,
        judged: Sequence[JudgedCandidate],
        vectors: Mapping[str, Vector],
        weights: WrongWeights,
    ) -> list[ScoredCandidate]:
        now, guidelines = self._time_ms(), memory.guidelines
        cards = CardVectors(await self._cards.vectors(memory, now))
        return [
            score_candidate(
                each,
                cards.distance(vectors.get(each.trace.trace_id), each.neighbourhood),
                guidelines,
                memory.definition.value_type,
                weights,
                now,
            )
            for each in judged
        ]


def _reason(
    drawn: Draw, probability: float, scored: Sequence[ScoredCandidate], weights: WrongWeights
) -> SelectionReason:
    if probability >= 1:
        return "all"
    return reason_for(scored[drawn.place], scored, weights) if drawn.is_by_score else "random"


def _card(
    chosen: ScoredCandidate, probability: float, reason: SelectionReason, shadows: Sequence[ShadowValue]
) -> ChosenCard:
    verdict = chosen.judged.verdict
    return ChosenCard(
        verdict=verdict,
        selection=CardSelection(probability=probability, reason=reason, features=astuple(chosen.features)),
        shadows=tuple(each.beside(verdict.value) for each in shadows),
        resembles_case=chosen.judged.neighbourhood.has_copy,
    )
