"""The judges' memories as they were when the present week began."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.runtime.clock import from_ms, now_ms, week_bounds, week_of
from memalign.judge_memory import JudgeMemory
from memalign.ports import JudgeModel
from memalign.version_judges import VersionJudge
from storage.memory_history import MemoryHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class _WeekStart:
    """A judge's memory at the start of a week."""

    week: str
    number: int
    """Its version."""


class LastWeek:
    """Looks the versions up, and opens each once a week, and again after something was forgotten."""

    def __init__(
        self,
        memories: Mapping[str, JudgeMemory],
        history: MemoryHistory,
        zone: ZoneInfo,
        fitted_model: Callable[[str], JudgeModel],
        time_ms: Callable[[], int] = now_ms,
    ) -> None:
        """Take the judges' memories and their versions; `fitted_model` makes a judge another model fitted to cases."""
        self._memories = memories
        self._history = history
        self._zone = zone
        self._fitted_model = fitted_model
        self._time_ms = time_ms
        self._starts: dict[str, _WeekStart] = {}
        self._opened: dict[str, tuple[int, VersionJudge]] = {}
        """Judge -> the version that is open."""
        self._opening = asyncio.Lock()
        """Held while a version is opened, which several traces may want at once."""
        self._equals: dict[str, tuple[int, int]] = {}
        """Judge -> a version, and the oldest one known to hold the same."""

    async def number(self, judge: str) -> int:
        """Return the version of a judge's memory when the week began. Raises `StorageError`."""
        week = week_of(from_ms(self._time_ms(), self._zone).date())
        start = self._starts.get(judge)
        if start is None or start.week != week:
            start_ms, _ = week_bounds(week, self._zone)
            start = _WeekStart(week=week, number=await self._history.version_at(judge, start_ms))
            self._starts[judge] = start
        return start.number

    async def is_current(self, judge: str, number: int) -> bool:
        """Return whether the present memory holds just what it held in a version. Raises `StorageError`."""
        current = self._memories[judge].state.number
        if current == number:
            return True
        known = self._equals.get(judge)
        if known is None or known[0] != current:
            known = self._equals[judge] = (current, await self._history.oldest_equal(judge, current))
        return known[1] == number

    async def open(self, judge: str, number: int) -> VersionJudge:
        """Return the judge of a version. Raises `StorageError`."""
        async with self._opening:
            known = self._opened.get(judge)
            if known is None or known[0] != number or known[1].is_closed:
                memory = self._memories[judge]
                model = None if memory.definition.reads_guidelines else self._fitted_model(judge)
                known = self._opened[judge] = (number, await memory.other_judges.open(number, model))
        return known[1]
