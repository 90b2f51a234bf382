"""The cost of the store, beside TinyDB's own JSON storage: `python -m tests.bench.storage`."""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
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


Write = Callable[[Database, int], Awaitable[object]]


async def write_document(db: Database, number: int) -> None:
    """Add one document by TinyDB's own `upsert`."""
    table = db.store.documents.declare("bench")
    await db.store.write(partial(table.upsert, Document(stock_body(number), f"d-{number}")))


async def write_trace(db: Database, number: int) -> None:
    """Add one trace with its job."""
    await db.traces.add([(trace(10 * LARGE + number), ["polite"])], number, UNBOUNDED)


async def write_thumb(db: Database, number: int) -> None:
    """Take in one reaction on a card: feedback, the verdict's revision, and that it waits to be learned."""
    event = FeedbackEvent(person=f"U{number}", kind="reaction", name="+1", value=True, at=at(number))
    await db.feedback.note("C1", "100.1", event)


WRITES: Mapping[str, Write] = {"document": write_document, "trace": write_trace, "thumb": write_thumb}


async def both(small: Database, large: Database, write: Write) -> tuple[float, float]:
    """Median seconds of a write, on disk, to either store: by turns, so that a busy machine slows both."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(OURS_WRITES):
        for db, figures in zip((small, large), times, strict=True):
            start = time.perf_counter()
            await write(db, number)
            figures.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


async def ours(folder: Path) -> dict[str, float]:
    """Our figures; all times in seconds."""
    figures: dict[str, float] = {}
    async with await Database.open(folder / "small") as small, await Database.open(folder / "large") as large:
        await fill(small, 0, SMALL)
        figures["rate"] = await fill(large, 0, LARGE)
        for db in (small, large):
            await posted(db, "bench", ts="100.1")
        for name, write in WRITES.items():
            figures[f"{name} small"], figures[f"{name} large"] = await both(small, large, write)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        async with await Database.open(folder / "large") as db:
            assert await db.traces.get("tr-78") == trace(78)
            times.append(time.perf_counter() - start)
            start = time.perf_counter()
            await db.forgetting.delete_traces([f"tr-{len(times)}"])
            figures["erase"] = time.perf_counter() - start
    return figures | {"open": statistics.median(times)}


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
        """True if the figure is reached, or none is asked for."""
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
        figures = await ours(folder)
        stock_small, _ = await asyncio.to_thread(stock, folder, SMALL)
        stock_large, stock_open = await asyncio.to_thread(stock, folder, LARGE)
    rows = [
        Row(
            title=f"one document at {SMALL}, ms",
            ours=figures["document small"] * 1e3,
            stock=stock_small * 1e3,
        ),
        Row(
            title=f"one document at {LARGE}, ms",
            ours=figures["document large"] * 1e3,
            stock=stock_large * 1e3,
        ),
        Row(
            title="  ratio",
            ours=figures["document large"] / figures["document small"],
            stock=stock_large / stock_small,
            most=1.3,
        ),
        Row(title=f"  stock to ours at {LARGE}", ours=stock_large / figures["document large"], least=500),
        Row(title=f"one trace with its job at {SMALL}, ms", ours=figures["trace small"] * 1e3),
        Row(title=f"one trace with its job at {LARGE}, ms", ours=figures["trace large"] * 1e3),
        Row(title="  ratio", ours=figures["trace large"] / figures["trace small"], most=1.3),
        Row(title=f"one thumb at {SMALL}, ms", ours=figures["thumb small"] * 1e3),
        Row(title=f"one thumb at {LARGE}, ms", ours=figures["thumb large"] * 1e3),
        Row(title="  ratio", ours=figures["thumb large"] / figures["thumb small"], most=1.3),
        Row(title=f"traces a second, {BATCH} a batch", ours=figures["rate"], least=2000),
        Row(
            title=f"opening {LARGE} and reading one, ms",
            ours=figures["open"] * 1e3,
            stock=stock_open * 1e3,
            most=1000,
        ),
        Row(title=f"erasing one of {LARGE} to the last byte, ms", ours=figures["erase"] * 1e3),
    ]
    print(f"{'medians':42}{'ours':>12}{'stock TinyDB':>14}{'wanted':>10}{'reached':>9}")
    for row in rows:
        print(row.in_words())
    if not all(row.is_reached for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    asyncio.run(main())
