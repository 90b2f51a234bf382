"""The weights of each judge's score, fitted once a week to what people have answered."""

from bot.judging.recent_cards import RecentCards
from bot.judging.wrong_score import WrongWeights
from bot.judging.wrong_score_fit import fit_weights
from bot.runtime.clock import DAY_MS
from memalign.judge import Judge

FIT_DAYS = 7


class ScoreWeights:
    """Fits and keeps the weights; they follow from the store, so that a restart fits them again."""

    def __init__(self, cards: RecentCards) -> None:
        self._cards = cards
        self._fitted: dict[str, tuple[int, WrongWeights]] = {}
        """By judge, the time of the fit and what it gave."""

    async def of(self, judge: Judge, now_ms: int) -> WrongWeights:
        """Return a judge's weights, fitted anew where the last fit is a week old. Raises `StorageError`."""
        fitted_ms, weights = self._fitted.get(judge.name, (None, None))
        if fitted_ms is None or weights is None or now_ms - fitted_ms >= FIT_DAYS * DAY_MS:
            weights = fit_weights(await self._cards.answered(judge.name, judge.value_type))
            self._fitted[judge.name] = now_ms, weights
        return weights
