"""Traces a second through the real `POST /traces` of a running bot: `python -m tests.bench.ingest`."""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

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
        # each trace makes its job, and none is judged: what is measured is taking in
        sampling, ingest = {"rate": 1.0, "max_per_day": 0}, {"port": 0, "max_pending": 10**6}
        async with bot_in_workspace(Path(folder), sampling=sampling, ingest=ingest) as harness:
            traces_per_second, seconds = await rate(harness.bot.url, 0)
    slowest = max(seconds) * 1e3
    print(f"{'POST /traces':50}{'ours':>12}{'wanted':>14}")
    print(f"{f'traces a second, {BATCH} a batch':50}{traces_per_second:12.0f}{WANTED:14}")
    print(f"{'a batch, ms, median and slowest':50}{statistics.median(seconds) * 1e3:12.0f}{slowest:14.0f}")
    if traces_per_second < WANTED:
        sys.exit(1)


if __name__ == "__main__":
    asyncio.run(main())
