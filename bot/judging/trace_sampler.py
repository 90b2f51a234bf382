"""The sampling of arriving traces: judged at once, candidates of a window, or seen only."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bot.config import Settings
from bot.judging.day_plan import DayPlan
from bot.judging.day_planner import DayPlanner
from bot.judging.reservoir import Reservoir
from bot.judging.sampling import judges_for, rank_of
from bot.runtime.clock import from_ms, now_ms
from memalign.records import Trace
from storage.database import Database
from storage.records import Candidate, CandidateWindow, LocalHour


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledTrace:
    """The judges that see a trace, and how."""

    jobs: tuple[str, ...] = ()
    """Judges that judge it at once."""
    candidates: tuple[Candidate, ...] = ()
    """Its parts in the present windows of judges."""
    is_kept: bool = False
    """False if its windows only count it, or no judge is to see it: only a hash of it is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWindow:
    """A judge's present window."""

    window: CandidateWindow
    bound: float
    """The rank below which a trace is a candidate there."""
    rate: float
    """Share of the judge's traces that are sampled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingMoment:
    """All that the sampling of traces which arrive now depends on; it decides in any thread."""

    settings: Settings
    key: bytes
    paused: frozenset[str]
    plan: DayPlan
    now_ms: int
    windows: Mapping[str, OpenWindow]
    """Of the judges that draw from windows."""

    @property
    def hour(self) -> LocalHour:
        """The hour that arrivals are counted for."""
        return LocalHour(day=self.plan.day, hour=from_ms(self.now_ms, self.settings.digest.zone).hour)

    def sample(self, trace: Trace) -> SampledTrace:
        """Decide on a trace: always alike, wherever and however often it arrives within a window."""
        judges = judges_for(trace, self.settings, self.key)
        working = [judge for judge in judges if judge not in self.paused]
        drawn = tuple(self._candidate(trace, judge) for judge in working if judge in self.windows)
        jobs = tuple(judge for judge in working if judge not in self.windows)
        is_candidate = any(each.rank < self.windows[each.judge].bound for each in drawn)
        # what arrives for a judge that is paused is stored
        is_kept = bool(jobs) or is_candidate or len(working) < len(judges)
        return SampledTrace(jobs=jobs, candidates=drawn, is_kept=is_kept)

    def _candidate(self, trace: Trace, judge: str) -> Candidate:
        window = self.windows[judge].window
        return Candidate(
            trace_id=trace.trace_id,
            judge=judge,
            window_start_ms=window.start_ms,
            window_end_ms=window.end_ms,
            rank=rank_of(trace.trace_id, judge, self.key),
            received_ms=self.now_ms,
            rate=self.windows[judge].rate,
        )


class TraceSampler:
    """Knows the present window of each judge, and the smallest ranks there."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        planner: DayPlanner,
        time_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._settings = settings
        self._database = database
        self._planner = planner
        self._time_ms = time_ms
        self._key: bytes | None = None
        self._reservoirs: dict[str, tuple[CandidateWindow, Reservoir]] = {}
        """By judge, the last window that was looked at."""
        self._opening = asyncio.Lock()

    async def moment(self) -> SamplingMoment:
        """Return what sampling depends on now. Raises `StorageError`."""
        now = self._time_ms()
        plan = await self._planner.plan_at(now)
        paused = frozenset(await self._database.preferences.pauses())
        async with self._opening:
            if self._key is None:
                self._key = await self._database.traces.sampling_key()
            for judge in paused:  # its candidates were dropped
                self._reservoirs.pop(judge, None)
            windows = {
                judge: await self._open_window(plan.window_at(judge, now))
                for judge, judge_plan in plan.judges.items()
                if judge_plan.is_spread and judge not in paused
            }
        return SamplingMoment(
            settings=self._settings, key=self._key, paused=paused, plan=plan, now_ms=now, windows=windows
        )

    def note(self, stored: Iterable[Candidate]) -> None:
        """Take the ranks of traces that are stored now."""
        for candidate in stored:
            known = self._reservoirs.get(candidate.judge)
            if known is not None and known[0].end_ms == candidate.window_end_ms:
                known[1].add(candidate.rank)

    async def _open_window(self, window: CandidateWindow) -> OpenWindow:
        """Return a window with its bound, which is read from the store the first time."""
        known = self._reservoirs.get(window.judge)
        if known is None or known[0] != window:
            known = window, Reservoir(await self._database.candidates.ranks(window))
            self._reservoirs[window.judge] = known
        rate = self._settings.rate_of(self._settings.judge(window.judge))
        return OpenWindow(window=window, bound=known[1].bound, rate=rate)
