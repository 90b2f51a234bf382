"""Traces a second through the real `POST /traces` of a running bot: `python -m tests.bench.ingest`."""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from storage.database import Database
from tests.bench.sampling import note_busy_day
from tests.bench.storage import BATCH, BODY
from tests.bot.bot_in_workspace import bot_in_workspace

TRACES = 20_000
WANTED = 2_000


def body(first: int) -> bytes:
    """A batch as NDJSON, each trace of about 700 bytes as stored."""
    lines = (
        {
            "trace_id": f"tr-{number}",
            "inputs": {"question": BODY},
            "outputs": BODY[:200],
            "metadata": {"n": number},
        }
        for number in range(first, first + BATCH)
    )
    return "\n".join(json.dumps(line) for line in lines).encode()


async def rate(url: str, first: int) -> tuple[float, list[float]]:
    """Traces a second, one batch after the other, and each batch's seconds; all are on disk when answered."""
    seconds: list[float] = []
    async with aiohttp.ClientSession(headers={"Content-Type": "application/x-ndjson"}) as session:
        for start in range(first, first + TRACES, BATCH):
            data = body(start)
            began = time.perf_counter()
            async with session.post(f"{url}/traces", data=data) as answer:
                report = await answer.json()
            seconds.append(time.perf_counter() - began)
            if (answer.status, report["accepted"]) != (202, BATCH):
                raise RuntimeError(f"{answer.status}: {report}")
    return TRACES / sum(seconds), seconds


async def main() -> None:
    """Measure and print; end with 1 when it is slower than wanted."""
    with tempfile.TemporaryDirectory() as folder:
        # without cards each trace makes its job, and none is judged: what is measured is taking in
        at_once = await measured(Path(folder), max_per_day=0)
    with tempfile.TemporaryDirectory() as folder:
        async with await Database.open(Path(folder) / "store") as database:
            await note_busy_day(database)
        by_windows = await measured(Path(folder), max_per_day=30)
    print(f"{'POST /traces':50}{'ours':>12}{'wanted':>14}")
    for title, (traces_per_second, seconds) in (("at once", at_once), ("by windows", by_windows)):
        slowest = max(seconds) * 1e3
        print(f"{f'traces a second, {BATCH} a batch, {title}':50}{traces_per_second:12.0f}{WANTED:14}")
        print(
            f"{'a batch, ms, median and slowest':50}{statistics.median(seconds) * 1e3:12.0f}{slowest:14.0f}"
        )
    if min(at_once[0], by_windows[0]) < WANTED:
        sys.exit(1)


async def measured(folder: Path, *, max_per_day: int) -> tuple[float, list[float]]:
    """Measure a bot that shows so many cards a day."""
    sampling, ingest = {"rate": 1.0, "max_per_day": max_per_day}, {"port": 0, "max_pending": 10**6}
    async with bot_in_workspace(folder, sampling=sampling, ingest=ingest) as harness:
        return await rate(harness.bot.url, 0)


if __name__ == "__main__":
    asyncio.run(main())
