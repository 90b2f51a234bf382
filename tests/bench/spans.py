"""Spans a second through `POST /v1/traces` of a running bot, until traces are made: `python -m tests.bench.spans`."""

import asyncio
import gzip
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from memalign.records import Json
from tests.bench.storage import BODY
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.bot.ingest.otlp import TestSpan, as_protobuf

SPANS = 40_000
SPANS_PER_TRACE = 10
SPANS_PER_REQUEST = 500
WANTED = 2_000
MAX_GROWTH_MB = 64
"""Growth of the process from the first half to the second, in which as much comes again."""
MAX_DELAY_MS = 250
LOOP_LOOK_SECONDS = 0.005


@dataclass(slots=True, kw_only=True)
class Figures:
    """Figures of one run."""

    spans_per_second: float
    growth_mb: float
    delays_ms: list[float]
    """Delays of the event loop, in order of length."""
    traces: int


def spans_of(trace: int) -> Iterator[TestSpan]:
    """An agent's run: a root, calls of a model, and calls of tools, of about 700 bytes each; no text comes twice."""
    word = f"trace {trace}"
    question, answer = f"{word}: {BODY}", f"{word}: {BODY[:200]}"
    yield TestSpan(
        trace=word, name="agent", attributes={"input.value": question, "output.value": answer}, end_ms=100
    )
    for step in range(1, SPANS_PER_TRACE):
        content = f"step {step} of {question}"
        messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": content}]}])
        attributes: dict[str, Json] = {
            "gen_ai.operation.name": "chat" if step % 2 else "execute_tool",
            "gen_ai.request.model": "some-model",
            "gen_ai.usage.input_tokens": 100 + step,
            "gen_ai.input.messages": messages,
        }
        yield TestSpan(trace=word, name=f"step {step}", parent="agent", attributes=attributes, start_ms=step)


def requests() -> list[bytes]:
    """Bodies as exporters send them: the spans of many traces mixed, roots last."""
    bodies = []
    for first in range(0, SPANS // SPANS_PER_TRACE, SPANS_PER_REQUEST // SPANS_PER_TRACE):
        traces = range(first, first + SPANS_PER_REQUEST // SPANS_PER_TRACE)
        spans = [span for trace in traces for span in reversed(list(spans_of(trace)))]
        bodies.append(gzip.compress(as_protobuf(spans), 1))
    return bodies


async def send(url: str, bodies: list[bytes]) -> None:
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for body in bodies:
            async with session.post(f"{url}/v1/traces", data=body) as answer:
                if (answer.status, await answer.read()) != (200, b""):
                    raise RuntimeError(f"{answer.status}: {await answer.text()}")


async def note_delays(delays_ms: list[float]) -> None:
    """Note by how much the event loop is late, until cancelled."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(LOOP_LOOK_SECONDS)
        delays_ms.append((time.perf_counter() - began - LOOP_LOOK_SECONDS) * 1000)


async def measured(folder: Path, rate: float) -> Figures:
    """Measure a bot that sees so large a share of the traces."""
    bodies = requests()
    sampling: dict[str, Json] = {"rate": rate, "max_per_day": 0}
    ingest = {"port": 0, "max_pending": 10**6, "quiet_seconds": 0.5}
    async with bot_in_workspace(folder, sampling=sampling, ingest=ingest) as harness:
        delays_ms: list[float] = []
        watching = asyncio.create_task(note_delays(delays_ms))
        half = len(bodies) // 2
        began = time.perf_counter()
        await send(harness.bot.url, bodies[:half])
        await settle(harness)
        memory_mb = _peak_mb()
        await send(harness.bot.url, bodies[half:])
        await settle(harness)
        seconds = time.perf_counter() - began
        watching.cancel()
        return Figures(
            spans_per_second=SPANS / seconds,
            growth_mb=_peak_mb() - memory_mb,
            delays_ms=sorted(delays_ms),
            traces=await harness.bot.database.traces.count(),
        )


async def settle(harness: BotInWorkspace) -> None:
    """Wait until every trace is made."""
    while await harness.bot.database.open_traces.count():  # noqa: ASYNC110 - a worker works
        await asyncio.sleep(0.05)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main() -> None:
    """Measure and print; end with 1 when a figure is missed."""
    missed = False
    print(f"{'POST /v1/traces':50}{'ours':>12}{'wanted':>14}")
    for title, rate in (("all are judged", 1.0), ("one in ten is judged", 0.1)):
        with tempfile.TemporaryDirectory() as folder:
            figures = await measured(Path(folder), rate)
        slowest = figures.delays_ms[-1]
        p99 = figures.delays_ms[len(figures.delays_ms) * 99 // 100]
        print(f"{f'spans a second, {title}':50}{figures.spans_per_second:12.0f}{WANTED:14}")
        print(f"{'growth of memory in the second half, MB':50}{figures.growth_mb:12.0f}{MAX_GROWTH_MB:14}")
        print(f"{'delay of the event loop, ms, p99 and slowest':50}{p99:12.0f}{slowest:14.0f}")
        missed |= figures.spans_per_second < WANTED or figures.growth_mb > MAX_GROWTH_MB
        missed |= slowest > MAX_DELAY_MS
    if missed:
        sys.exit(1)


if __name__ == "__main__":
    asyncio.run(main())
