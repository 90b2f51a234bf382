"""What the store costs, beside TinyDB's own JSON storage: `python -m tests.bench.storage`."""

import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tinydb import TinyDB

from memalign.records import Json, Trace
from storage.database import Database
from storage.documents import Document
from storage.records import FeedbackEvent
from tests.storage.records import at, posted

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
    """Median seconds for one document by TinyDB's own `upsert`, on disk."""
    table = db.store.documents.declare("bench")
    times = []
    for number in range(first, first + OURS_WRITES):
        document = Document(stock_body(number), f"d-{number}")
        start = time.perf_counter()
        await db.store.write(partial(table.upsert, document))
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


async def one_thumb(db: Database) -> float:
    """Median seconds for one reaction on a card: feedback, the verdict's revision and what waits, on disk."""
    await posted(db, "bench", ts="100.1")
    times = []
    for number in range(OURS_WRITES):
        event = FeedbackEvent(person=f"U{number}", kind="reaction", name="+1", value=True, at=at(number))
        start = time.perf_counter()
        await db.feedback.note("C1", "100.1", event)
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
            found[f"thumb {name}"] = await one_thumb(db)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        async with await Database.open(folder / "large") as db:
            assert await db.traces.get("tr-78") == trace(78)
            times.append(time.perf_counter() - start)
            start = time.perf_counter()
            await db.forgetting.delete_traces([f"tr-{len(times)}"])
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure, and what is wanted of it."""

    title: str
    ours: float
    stock: float | None = None
    most: float | None = None
    least: float | None = None

    @property
    def is_reached(self) -> bool:
        """Whether it is; so it is where nothing is wanted."""
        return (self.most is None or self.ours <= self.most) and (
            self.least is None or self.ours >= self.least
        )

    def in_words(self) -> str:
        """One line of the table."""
        stock = "" if self.stock is None else f"{self.stock:.2f}"
        wanted = f"≤ {self.most:g}" if self.most is not None else f"≥ {self.least:g}" if self.least else ""
        reached = "" if not wanted else "yes" if self.is_reached else "NO"
        return f"{self.title:42}{self.ours:12.2f}{stock:>14}{wanted:>10}{reached:>9}".rstrip()


async def main() -> None:
    """Measure and print; end with 1 when a figure is missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = await ours(folder)
        stock_small, _ = await asyncio.to_thread(stock, folder, SMALL)
        stock_large, stock_open = await asyncio.to_thread(stock, folder, LARGE)
    rows = [
        Row(
            title=f"one document at {SMALL}, ms", ours=found["document small"] * 1e3, stock=stock_small * 1e3
        ),
        Row(
            title=f"one document at {LARGE}, ms", ours=found["document large"] * 1e3, stock=stock_large * 1e3
        ),
        Row(
            title="  ratio",
            ours=found["document large"] / found["document small"],
            stock=stock_large / stock_small,
            most=1.3,
        ),
        Row(title=f"  stock to ours at {LARGE}", ours=stock_large / found["document large"], least=500),
        Row(title=f"one trace with its job at {SMALL}, ms", ours=found["trace small"] * 1e3),
        Row(title=f"one trace with its job at {LARGE}, ms", ours=found["trace large"] * 1e3),
        Row(title="  ratio", ours=found["trace large"] / found["trace small"], most=1.3),
        Row(title=f"one thumb at {SMALL}, ms", ours=found["thumb small"] * 1e3),
        Row(title=f"one thumb at {LARGE}, ms", ours=found["thumb large"] * 1e3),
        Row(title="  ratio", ours=found["thumb large"] / found["thumb small"], most=1.3),
        Row(title=f"traces a second, {BATCH} a batch", ours=found["rate"], least=2000),
        Row(
            title=f"opening {LARGE} and reading one, ms",
            ours=found["open"] * 1e3,
            stock=stock_open * 1e3,
            most=1000,
        ),
        Row(title=f"erasing one of {LARGE} to the last byte, ms", ours=found["erase"] * 1e3),
    ]
    print(f"{'medians':42}{'ours':>12}{'stock TinyDB':>14}{'wanted':>10}{'reached':>9}")
    for row in rows:
        print(row.in_words())
    if not all(row.is_reached for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    asyncio.run(main())
