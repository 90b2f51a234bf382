"""What the store costs, beside TinyDB's own JSON storage: `python -m tests.bench.storage`."""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import cast

from tinydb import TinyDB
from tinydb.table import Document

from memalign.records import Json, Trace
from storage.database import Database

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


async def fill(db: Database, first: int, last: int) -> float:
    """Traces a second, each with one judge's job, in batches."""
    began = time.perf_counter()
    for start in range(first, last, BATCH):
        batch = [(trace(number), ["polite"]) for number in range(start, min(start + BATCH, last))]
        await db.traces.add(batch, start, UNBOUNDED)
    return (last - first) / (time.perf_counter() - began)


async def one_document(db: Database, first: int) -> float:
    """Median seconds for one document by TinyDB's own `insert`, on disk."""
    table = db._worker.documents.shelf("bench")
    times = []
    for number in range(first, first + OURS_WRITES):
        document = Document(stock_body(number), cast("int", f"d-{number}"))
        start = time.perf_counter()
        await db._worker.write(table.insert, document)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


async def one_trace(db: Database, first: int) -> float:
    """Median seconds for one trace with its job and their indexes, on disk."""
    times = []
    for number in range(first, first + OURS_WRITES):
        start = time.perf_counter()
        await db.traces.add([(trace(number), ["polite"])], number, UNBOUNDED)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


async def ours(folder: Path) -> dict[str, float]:
    """Our figures; all times in seconds."""
    found = {}
    for name, documents in (("small", SMALL), ("large", LARGE)):
        async with await Database.open(folder / name) as db:
            found["rate"] = await fill(db, 0, documents)
            found[f"document {name}"] = await one_document(db, 0)
            found[f"trace {name}"] = await one_trace(db, 10 * LARGE)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        async with await Database.open(folder / "large") as db:
            assert await db.traces.get("tr-78") == trace(78)
            times.append(time.perf_counter() - start)
            start = time.perf_counter()
            await db.erase(f"tr-{len(times)}", None)
            found["erase"] = time.perf_counter() - start
    return found | {"open": statistics.median(times)}


def stock_body(number: int) -> dict[str, Json]:
    """A document of about 700 bytes."""
    return {"question": BODY, "output": BODY[:200], "n": number}


def stock(folder: Path, documents: int) -> tuple[float, float]:
    """Median seconds for one insert into TinyDB's JSON storage, and for opening it and reading one document."""
    file = folder / f"stock-{documents}.json"
    with TinyDB(file) as tiny:
        tiny.insert_multiple(stock_body(number) for number in range(documents))
        times = []
        for number in range(STOCK_WRITES):
            start = time.perf_counter()
            tiny.insert(stock_body(number))
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
    rows = [
        (f"one document at {SMALL}, ms", found["document small"] * 1e3, stock_small * 1e3),
        (f"one document at {LARGE}, ms", found["document large"] * 1e3, stock_large * 1e3),
        (
            "  ratio (wanted: at most 1.5)",
            found["document large"] / found["document small"],
            stock_large / stock_small,
        ),
        (f"  stock to ours at {LARGE} (wanted: 500)", stock_large / found["document large"], None),
        (f"one trace with its job at {SMALL}, ms", found["trace small"] * 1e3, None),
        (f"one trace with its job at {LARGE}, ms", found["trace large"] * 1e3, None),
        ("  ratio (wanted: at most 1.5)", found["trace large"] / found["trace small"], None),
        (f"traces a second, {BATCH} a batch (wanted: 2000)", found["rate"], None),
        (f"opening {LARGE} and reading one, ms (wanted: 1000)", found["open"] * 1e3, stock_open * 1e3),
        (f"erasing one of {LARGE} to the last byte, ms", found["erase"] * 1e3, None),
    ]
    print(f"{'medians':50}{'ours':>12}{'stock TinyDB':>14}")
    for title, own, other in rows:
        print(f"{title:50}{own:12.2f}" + ("" if other is None else f"{other:14.2f}"))


if __name__ == "__main__":
    asyncio.run(main())
