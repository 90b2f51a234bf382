"""Plans each day once, from what has arrived and been answered on the days before."""

import asyncio
from collections.abc import Callable

from bot.card_cap import CardCaps
from bot.config import Settings
from bot.judging.day_plan import DayPlan, plan_day
from bot.runtime.clock import from_ms, now_ms
from storage.database import Database


class DayPlanner:
    """Holds the plan of today. After a restart it is made anew, from the same figures."""

    def __init__(self, settings: Settings, database: Database, time_ms: Callable[[], int] = now_ms) -> None:
        self._settings = settings
        self._database = database
        self._time_ms = time_ms
        self._caps = CardCaps(settings, database, time_ms)
        self._plan: DayPlan | None = None
        self._planning = asyncio.Lock()

    async def plan_at(self, ms: int) -> DayPlan:
        """Return the plan of the day of a time, in milliseconds since 1970. Raises `StorageError`."""
        async with self._planning:
            if self._plan is None or not self._plan.start_ms <= ms < self._plan.end_ms:
                self._plan = await self._make(ms)
            return self._plan

    async def _make(self, ms: int) -> DayPlan:
        zone = self._settings.digest.zone
        names = [judge.name for judge in self._settings.judges]
        channels = {judge.channel for judge in self._settings.judges}
        return plan_day(
            from_ms(ms, zone).date(),
            zone,
            self._settings,
            caps={channel: (await self._caps.of_channel(channel)).cards for channel in channels},
            traffic={name: await self._database.traffic.of_judge(name) for name in names},
        )
