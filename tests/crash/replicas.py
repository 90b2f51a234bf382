"""`python -m tests.crash.replicas --kills 100` kills replicas on one database, one of them always alive."""

import argparse
import asyncio
import contextlib
import random
import signal
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import Sequence
from pathlib import Path

from storage.engines.postgres_session import lock_key
from storage.location import PostgresUrl
from tests.crash import inspect
from tests.crash.__main__ import compare, rest, stop
from tests.crash.ledger import Tally
from tests.crash.world import World
from tests.postgres_server import PostgresServer, running_server

DATABASE = "crash"
REPLICAS = 3
CROWD_SECONDS = 0.3
"""Three processes and a database share the cores with everything else."""
TAKEOVER_SECONDS = 20.0
_LED = """
SELECT (classid::bigint << 32) | objid::bigint, pid FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND mode = 'ExclusiveLock'
  AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2)
"""
"""The duties that are led, and by which session: those of replicas have a lock of their own besides."""


class Replicas:
    """Three processes of one bot on one database."""

    def __init__(self, world: World, server: PostgresServer) -> None:
        self.world = world
        self.server = server
        self.processes: dict[int, Process] = {}

    def victim(self) -> int:
        """Return a replica to kill: often the one that runs for longest, since it has most duties."""
        oldest = next(iter(self.processes))
        return oldest if self.world.chance.random() < 0.6 else self.world.chance.choice([*self.processes])

    async def start(self, place: int) -> None:
        """Start a replica, and wait until it runs."""
        self.processes.pop(place, None)
        process = self.processes[place] = await self.world.start_bot(place)
        assert process.stdout is not None
        await process.stdout.readline()

    async def kill(self, place: int) -> float | None:
        """Kill a replica; returns the seconds until others had its duties, None if it had none."""
        before = self._led()
        killed = time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            self.processes[place].send_signal(signal.SIGKILL)
        await self.processes[place].communicate()
        lost: set[int] = set()
        while time.monotonic() - killed < TAKEOVER_SECONDS:
            now = self._led()
            lost |= {duty for duty, pid in before.items() if now.get(duty) != pid}
            if lost <= now.keys() and time.monotonic() - killed > 0.1:
                break
            await asyncio.sleep(0.02)
        return time.monotonic() - killed if lost else None

    def _led(self) -> dict[int, int]:
        with self.server.connect(DATABASE) as connection:
            rows = connection.execute(_LED).fetchall()
        return {int(str(duty)): int(str(pid)) for duty, pid in rows}


async def run(
    folder: Path, server: PostgresServer, kills: int, seed: int, *, traces: int, failures: int = 0
) -> Tally:
    """Kill replicas so many times, let the database fail so often, then let all come to rest, and compare."""
    server.create_database(DATABASE)
    world = World(
        folder,
        random.Random(seed),
        traces=traces,
        database_url=server.url(DATABASE),
        replicas=REPLICAS,
        crowd_seconds=CROWD_SECONDS,
    )
    world.write_settings(seconds_to_digest=3.0 + kills)
    tally = Tally(kills=kills, database_failures=failures)
    replicas = Replicas(world, server)
    async with world.slack:
        for place in range(REPLICAS):
            await replicas.start(place)
        async with world.load():
            await _disturb(replicas, tally, kills, failures)
        await world.send_rest()
        left = await rest(world)
        for process in replicas.processes.values():
            left += await stop(process)
        await compare(world, tally, left)
        tally.lost += _bytes_left(world, server)
    return tally


async def _disturb(replicas: Replicas, tally: Tally, kills: int, failures: int) -> None:
    world = replicas.world
    events = ["kill"] * kills + ["failure"] * failures
    world.chance.shuffle(events)
    for event in events:
        await asyncio.sleep(world.chance.uniform(0.2, 2.0))
        if event == "failure":
            await _fail(replicas.server, world)
            continue
        place = replicas.victim()
        takeover = await replicas.kill(place)
        tally.takeovers += [] if takeover is None else [takeover]
        tally.lost += await inspect.lost_now(world)
        await replicas.start(place)


async def _fail(server: PostgresServer, world: World) -> None:
    """Let the database be started anew, refuse connections for a while, or be held by somebody."""
    kind = world.chance.choice(("restart", "cut of power", "refusal", "slow"))
    if kind == "slow":
        await asyncio.to_thread(_hold, server, world.location, 5.0)
        return
    await asyncio.to_thread(server.stop, "immediate" if kind == "cut of power" else "fast")
    await asyncio.sleep(world.chance.uniform(3.0, 30.0) if kind == "refusal" else 0.0)
    await asyncio.to_thread(server.start)


def _hold(server: PostgresServer, location: object, seconds: float) -> None:
    """Keep everybody from writing, as a slow disk does."""
    assert isinstance(location, PostgresUrl)
    with server.connect(DATABASE) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key(location, "write"),))
        connection.execute("SELECT pg_sleep(%s)", (seconds,))


def _bytes_left(world: World, server: PostgresServer) -> list[str]:
    words = inspect.words_of_the_forgotten(world)
    return server.files_with([word.encode() for word in words], DATABASE)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, print the figures, and end with 1 when anything was lost, doubled or left undone."""
    options = argparse.ArgumentParser(prog="python -m tests.crash.replicas", description=main.__doc__)
    options.add_argument("--kills", type=int, default=60)
    options.add_argument("--failures", type=int, default=0, help="times that the database fails (default: 0)")
    options.add_argument("--traces", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        tally = asyncio.run(
            run(
                Path(folder),
                server,
                chosen.kills,
                chosen.seed,
                traces=chosen.traces,
                failures=chosen.failures,
            )
        )
    print(tally.in_words())
    sys.exit(bool(tally.lost or tally.doubled or tally.unfinished))


if __name__ == "__main__":
    main()
