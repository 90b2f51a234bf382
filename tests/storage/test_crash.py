"""A killed process or a cut of power loses nothing that was confirmed, and leaves no step half done."""

import asyncio
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

from memalign.ports import MemoryChange
from memalign.records import Guideline, Source
from storage.candidate_pool import CANDIDATES_PER_WINDOW
from storage.database import Database
from storage.records import Candidate, CandidateWindow, LocalHour, NewCard
from tests.storage.crash import run
from tests.storage.pragma import pragma
from tests.storage.records import DAY, NOON_MS, trace, verdict

HOUR = LocalHour(day=DAY, hour=12)
WINDOW = CandidateWindow(judge="polite", start_ms=NOON_MS - 1, end_ms=NOON_MS + 1)
WRITES = 12
CUT_EVERY = 2003
"""Bytes; no divisor of a page, so that cuts fall everywhere in pages and on their borders."""


async def test_what_was_confirmed_survives_kills_at_random_instants(tmp_path: Path) -> None:
    tallies = await asyncio.gather(*(run(tmp_path / str(seed), kills=8, seed=seed) for seed in (11, 12, 13)))
    assert sum(each.kills for each in tallies) == 24
    assert all(each.confirmed > 0 for each in tallies)
    assert sum(each.interrupted for each in tallies) > 0
    assert [(each.lost, each.torn) for each in tallies] == [(0, 0)] * 3


async def test_a_log_cut_anywhere_holds_whole_writes_from_the_first_on(
    folder_db: Database, folder: Path
) -> None:
    for number in range(WRITES):
        batch = [(trace(f"{number}{part}", inputs="x" * 6000), ["polite"]) for part in "ab"]
        await folder_db.traces.add(batch, number, 1000)
    log = (folder / "memalign.db-wal").read_bytes()
    held = [await writes_held(folder, log[:cut]) for cut in range(0, len(log) + CUT_EVERY, CUT_EVERY)]
    assert held == sorted(held)
    assert held[-1] == WRITES
    assert len(held) > 100


async def test_a_log_cut_anywhere_holds_a_guideline_with_its_audit_line_or_neither(
    folder_db: Database, folder: Path
) -> None:
    source = Source(trace_id="tr-1", person="U1", quote="x" * 3000)
    for number in range(WRITES):
        rule = Guideline(id=f"g-{number:02}", text="x" * 3000, sources=(source,))
        dropped = frozenset({f"g-{number - 2:02}"} if number > 1 else {})
        change = MemoryChange(
            put_guidelines=(rule,), drop_guidelines=dropped, from_version=number, at_ms=number
        )
        await folder_db.memories.save("polite", change)
    log = (folder / "memalign.db-wal").read_bytes()
    versions = [await version_held(folder, log[:cut]) for cut in range(0, len(log) + CUT_EVERY, CUT_EVERY)]
    assert versions == sorted(versions)
    assert versions[-1] == WRITES


async def version_held(folder: Path, log: bytes) -> int:
    """Return how many changes of the memory are left; what is left of guidelines and audit lines is theirs."""
    async with await Database.open(cut_off(folder, log)) as db:
        snapshot = await db.memories.load("polite")
        lines = [(line.what, line.ids) for line in await db.audit.between(0, WRITES)]
    changes = range(snapshot.version)
    learned = [("guideline_learned", (f"g-{number:02}",)) for number in changes]
    retired = [("guideline_retired", (f"g-{number - 2:02}",)) for number in changes if number > 1]
    assert sorted(lines) == sorted(learned + retired)
    assert [rule.id for rule in snapshot.guidelines] == [f"g-{number:02}" for number in changes][-2:]
    return snapshot.version


async def test_a_log_cut_anywhere_holds_a_windows_candidates_or_its_card(
    folder_db: Database, folder: Path
) -> None:
    """Arrivals, each of which may evict another, then the card: whole steps from the first on."""
    ranks = random.Random(3).sample(range(100), 2 * CANDIDATES_PER_WINDOW)
    for rank in ranks:
        batch = [(trace(f"tr-{rank:02}", inputs="x" * 6000), ())]
        await folder_db.traces.add(batch, NOON_MS, 1000, candidates={0: [candidate(rank)]}, hour=HOUR)
    chosen = f"tr-{min(ranks):02}"
    card = NewCard(verdict=verdict(chosen), channel="C1", judged_ms=NOON_MS, day=DAY)
    await folder_db.candidates.close(WINDOW, [card])
    log = (folder / "memalign.db-wal").read_bytes()
    cuts = range(0, len(log) + CUT_EVERY, CUT_EVERY)
    held = [await arrivals_held(folder, log[:cut], ranks, chosen) for cut in cuts]
    assert held == sorted(held)
    assert held[-1] == len(ranks) + 1


def candidate(rank: int) -> Candidate:
    return Candidate(
        trace_id=f"tr-{rank:02}",
        judge=WINDOW.judge,
        window_start_ms=WINDOW.start_ms,
        window_end_ms=WINDOW.end_ms,
        rank=rank / 100,
        received_ms=NOON_MS,
    )


async def arrivals_held(folder: Path, log: bytes, ranks: Sequence[int], chosen: str) -> int:
    """Return how many arrivals are left, the card counted as one; what is stored is theirs and nothing else."""
    async with await Database.open(cut_off(folder, log)) as db:
        windows = await db.candidates.due(WINDOW.end_ms)
        kept = [each.trace_id for each, _ in await db.candidates.of_window(WINDOW)]
        stored = [f"tr-{rank:02}" for rank in ranks if await db.traces.contains(f"tr-{rank:02}")]
        verdicts = [each.verdict.trace_id for each in await db.verdicts.recent("polite", 10)]
        posts, traffic = await db.outbox.waiting(), await db.traffic.of_judge("polite")
    arrived = sum(sum(hours) for hours in traffic.values())
    if verdicts:
        assert (verdicts, stored, kept, windows, posts) == ([chosen], [chosen], [], [], 1)
        return arrived + 1
    smallest = [f"tr-{rank:02}" for rank in sorted(ranks[:arrived])[:CANDIDATES_PER_WINDOW]]
    assert (kept, sorted(stored), posts) == (smallest, smallest, 0)
    assert [each.seen for each in windows] == ([arrived] if arrived else [])
    return arrived


def cut_off(folder: Path, log: bytes) -> Path:
    """Return a copy of the folder as it is when power fails with so much of the log on disk."""
    cut = folder.with_name("cut")
    shutil.rmtree(cut, ignore_errors=True)
    shutil.copytree(folder, cut, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    (cut / "memalign.db-wal").write_bytes(log)
    return cut


async def writes_held(folder: Path, log: bytes) -> int:
    """Number of writes left when power fails with so much of the log on disk."""
    async with await Database.open(cut_off(folder, log)) as db:
        there = [
            {await db.traces.get(f"{number}{part}") is not None for part in "ab"} for number in range(WRITES)
        ]
        held = there.index({False}) if {False} in there else WRITES
        assert there == [{True}] * held + [{False}] * (WRITES - held)
        assert await db.traces.waiting() == 2 * held
    return held


async def test_every_write_is_asked_to_reach_the_disk(folder_db: Database) -> None:
    settings = {
        name: await pragma(folder_db, name) for name in ("journal_mode", "synchronous", "secure_delete")
    }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1}
