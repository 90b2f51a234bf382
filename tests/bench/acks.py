"""The slowest ack beside a vacuum and a large batch: `python -m tests.bench.acks [MEGABYTES] [TRACES]`.

An event's ack waits for one write, `FeedbackEvents.note`. It is measured every 20 ms, alone, while the words of a
forgotten trace are overwritten in a store of that size, and while a batch of that many small traces is stored.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from storage.database import Database
from storage.traces import Arrival
from tests.storage.records import button_event, posted, trace

TRACES_PER_FILL = 500
BYTES_PER_TRACE = 20_000


async def main(megabytes: int, traces: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with await Database.open(Path(folder) / "data", vacuum_seconds=3600) as db:
            await posted(db, "card", ts="1.1")
            await fill(db, megabytes)
            size = (Path(folder) / "data" / "memalign.db").stat().st_size / 1e6
            print(f"store of {size:.0f} MB", flush=True)
            await measure(db, "alone", asyncio.sleep(2))
            await measure(db, "vacuum", db.forgetting.delete_traces(["0-1"]))
            batch: list[Arrival] = [
                (trace(f"small-{each}", inputs="q"), ["polite"]) for each in range(traces)
            ]
            await measure(db, f"{traces} traces", db.traces.add(batch, 1, 10**6))
            both = asyncio.gather(
                db.forgetting.delete_traces(["0-2"]),
                db.traces.add([(trace(f"more-{each}"), ["polite"]) for each in range(traces)], 1, 10**6),
            )
            await measure(db, "both at once", both)


async def fill(db: Database, megabytes: int) -> None:
    for number in range(megabytes * 1_000_000 // (TRACES_PER_FILL * BYTES_PER_TRACE)):
        batch: list[Arrival] = [
            (trace(f"{number}-{each}", inputs=f"{number}{each}".ljust(BYTES_PER_TRACE, "x")), [])
            for each in range(TRACES_PER_FILL)
        ]
        await db.traces.add(batch, 1, 10**6)


async def measure(db: Database, what: str, work: Awaitable[object]) -> None:
    """Print how long the work took, and the slowest of the writes meanwhile."""
    began, task, waits = time.monotonic(), asyncio.ensure_future(work), list[float]()
    while not task.done():
        before = time.monotonic()
        vote = "up" if len(waits) % 2 else "down"
        await db.feedback.note("C1", "1.1", button_event("U1", vote, f"{1_700_000_000 + before:.6f}"))
        waits.append(time.monotonic() - before)
        await asyncio.sleep(0.02)
    await task
    slowest, seconds = max(waits) * 1000, time.monotonic() - began
    print(f"{what}: {seconds:.1f} s, slowest ack {slowest:.0f} ms of {len(waits)}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*(int(each) for each in [*sys.argv[1:], "1000", "60000"][:2])))
