"""The cards of the last days, as far as the choice of the next one goes by them."""

from collections.abc import Sequence

from bot.feedback import all_feedback
from bot.judging.wrong_score_fit import AnsweredCard
from bot.runtime.clock import DAY_MS
from memalign.judge_memory import JudgeMemory
from memalign.ports import Vector
from memalign.value_types import ValueType
from storage.database import Database
from storage.records import StoredVerdict

RECENT_DAYS = 7
MAX_RECENT_CARDS = 300
"""The newest of them: some 40 a day."""
MAX_CARDS_TO_FIT = 1_000
"""The newest cards that the score is fitted to."""


class RecentCards:
    """Looks up cards in the store, so that nothing of a forgotten one is used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def vectors(self, memory: JudgeMemory, now_ms: int) -> Sequence[Vector]:
        """Return the vectors of the traces on the judge's cards of the last seven days. Raises `StorageError`."""
        since_ms = now_ms - RECENT_DAYS * DAY_MS
        recent = await self._database.verdicts.recent(memory.definition.name, MAX_RECENT_CARDS)
        ids = [stored.verdict.trace_id for stored in recent if stored.judged_ms >= since_ms]
        vectors: dict[str, Vector] = {}
        for each in ids:  # one by one: making the text of a long trace anew takes a while
            if (trace := await self._database.traces.get(each)) is not None:
                vectors |= await memory.neighbourhoods.known_vectors([trace])
        return list(vectors.values())

    async def answered(self, judge: str, value_type: ValueType) -> Sequence[AnsweredCard]:
        """Return the judge's answered cards that were chosen by a score. Raises `StorageError`."""
        recent = await self._database.verdicts.recent(judge, MAX_CARDS_TO_FIT)
        scored = [stored for stored in recent if stored.selection.features]
        cards = [await self._answer(stored, value_type) for stored in scored]
        return [card for card in cards if card is not None]

    async def _answer(self, stored: StoredVerdict, value_type: ValueType) -> AnsweredCard | None:
        people = await self._database.feedback.of(stored.verdict_id)
        votes = [each.vote for each in all_feedback(stored, people, value_type)]
        up, down = votes.count("up"), votes.count("down")
        if up == down:  # nobody could tell, or as many say right as wrong
            return None
        return AnsweredCard(features=stored.selection.features, is_wrong=down > up)
