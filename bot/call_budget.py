"""The model calls of a day, for what is done beside judging the traces that are shown."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from bot.resources import Resources
from bot.runtime.clock import day_of, now_ms
from storage.model_calls import CallPurpose, ModelCalls


class DailyCallBudget:
    """The part of one purpose in the budget of all judges together, which is kept in the store.

    Satisfies `memalign.trial.call_budget.CallBudget`.
    """

    def __init__(
        self,
        calls: ModelCalls,
        purpose: CallPurpose,
        *,
        total: int,
        zone: ZoneInfo,
        limit: int | None = None,
        time_ms: Callable[[], int] = now_ms,
    ) -> None:
        """Grant `total` calls to all purposes on each day of a time zone, and `limit` of them to this one."""
        self._calls = calls
        self._purpose = purpose
        self._total = total
        self._zone = zone
        self._limit = limit
        self._time_ms = time_ms

    async def take(self, calls: int) -> int:
        """Count calls before they are made; returns how many may be made. Raises `StorageError`."""
        day = day_of(self._time_ms(), self._zone)
        return await self._calls.take(self._purpose, day, calls, total=self._total, limit=self._limit)


def budget_for(purpose: CallPurpose, resources: Resources) -> DailyCallBudget:
    """Return the budget of a purpose, as the settings grant it."""
    settings = resources.settings
    return DailyCallBudget(
        resources.database.model_calls,
        purpose,
        total=settings.sampling.max_model_calls_per_day,
        zone=settings.digest.zone,
        limit=settings.memory.trial_calls_per_day if purpose == "trials" else None,
    )
