"""The cap of the day, over all that judges cards: what is in hand counts as shown."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.config import JudgeSettings
from bot.judging.day_plan import JudgePlan
from bot.judging.day_planner import DayPlanner
from storage.database import Database
from storage.records import CardRoom


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPlace:
    """A place for one card."""

    day: str
    """The day that it counts for, such as `2026-11-20`."""
    left: int
    """Cards that the judge may still show on the day, this one included."""
    plan: JudgePlan
    """The judge's day."""
    room: CardRoom
    """The most cards of the day, which whoever stores one compares: other replicas give places, too."""


class DailyCap:
    """Reserves places for cards. No channel is shown more than its cap, no judge shows more than its part."""

    def __init__(self, database: Database, planner: DayPlanner) -> None:
        self._database = database
        self._planner = planner
        self._reserved: Counter[str] = Counter()
        """Cards that verdicts in hand will take, by channel, and by judge."""

    @asynccontextmanager
    async def place(self, judge: JudgeSettings, now_ms: int) -> AsyncIterator[CardPlace | None]:
        """Hold a place for one of the judge's cards while the context is open; None where the day has no more.

        Raises `StorageError`.
        """
        plan = await self._planner.plan_at(now_ms)
        # one look, after which nothing awaits: whoever is done later still has its reservation
        shown, given = await self._database.verdicts.shown_of(
            judge.channel, plan.day, judge.name, plan.start_ms, plan.end_ms
        )
        channel, own = f"channel {judge.channel}", f"judge {judge.name}"
        of_channel = plan.caps[judge.channel] - shown - self._reserved[channel]
        of_judge = plan.judges[judge.name].cards - given - self._reserved[own]
        if (left := min(of_channel, of_judge)) <= 0:
            yield None
            return
        self._reserved.update((channel, own))
        try:
            own_plan = plan.judges[judge.name]
            room = CardRoom(
                channel=plan.caps[judge.channel],
                judge=own_plan.cards,
                start_ms=plan.start_ms,
                end_ms=plan.end_ms,
            )
            yield CardPlace(day=plan.day, left=left, plan=own_plan, room=room)
        finally:
            self._reserved.subtract((channel, own))
