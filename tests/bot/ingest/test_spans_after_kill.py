"""Spans answered 200 survive the death of the bot, wherever in the making of the trace it dies."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.bot.ingest.otlp import TestSpan, as_protobuf, trace_id
from tests.bot.ingest.trace_server import trace_server

TRACES = 30
QUIET_SECONDS = 0.05
SERVE = """
import asyncio, sys
from pathlib import Path
from tests.bot.ingest.test_spans_after_kill import serve
asyncio.run(serve(Path(sys.argv[1])))
"""


def spans_of(trace: str) -> list[TestSpan]:
    root = TestSpan(trace=trace, name="answer", attributes={"input.value": "Help?", "output.value": "No."})
    return [root, *(TestSpan(trace=trace, name=f"step {step}", parent="answer") for step in range(3))]


async def serve(folder: Path) -> None:
    """Take one request for each span, say which were answered 200, and finish traces meanwhile."""
    async with trace_server(
        folder, sampling={"rate": 1.0, "spread": False}, ingest={"port": 0, "quiet_seconds": QUIET_SECONDS}
    ) as bot:
        finishing = asyncio.create_task(bot.assembly.run())
        for number in range(TRACES):
            for span in spans_of(f"trace {number}"):
                answer = await bot.intakes.spans.post(as_protobuf([span]), "application/x-protobuf")
                print(f"{number} {answer.status}", flush=True)
            await asyncio.sleep(0.02)
        await finishing


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.6, 1.0])
async def test_what_was_answered_is_there_once_after_a_kill(tmp_path: Path, seconds: float) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, str(tmp_path), stdout=asyncio.subprocess.PIPE, env={**os.environ}
    )
    assert process.stdout is not None
    first = await process.stdout.readline()
    await asyncio.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    answered = (first + await process.stdout.read()).decode().split("\n")
    await process.wait()
    numbers = [line.split()[0] for line in answered if line.endswith("200")]
    async with trace_server(
        tmp_path, sampling={"rate": 1.0, "spread": False}, ingest={"port": 0, "quiet_seconds": QUIET_SECONDS}
    ) as bot:
        # of the last trace the root may have come alone, or nothing but its children
        while await bot.database.open_traces.count():
            await bot.assembly.finish_due()
            await asyncio.sleep(0.02)
        # the last one may be on disk without its answer
        assert await bot.database.traces.count() - len(set(numbers)) in (0, 1)
        assert await bot.database.traces.waiting() == await bot.database.traces.count()
        for number in sorted(set(numbers)):
            trace = await bot.database.traces.get(trace_id(f"trace {number}"))
            assert trace is not None
            assert len(trace.spans) >= numbers.count(number)


async def test_a_trace_that_was_handed_on_before_the_kill_is_not_handed_on_again(tmp_path: Path) -> None:
    async with trace_server(
        tmp_path, sampling={"rate": 1.0, "spread": False}, ingest={"port": 0, "quiet_seconds": QUIET_SECONDS}
    ) as bot:
        await bot.intakes.spans.post(as_protobuf(spans_of("t")), "application/x-protobuf")
        batches = (await bot.database.open_traces.batches([trace_id("t")]))[trace_id("t")]
        await asyncio.sleep(2 * QUIET_SECONDS)
        await bot.assembly.finish_due()
        known = await bot.database.traces.get(trace_id("t"))
        # as if it had died before the spans were deleted
        await bot.intakes.spans.post(as_protobuf(spans_of("t")), "application/x-protobuf")
        assert (await bot.database.open_traces.batches([trace_id("t")]))[
            trace_id("t")
        ].keys() == batches.keys()
        await asyncio.sleep(2 * QUIET_SECONDS)
        await bot.assembly.finish_due()
        assert await bot.database.traces.get(trace_id("t")) == known
        assert await bot.database.traces.waiting() == 1
        assert await bot.database.open_traces.count() == 0
