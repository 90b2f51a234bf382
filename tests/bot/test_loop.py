"""The event loop is never held up, however much is judged and learned at the same time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace

TRACES = 200
BEAT_SECONDS = 0.01
LARGEST_SHARE = 0.2
"""Of all the processor time the work takes, what the loop's thread may spend between two beats."""
REASONS = (
    "An answer should never send people away.",
    "Every answer must name the next step.",
    "An answer must not repeat the question.",
)


@dataclass(kw_only=True, slots=True)
class Heart:
    """A task that does nothing but sleep; it counts processor time, which no other process can take."""

    beats: int = 0
    longest: float = 0.0
    """Most processor seconds that the loop's thread spent between two beats."""
    total: float = 0.0
    """Processor seconds of all threads."""

    async def beat(self) -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(BEAT_SECONDS)
            self.beats += 1
            self.longest = max(self.longest, time.thread_time() - began)


@asynccontextmanager
async def beating() -> AsyncIterator[Heart]:
    heart = Heart()
    task, began = asyncio.create_task(heart.beat()), time.process_time()
    try:
        yield heart
    finally:
        task.cancel()
        heart.total = time.process_time() - began


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
    assert heart.longest < LARGEST_SHARE * heart.total


async def at_rest(harness: BotInWorkspace) -> bool:
    database = harness.bot.database
    return not await database.feedback.waiting() and not await database.outbox.waiting()
