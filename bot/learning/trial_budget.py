"""The model calls that trials of guidelines may take on a day."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from bot.runtime.clock import day_of, now_ms
from storage.model_calls import ModelCalls


class DailyTrialBudget:
    """The budget of all judges together, kept in the store. Satisfies `memalign.trial.call_budget.CallBudget`."""

    def __init__(
        self, calls: ModelCalls, limit: int, zone: ZoneInfo, time_ms: Callable[[], int] = now_ms
    ) -> None:
        """Grant `limit` calls on each day of a time zone."""
        self._calls = calls
        self._limit = limit
        self._zone = zone
        self._time_ms = time_ms

    async def take(self, calls: int) -> int:
        """Count calls before they are made; returns how many may be made. Raises `StorageError`."""
        return await self._calls.take("trials", day_of(self._time_ms(), self._zone), calls, self._limit)
