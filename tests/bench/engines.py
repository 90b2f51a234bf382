"""The cost of a store on each engine, small and large: `python -m tests.bench.engines [DOCUMENTS]`.

The server runs on this machine with its usual settings, so that each commit reaches the disk; over a network every
wait for an answer is longer by its delay. The stores are written by turns, so that a busy machine slows all.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from storage.database import Database
from storage.documents import Document
from storage.engines import Location
from storage.moving import move
from tests.bench.storage import SMALL, fill, stock_body, trace, write_trace
from tests.postgres_server import PostgresServer, running_server
from tests.storage.records import posted

LARGE = 100_000
ROUNDS = 100
LEASE_MS = 60_000

Work = Callable[[Database, int], Awaitable[object]]


async def update_document(db: Database, number: int) -> None:
    """Overwrite one document."""
    table = db.store.documents.declare("bench")
    await db.store.write(partial(table.upsert, Document({**stock_body(number), "round": number}, "d-1")))


async def claim_job(db: Database, number: int) -> None:
    """Lease the next job, as a replica does."""
    jobs = await db.traces.take_jobs(number, {"polite": 1}, 1, owner="bench", lease_ms=LEASE_MS)
    assert len(jobs) == 1


async def read_trace(db: Database, number: int) -> None:
    """Read one trace."""
    assert await db.traces.get(f"tr-{number % SMALL}") == trace(number % SMALL)


WORK: Mapping[str, Work] = {
    "durable update": update_document,
    "trace intake": write_trace,
    "claim of a job": claim_job,
    "read of a trace": read_trace,
}


async def places(folder: Path, server: PostgresServer, documents: int) -> dict[str, Location]:
    """Fill stores of both sizes, and carry them over."""
    stores: dict[str, Location] = {}
    for number in (SMALL, documents):
        origin = folder / str(number)
        async with await Database.open(origin) as db:
            await fill(db, 0, number)
            await posted(db, "bench", ts="100.1")
        copy = server.location(schema=f"documents_{number}")
        start = time.perf_counter()
        await move(origin, copy)
        print(f"moving {number} traces with their jobs: {time.perf_counter() - start:.1f} s")
        stores |= {f"SQLite, {number}": origin, f"PostgreSQL, {number}": copy}
    return stores


async def main(documents: int) -> None:
    """Measure and print medians, in milliseconds."""
    with tempfile.TemporaryDirectory() as name, running_server(settings=()) as server:
        stores = await places(Path(name), server, documents)
        async with AsyncExitStack() as stack:
            open_stores = {
                title: await stack.enter_async_context(await Database.open(place))
                for title, place in stores.items()
            }
            print(f"{'medians, ms':24}" + "".join(f"{title:>20}" for title in stores))
            for title, work in WORK.items():
                medians = await by_turns(list(open_stores.values()), work)
                print(f"{title:24}" + "".join(f"{median:20.2f}" for median in medians))
            erasing = await by_turns(list(open_stores.values()), erase, rounds=3)
            print(f"{'forget with vacuum':24}" + "".join(f"{median:20.0f}" for median in erasing))


async def erase(db: Database, number: int) -> None:
    """Forget one trace to the last byte."""
    await db.forgetting.delete_traces([f"tr-{50 + number}"])


async def by_turns(stores: list[Database], work: Work, rounds: int = ROUNDS) -> list[float]:
    """Return the median milliseconds of some work for each store."""
    times: list[list[float]] = [[] for _ in stores]
    for number in range(rounds):
        for db, figures in zip(stores, times, strict=True):
            start = time.perf_counter()
            await work(db, number)
            figures.append((time.perf_counter() - start) * 1e3)
    return [statistics.median(figures) for figures in times]


if __name__ == "__main__":
    try:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else LARGE))
    except pytest.skip.Exception as reason:
        print(reason)
