"""The event loop is never held up, however much is judged and learned at the same time."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace

TRACES = 200
BEAT_SECONDS = 0.01
BLOCKED_SECONDS = 1.0
"""Far above what a beat is late by itself, far below what judging or learning on the loop would take."""
REASONS = (
    "An answer should never send people away.",
    "Every answer must name the next step.",
    "An answer must not repeat the question.",
)


@dataclass(kw_only=True, slots=True)
class Heart:
    """How a task that does nothing but sleep fared."""

    beats: int = 0
    latest: float = 0.0
    """By how many seconds the latest beat was late."""
    machine: float = 0.0
    """By how many seconds the latest beat of a thread beside the loop was late: what the machine is to blame for."""

    async def beat(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            self.beats += 1
            self.latest = max(self.latest, clock() - due)

    def beat_beside(self, stop: threading.Event) -> None:
        while not stop.is_set():
            due = time.monotonic() + BEAT_SECONDS
            time.sleep(BEAT_SECONDS)
            self.machine = max(self.machine, time.monotonic() - due)


@asynccontextmanager
async def beating() -> AsyncIterator[Heart]:
    heart = Heart()
    task, stop = asyncio.create_task(heart.beat()), threading.Event()
    beside = threading.Thread(target=heart.beat_beside, args=(stop,))
    beside.start()
    try:
        yield heart
    finally:
        task.cancel()
        stop.set()
        beside.join()


async def teach(harness: BotInWorkspace, number: int) -> None:
    card = harness.shown(f"tr-{number}")
    assert card is not None
    harness.react(card, "-1" if number % 2 else "+1")
    harness.reply(card, f"{REASONS[number % 3]} That is what case {number} shows.")


async def test_the_loop_is_not_held_up_while_200_traces_are_judged_and_learned(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness, beating() as heart:
        names = [f"tr-{number}" for number in range(TRACES)]
        await harness.send(
            *({"trace_id": name, "inputs": f"How do I do {name}?", "outputs": "Go away."} for name in names)
        )
        await harness.until(lambda: all(harness.shown(name) for name in names), seconds=120)
        for number in range(TRACES):
            await teach(harness, number)
            await asyncio.sleep(0)
        await harness.slack.settled(120)
        await harness.until_async(lambda: at_rest(harness), seconds=120)
        assert set(harness.labels()) == set(names)
        assert harness.rules() != []
    assert heart.beats > TRACES
    assert heart.latest < BLOCKED_SECONDS + heart.machine


async def at_rest(harness: BotInWorkspace) -> bool:
    database = harness.bot.database
    return not await database.feedback.waiting() and not await database.outbox.waiting()
