"""The choice of a window's card by chance alone."""

import logging
import random
from collections.abc import Mapping, Sequence

from bot.config import Settings
from bot.judging.chosen_card import CandidateTrace, ChosenCard
from memalign.errors import ContentRefusedError, InputError
from memalign.judge_memory import JudgeMemory
from storage.records import CardSelection

log = logging.getLogger(__name__)


class UniformChoice:
    """Judges one candidate drawn at random; where the judge cannot take it, another one."""

    def __init__(
        self,
        settings: Settings,
        memories: Mapping[str, JudgeMemory],
        random_numbers: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._memories = memories
        self._random = random_numbers or random.SystemRandom()

    async def choose(self, judge: str, candidates: Sequence[CandidateTrace], seen: int) -> ChosenCard:
        """Choose among a window's candidates, as `CardChoice` says. Raises `InputError`, `ModelError`."""
        # each of those seen was as likely as any other
        probability = self._settings.rate_of(self._settings.judge(judge)) / max(seen, 1)
        selection = CardSelection(probability=probability, reason="random")
        refusals: list[InputError | ContentRefusedError] = []
        for candidate in self._random.sample(candidates, len(candidates)):
            try:
                verdict = await self._memories[judge].judge(candidate.trace)
            except (InputError, ContentRefusedError) as error:
                log.warning("trace %s is no candidate for %s: %s", candidate.trace.trace_id, judge, error)
                refusals.append(error)
            else:
                return ChosenCard(verdict=verdict, selection=selection)
        raise refusals[-1]
