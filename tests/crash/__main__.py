"""`python -m tests.crash --kills 200` kills a working bot so many times and says what was lost or doubled."""

import argparse
import asyncio
import contextlib
import random
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import Sequence
from pathlib import Path

from storage.database import Database
from tests.crash import inspect
from tests.crash.ledger import Tally, payload_of
from tests.crash.world import World
from tests.model_server import ModelServer, running_model_server

REST_SECONDS = 60.0
STOP_SECONDS = 10.0
TRACES = 120
TRACES_PER_KILL = 60
"""With windows, of whose traces only a few get a card."""


async def run(
    folder: Path, kills: int, seed: int, *, traces: int = TRACES, models: ModelServer | None = None
) -> Tally:
    """Kill one bot so many times, checking after each kill; then let it come to rest, and check everything.

    With a server of models, cards are drawn from windows.
    """
    world = World(folder, random.Random(seed), traces=traces, models=models)
    world.write_settings(seconds_to_digest=1.0 * kills)
    if models:
        await world.note_busy_days()
    tally = Tally(kills=kills)
    async with world.slack:
        async with world.load():
            for _ in range(kills):
                await world.kill_bot()
                if Database.state(world.location) not in ("absent", "empty"):
                    tally.lost += await inspect.lost_now(world)
        await finish(world, tally)
    return tally


async def finish(world: World, tally: Tally) -> None:
    """Let the bot run undisturbed until nothing is left to do, stop it, and compare."""
    process = await world.start_bot()
    await world.send_rest()
    left = await rest(world)
    left += await stop(process)
    await compare(world, tally, left)
    tally.bytes_searched, left_bytes = inspect.bytes_searched(world)
    tally.lost += left_bytes


async def rest(world: World) -> list[str]:
    """Wait until nothing is left to do; returns what is left after a minute."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + REST_SECONDS
    while (left := await inspect.unfinished(world)) and loop.time() < deadline:  # noqa: ASYNC110 - another process works
        await asyncio.sleep(0.5)
    return left


async def stop(process: Process) -> list[str]:
    """Stop a bot; returns what is wrong with its end."""
    with contextlib.suppress(ProcessLookupError):  # its exit code tells
        process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(STOP_SECONDS):
        await process.communicate()
    return [] if process.returncode == 0 else [f"exit code {process.returncode}"]


async def compare(world: World, tally: Tally, left: list[str]) -> None:
    """Compare the store and the workspace with what was acknowledged, once all bots have ended."""
    tally.lost += await inspect.lost_now(world)
    tally.unfinished += left
    tally.doubled += inspect.doubled(world)
    tally.lost += await inspect.remembered_wrongly(world)
    tally.lost += [*inspect.still_shown(world), *inspect.asked_about_the_forgotten(world)]
    tally.shadows = await inspect.shadows(world)
    count(world, tally)


def count(world: World, tally: Tally) -> None:
    """Fill in the figures."""
    posts = [
        str(payload_of(message).get("post_id", ""))
        for channel in world.channels.values()
        for message in world.workspace.messages(channel)
    ]
    tally.acked_events = world.ledger.acked
    tally.model_calls = len(world.models.calls) if world.models else 0
    tally.accepted_traces = len(world.ledger.accepted)
    tally.acked_forgets = len(world.ledger.forgotten)
    tally.words_taken_back = len(world.ledger.unsaid)
    tally.cards = sum(post.startswith("card") for post in posts)
    tally.digests = sum(post.startswith("digest") for post in posts)
    tally.lessons = sum(
        "Learned: " in reply.text
        for card in world.cards()
        for reply in world.workspace.thread(card.channel, card.ts)[1:]
    )


async def run_all(kills: int, worlds: int, seed: int, servers: Sequence[ModelServer] = ()) -> Tally:
    """Share the kills among several worlds at once; with a server of models for each, cards come from windows."""
    share = -(-kills // worlds)
    with tempfile.TemporaryDirectory() as folder:
        runs = []
        for number in range(worlds):
            models = servers[number] if servers else None
            traces = TRACES_PER_KILL * share if models else TRACES
            place = Path(tempfile.mkdtemp(dir=folder))
            runs.append(run(place, share, seed + number, traces=traces, models=models))
        return sum(await asyncio.gather(*runs), Tally())


def main() -> None:
    """Run, print the figures, and end with 1 when anything was lost, doubled or left undone."""
    options = argparse.ArgumentParser(prog="python -m tests.crash", description=main.__doc__)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--worlds", type=int, default=4, help="bots killed at the same time (default: 4)")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--windows", action="store_true", help="draw cards from windows of a second")
    chosen = options.parse_args()
    with contextlib.ExitStack() as stack:
        number = chosen.worlds if chosen.windows else 0
        servers = [stack.enter_context(running_model_server()) for _ in range(number)]
        tally = asyncio.run(run_all(chosen.kills, chosen.worlds, chosen.seed, servers))
    print(tally.in_words())
    sys.exit(bool(tally.lost or tally.doubled or tally.unfinished))


if __name__ == "__main__":
    main()
