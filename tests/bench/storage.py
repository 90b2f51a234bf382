"""What the store costs, beside TinyDB's own JSON storage: `python -m tests.bench.storage`."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from memalign.records import Trace
from storage.database import Database
from tinydb import TinyDB

SMALL, LARGE = 100, 50_000
OURS_WRITES, STOCK_WRITES = 200, 5
BATCH = 500
BODY = "A question that somebody asked, and a bit of context. " * 6
UNBOUNDED = 10**9


def trace(number: int) -> Trace:
    """A trace of about 700 bytes as stored."""
    return Trace(
        trace_id=f"tr-{number}", inputs={"question": BODY}, outputs=BODY[:200], metadata={"n": number}
    )


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    """How long the work takes."""
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


async def fill(db: Database, first: int, last: int) -> float:
    """Traces a second, each with one judge's job, in batches."""

    async def all_batches() -> None:
        for start in range(first, last, BATCH):
            batch = [(trace(number), ["polite"]) for number in range(start, min(start + BATCH, last))]
            await db.traces.add(batch, start, UNBOUNDED)

    return (last - first) / await seconds(all_batches)


async def one_write(db: Database, first: int) -> float:
    """Median seconds for one trace with its job, on disk."""
    times = [
        await seconds(lambda number=number: db.traces.add([(trace(number), ["polite"])], number, UNBOUNDED))
        for number in range(first, first + OURS_WRITES)
    ]
    return statistics.median(times)


async def ours(folder: Path) -> dict[str, float]:
    """Our figures."""
    async with await Database.open(folder / "small") as db:
        await fill(db, 0, SMALL)
        small = await one_write(db, 10 * LARGE)
    async with await Database.open(folder / "large") as db:
        rate = await fill(db, 0, LARGE)
        large = await one_write(db, 10 * LARGE)
        erase = await seconds(lambda: db.erase("tr-77", None))

    async def reopen() -> None:
        async with await Database.open(folder / "large") as db:
            assert await db.traces.get("tr-78") == trace(78)

    opening = statistics.median([await seconds(reopen) for _ in range(5)])
    return {"small": small, "large": large, "rate": rate, "erase": erase, "open": opening}


def stock(folder: Path, documents: int) -> tuple[float, float]:
    """Median seconds for one insert into TinyDB's JSON storage, and for opening it and reading one document."""
    file = folder / f"stock-{documents}.json"
    with TinyDB(file) as tiny:
        tiny.insert_multiple({"question": BODY, "output": BODY[:200], "n": n} for n in range(documents))
        times = []
        for number in range(STOCK_WRITES):
            start = time.perf_counter()
            tiny.insert({"question": BODY, "output": BODY[:200], "n": number})
            times.append(time.perf_counter() - start)
    start = time.perf_counter()
    with TinyDB(file) as tiny:
        assert tiny.get(doc_id=1) is not None
    return statistics.median(times), time.perf_counter() - start


async def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = await ours(folder)
        stock_small, _ = await asyncio.to_thread(stock, folder, SMALL)
        stock_large, stock_open = await asyncio.to_thread(stock, folder, LARGE)
    print(f"{'':38}{'ours':>14}{'stock TinyDB':>16}")
    print(f"{f'one write at {SMALL} documents, ms':38}{found['small'] * 1e3:14.3f}{stock_small * 1e3:16.3f}")
    print(f"{f'one write at {LARGE} documents, ms':38}{found['large'] * 1e3:14.3f}{stock_large * 1e3:16.3f}")
    print(f"{'ratio large to small (wanted: <= 1.5)':38}{found['large'] / found['small']:14.2f}"
          f"{stock_large / stock_small:16.2f}")  # fmt: skip
    print(f"{f'opening {LARGE}, ms (wanted: <= 1000)':38}{found['open'] * 1e3:14.1f}{stock_open * 1e3:16.1f}")
    print(f"{f'erasing one of {LARGE}, wiped, ms':38}{found['erase'] * 1e3:14.1f}")
    print(f"{f'traces a second in batches of {BATCH}':38}{found['rate']:14.0f}")
    print(f"faster at {LARGE} than stock (wanted: >= 500 times): {stock_large / found['large']:.0f} times")


if __name__ == "__main__":
    asyncio.run(main())
