"""The choice of a window's card by chance alone."""

import logging
import random
from collections.abc import Mapping, Sequence

from bot.config import JudgeSettings
from bot.judging.chosen_card import CandidateTrace, ChosenCard
from memalign.errors import ContentRefusedError, InputError
from memalign.judge_memory import JudgeMemory
from storage.records import CardSelection

log = logging.getLogger(__name__)


class UniformChoice:
    """Judges one candidate drawn at random; where the judge cannot take it, another one."""

    def __init__(
        self, memories: Mapping[str, JudgeMemory], random_numbers: random.Random | None = None
    ) -> None:
        self._memories = memories
        self._random = random_numbers or random.SystemRandom()

    async def choose(
        self, judge: JudgeSettings, candidates: Sequence[CandidateTrace], seen: int
    ) -> Sequence[ChosenCard]:
        """Choose among a window's candidates, as `CardChooser` says. Raises `ModelError`."""
        for candidate in self._random.sample(candidates, len(candidates)):
            try:
                verdict = await self._memories[judge.name].judge(candidate.trace)
            except (InputError, ContentRefusedError) as error:
                log.warning(
                    "trace %s is no candidate for %s: %s", candidate.trace.trace_id, judge.name, error
                )
            else:
                # each of those seen was as likely as any other
                selection = CardSelection(probability=1 / max(seen, 1), reason="random")
                return [ChosenCard(verdict=verdict, selection=selection)]
        return []
