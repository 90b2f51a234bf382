"""Kills a writing process at random instants and looks at what is left.

`python -m tests.storage.crash 200` kills 200 times and prints the tally.
"""

import asyncio
import random
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen

from storage.database import Database
from storage.verdicts import verdict_id_of
from tests.storage.records import DAY, NOON_MS, at, button_event, card, trace, verdict

ROOT = Path(__file__).parents[2]
JUDGE = "polite"

Observed = tuple[bool, bool, bool, bool, int, str, bool, bool, int, bool]
"""Both traces, job, verdict, cards counted, post, card's message, facts, revision, forgotten."""

LEVELS: tuple[Observed, ...] = (
    (False, False, False, False, 0, "none", False, False, 0, False),
    (True, True, True, False, 0, "none", False, False, 0, False),
    (True, True, False, True, 1, "due", False, False, 0, False),
    (True, True, False, True, 1, "posting", False, False, 0, False),
    (True, True, False, True, 1, "none", True, False, 0, False),
    (True, True, False, True, 1, "none", True, True, 1, False),
    (False, True, False, False, 1, "none", False, False, 0, True),
)
"""The states of a case in the store after each of its steps: anything else is half a step."""


@dataclass(kw_only=True, slots=True)
class Tally:
    """Counts of what was tried, and the faults."""

    kills: int = 0
    confirmed: int = 0
    interrupted: int = 0
    lost: int = 0
    torn: int = 0


async def write_until_killed(folder: Path, first: int) -> None:
    """Take one case after the other through its steps, telling before and after each."""
    async with await Database.open(folder) as db:
        for number in range(first, first + 1_000_000):
            for step, do in enumerate(steps(db, number), start=1):
                print(f"begin {number} {step}", flush=True)
                await do()
                print(f"done {number} {step}", flush=True)


def steps(db: Database, number: int) -> list[Callable[[], Awaitable[object]]]:
    """The steps of a case, each of which is one call."""
    own, channel = f"t{number}", f"C{number}"
    post_id = card(own, JUDGE, channel).post_id
    # more than a page, so that an interrupted write has many places to stop at
    shown = trace(own, inputs="x" * 9000)
    batch = [(shown, [JUDGE]), (trace(f"{own}b"), [])]
    new_verdict = verdict(own, JUDGE)
    return [
        lambda: db.traces.add(batch, NOON_MS, 10**9),
        lambda: db.verdicts.keep(new_verdict, channel=channel, judged_ms=NOON_MS, day=DAY),
        lambda: db.outbox.start(post_id),
        lambda: db.outbox.done(post_id, "1.1"),
        lambda: db.feedback.note(channel, "1.1", button_event("U1", "up", at())),
        *([lambda: db.forgetting.delete_traces([own])] if number % 3 == 0 else []),
    ]


async def observe(db: Database, number: int) -> Observed:
    """The state of a case in the store."""
    own, channel = f"t{number}", f"C{number}"
    post_id, verdict_id = card(own, JUDGE, channel).post_id, verdict_id_of(JUDGE, own)
    due = {each.post_id for each in await db.outbox.next_due(NOON_MS)}
    posting = {each.post_id for each in await db.outbox.in_flight()}
    jobs = {each.trace_id for each in await db.traces.next_jobs(NOON_MS, 1000)}
    kept_verdict = await db.verdicts.get(verdict_id)
    return (
        await db.traces.get(own) is not None,
        await db.traces.get(f"{own}b") is not None,
        own in jobs,
        kept_verdict is not None,
        await db.verdicts.shown_on(channel, DAY),
        "due" if post_id in due else "posting" if post_id in posting else "none",
        await db.verdicts.by_card(channel, "1.1") is not None,
        bool(await db.feedback.of(verdict_id)),
        0 if kept_verdict is None else kept_verdict.revision,
        await db.traces.is_forgotten(own),
    )


def kill_once(folder: Path, first: int, chance: random.Random) -> dict[int, tuple[int, int]]:
    """Kill a writer at some instant; for each of its cases, the last step confirmed and the last begun."""
    with Popen(
        [sys.executable, "-m", "tests.storage.crash", "--write", str(folder), str(first)],
        cwd=ROOT,
        stdout=PIPE,
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(chance.uniform(0, 0.12))
        writer.send_signal(signal.SIGKILL)
        # a line that the kill cut short was never told
        new_verdict = writer.stdout.read().rpartition(b"\n")[0].decode().splitlines()
    progress = {first: (0, 1)}
    for line in new_verdict:
        word, number, step = line.split()
        done, _ = progress.get(int(number), (0, 0))
        progress[int(number)] = (int(step) if word == "done" else done, int(step))
    return progress


async def check(folder: Path, progress: dict[int, tuple[int, int]], tally: Tally) -> None:
    """Compare what is left with what was told."""
    async with await Database.open(folder) as db:
        for number, (done, begun) in progress.items():
            observed = await observe(db, number)
            tally.confirmed += done
            tally.interrupted += done < begun
            if observed not in LEVELS:
                tally.torn += 1
            elif not done <= LEVELS.index(observed) <= begun:
                tally.lost += 1


async def run(folder: Path, kills: int, seed: int) -> Tally:
    """Kill so many times, always on the same store, and check all cases so far after each kill."""
    chance, tally = random.Random(seed), Tally()
    progress: dict[int, tuple[int, int]] = {}
    for _ in range(kills):
        first = max(progress, default=-1) + 1
        latest = await asyncio.to_thread(kill_once, folder, first, chance)
        tally.kills += 1
        await check(folder, latest, tally)
        progress |= latest
    final = Tally()
    await check(folder, progress, final)
    tally.lost, tally.torn = max(tally.lost, final.lost), max(tally.torn, final.torn)
    return tally


def main(arguments: list[str]) -> None:
    if arguments[0] == "--write":
        asyncio.run(write_until_killed(Path(arguments[1]), int(arguments[2])))
    with tempfile.TemporaryDirectory() as folder:
        print(asyncio.run(run(Path(folder) / "data", int(arguments[0]), seed=1)))


if __name__ == "__main__":
    main(sys.argv[1:])
