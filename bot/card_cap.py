"""The cards that a channel may be shown on a day: fewer than the settings allow while few of them are answered."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.config import Settings
from bot.runtime.clock import DAY_MS, now_ms
from storage.database import Database

CARDS_FOR_ANSWERED_SHARE = 50
MIN_CARDS_FOR_ANSWERED_SHARE = 20
WANTED_ANSWERED_PERCENT = 30
MS_TO_ANSWER = DAY_MS
"""Younger cards do not count as unanswered yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardCap:
    """A channel's cards a day."""

    most: int
    """By the settings."""
    shown: int = 0
    """Its last cards that people have had a day to answer, 50 at most."""
    answered: int = 0
    """Those of them that somebody answered."""

    @property
    def cards(self) -> int:
        """The cards a day: less in proportion while fewer than 30 % are answered, but never none for that."""
        is_known = self.shown >= MIN_CARDS_FOR_ANSWERED_SHARE
        if not is_known or 100 * self.answered >= WANTED_ANSWERED_PERCENT * self.shown:
            return self.most
        return min(
            self.most, max(1, self.most * 100 * self.answered // (WANTED_ANSWERED_PERCENT * self.shown))
        )

    @property
    def is_lowered(self) -> bool:
        """True if fewer cards are shown than the settings allow."""
        return self.cards < self.most


class CardCaps:
    """Reads the caps of channels as people have answered so far."""

    def __init__(self, settings: Settings, database: Database, time_ms: Callable[[], int] = now_ms) -> None:
        self._settings = settings
        self._database = database
        self._time_ms = time_ms

    async def of_channel(self, channel: str) -> CardCap:
        """Return the cap of a channel now. Raises `StorageError`."""
        judges = [judge.name for judge in self._settings.judges if judge.channel == channel]
        before_ms = self._time_ms() - MS_TO_ANSWER
        shown, answered = await self._database.feedback.answered_of_last(
            channel, judges, before_ms, CARDS_FOR_ANSWERED_SHARE
        )
        return CardCap(most=self._settings.sampling.max_per_day, shown=shown, answered=answered)
