"""Slack's acks by a running bot with all its listeners: `python -m tests.bench.acks [MEGABYTES] [TRACES] [EVENTS]`.

A process of its own sends signed events over HTTP, 200 a second: first that many of them alone, then on while the
words of a forgotten trace are overwritten in a store of that size, while that many small traces are posted, and
while both happen. Ends with 1 when the 99th percentile alone, or the slowest ack beside the work, is over its limit.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import aiohttp

from bot.app import Timing
from bot.sandbox import Workspace
from storage.database import Database
from storage.traces import Arrival
from tests.bench.event_load import EventSender, Load
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace
from tests.storage.records import trace

TRACES_PER_FILL = 500
BYTES_PER_TRACE = 20_000
TRACES_PER_POST = 10_000
CARDS, PEOPLE = 50, 40
RATE = 200.0
MAX_P99_MS, MAX_SLOWEST_MS = 15.0, 500.0
WARM_UP_EVENTS = 400


async def main(megabytes: int, traces: int, events: int) -> None:
    """Measure and print; end with 1 when a figure is missed."""
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        await fill(Path(folder) / "store", megabytes)
        sampling, ingest = {"rate": 1.0, "max_per_day": CARDS}, {"max_pending": 10**6}
        async with bot_in_workspace(
            Path(folder),
            workspace=crowded(),
            http=True,
            pace=Timing(post_seconds=0.0),
            sampling=sampling,
            ingest=ingest,
        ) as harness:
            load = await prepare(harness, events)
            await (await EventSender.start(replace(load, events=WARM_UP_EVENTS))).finish()
            cpu_seconds = time.process_time()
            acks = await (await EventSender.start(load)).finish()
            cpu_ms = (time.process_time() - cpu_seconds) * 1000 / len(acks)
            print(f"CPU time of the bot for an event, learning and the sandbox included: {cpu_ms:.2f} ms")
            if report("alone", acks) > MAX_P99_MS:
                missed.append(f"p99 over {MAX_P99_MS:.0f} ms")
            forgetting = harness.bot.database.forgetting
            # made one by one: a gathering begins as soon as it is made, and would run beside the rows before it
            rows: tuple[tuple[str, Callable[[], Awaitable[object]]], ...] = (
                (f"vacuum of {megabytes} MB", lambda: forgetting.delete_traces(["0-1"])),
                (f"{traces} traces", lambda: post_traces(harness, "small", traces)),
                (
                    "both at once",
                    lambda: asyncio.gather(
                        forgetting.delete_traces(["0-2"]), post_traces(harness, "more", traces)
                    ),
                ),
            )
            for name, work in rows:
                acks = await acks_during(replace(load, events=10**6), work)
                report(name, acks)
                if max(acks) * 1000 > MAX_SLOWEST_MS:
                    missed.append(f"{name}: slowest over {MAX_SLOWEST_MS:.0f} ms")
    if missed:
        sys.exit(f"Missed: {'; '.join(missed)}.")


async def fill(folder: Path, megabytes: int) -> None:
    """Make a store of that size."""
    async with await Database.open(folder) as database:
        for number in range(megabytes * 1_000_000 // (TRACES_PER_FILL * BYTES_PER_TRACE)):
            batch: list[Arrival] = [
                (trace(f"{number}-{each}", inputs=f"{number}{each}".ljust(BYTES_PER_TRACE, "x")), [])
                for each in range(TRACES_PER_FILL)
            ]
            await database.traces.add(batch, 1, 10**6)


def crowded() -> Workspace:
    """Return a workspace with many people in the judge's channel."""
    workspace = Workspace()
    people = [workspace.add_user(f"person{number}").id for number in range(PEOPLE)]
    workspace.add_channel(JUDGE, members=people)
    return workspace


async def prepare(harness: BotInWorkspace, events: int) -> Load:
    """Show cards, and return events about them by members of the channel."""
    workspace, channel = harness.workspace, harness.channel
    names = [f"card-{number}" for number in range(CARDS)]
    await harness.send(*({"trace_id": name, "inputs": "Help?", "outputs": "Go away."} for name in names))
    cards = [(await harness.card(name)).ts for name in names]
    return Load(
        url=harness.bot.url,
        signing_secret=harness.slack.signing_secret,
        team=workspace.team_id,
        app=workspace.app_id,
        channel=channel.id,
        cards=cards,
        people=list(channel.members),
        events=events,
        rate=RATE,
    )


async def post_traces(harness: BotInWorkspace, name: str, number: int) -> None:
    """Post small traces, as many at once as a request may hold."""
    async with aiohttp.ClientSession() as session:
        for first in range(0, number, TRACES_PER_POST):
            items = (
                {"trace_id": f"{name}-{each}", "inputs": "q", "outputs": "a"}
                for each in range(first, min(first + TRACES_PER_POST, number))
            )
            body = "\n".join(map(json.dumps, items)).encode()
            headers = {"Content-Type": "application/x-ndjson"}
            async with session.post(f"{harness.bot.url}/traces", data=body, headers=headers) as answer:
                if answer.status != 202:
                    raise RuntimeError(f"{answer.status}: {await answer.text()}")


async def acks_during(load: Load, work: Callable[[], Awaitable[object]]) -> list[float]:
    """Return the seconds of the acks from a second before the work to a second after it."""
    sender = await EventSender.start(load)
    await asyncio.sleep(1)
    await work()
    await asyncio.sleep(1)
    return await sender.stop()


def report(name: str, acks: list[float]) -> float:
    """Print the figures in milliseconds; return the 99th percentile."""
    median, p99 = statistics.median(acks) * 1000, statistics.quantiles(acks, n=100)[98] * 1000
    print(
        f"{name}: {len(acks)} acks, median {median:.1f} ms, p99 {p99:.1f} ms, slowest {max(acks) * 1000:.0f} ms",
        flush=True,
    )
    return p99


if __name__ == "__main__":
    asyncio.run(
        main(*(int(each) for each in [*sys.argv[1:], *["1000", "60000", "20000"][len(sys.argv) - 1 :]]))
    )
