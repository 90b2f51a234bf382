"""Sampling by windows: what a trace costs, and the memory it leaves: `python -m tests.bench.sampling`."""

import asyncio
import sys
import tempfile
import time
import tracemalloc
from datetime import timedelta
from pathlib import Path

from bot.judging.day_planner import DayPlanner
from bot.judging.trace_sampler import TraceSampler
from bot.judging.windows import day_bounds
from bot.runtime.clock import from_ms, now_ms
from memalign.records import Trace
from storage.database import Database
from storage.records import LocalHour
from tests.bot.bot_in_workspace import JUDGE, settings_for

TRACES = 100_000
BATCH = 500
WANTED_MICROSECONDS = 40
WANTED_KILOBYTES = 64


class Arrivals:
    """Traces over one day of a judge that expects as many, and shows 30."""

    def __init__(self, database: Database, folder: Path) -> None:
        settings = settings_for(folder, "C1", sampling={"rate": 1.0, "max_per_day": 30})
        self.start_ms, self.end_ms = day_bounds(from_ms(now_ms()).date(), settings.digest.zone)
        self._now_ms = self.start_ms
        planner = DayPlanner(settings, database, self.clock)
        self.sampler = TraceSampler(settings, database, planner, self.clock)

    def clock(self) -> int:
        """Return the time of the present batch."""
        return self._now_ms

    async def take(self, first: int) -> float:
        """Sample one batch; the seconds that the decisions took."""
        self._now_ms = self.start_ms + (self.end_ms - self.start_ms) * first // TRACES
        traces = [Trace(trace_id=f"tr-{n}", inputs="q", outputs="a") for n in range(first, first + BATCH)]
        moment = await self.sampler.moment()
        began = time.perf_counter()
        sampled = [moment.sample(trace) for trace in traces]
        seconds = time.perf_counter() - began
        self.sampler.note([each for one in sampled if one.is_kept for each in one.candidates])
        return seconds


async def note_busy_day(database: Database) -> None:
    """Note yesterday's traffic, which makes today a day of windows."""
    yesterday = (from_ms(now_ms()) - timedelta(days=1)).date().isoformat()

    def count() -> None:
        for hour in range(24):
            database.traffic.count(LocalHour(day=yesterday, hour=hour), {JUDGE: TRACES // 24})

    await database.store.write(count)


async def decide(folder: Path) -> tuple[float, float]:
    """Return microseconds a trace, and the kilobytes that memory grew by from a tenth of the traces on."""
    async with await Database.open(folder / "store") as database:
        await note_busy_day(database)
        arrivals = Arrivals(database, folder)
        seconds = [await arrivals.take(first) for first in range(0, TRACES, BATCH)]
        again = Arrivals(database, folder)
        sizes = []
        tracemalloc.start()
        for first in range(0, TRACES, BATCH):
            await again.take(first)
            sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    return sum(seconds) / TRACES * 1e6, (sizes[-1] - sizes[len(sizes) // 10]) / 1024


async def main() -> None:
    """Measure and print; end with 1 when it is slower or larger than wanted."""
    with tempfile.TemporaryDirectory() as folder:
        microseconds, kilobytes = await decide(Path(folder))
    print(f"{f'Sampling of {TRACES} traces':50}{'ours':>12}{'wanted':>14}")
    print(f"{'microseconds a trace':50}{microseconds:12.1f}{WANTED_MICROSECONDS:14}")
    print(f"{'memory from the first tenth on, kB':50}{kilobytes:12.1f}{WANTED_KILOBYTES:14}")
    if microseconds > WANTED_MICROSECONDS or kilobytes > WANTED_KILOBYTES:
        sys.exit(1)


if __name__ == "__main__":
    asyncio.run(main())
