"""A store written by an earlier version is carried over: whole, forward only, and once."""

import gzip
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from memalign.errors import StorageError
from storage.backup import restore
from storage.database import Database
from storage.engines import SCHEMA_VERSION
from storage.engines.sqlite_file import FILE
from storage.verdicts import card_post_id_of, verdict_id_of
from tests.storage.answers import answers, lasting, plain
from tests.storage.records import DAY, at, button_event, trace, verdict

FIXTURES = Path(__file__).parent / "fixtures"
ROOT = Path(__file__).parents[2]
ANSWERED = json.loads((FIXTURES / "store-0.1.0.json").read_text(encoding="utf-8"))
for redaction in (*ANSWERED["redactions"], *ANSWERED["redactions at last"]):
    # who had a trace forgotten is kept since
    redaction["person"] = None
CUT_EVERY = 20_011
"""Bytes; no divisor of a page, so that cuts fall everywhere in pages and on their borders."""
TABLES = {
    *(
        "audit",
        "card_counts",
        "channel_holds",
        "digests",
        "early_events",
        "episodes",
        "feedback",
        "guideline_uses",
        "forget_requests",
    ),
    *("forgotten", "forgotten_people", "guidelines", "jobs", "maintenance", "memories", "moments", "outbox"),
    *("pending_feedback", "redactions", "thread_posts", "traces", "vector_owners", "vectors", "verdicts"),
}
OPENER = """
import asyncio, sys
from pathlib import Path
from storage.database import Database

print("begins", flush=True)
asyncio.run(Database.open(Path(sys.argv[1])))
"""


@pytest.fixture
def old(folder: Path) -> Path:
    """A folder with the store of memalign 0.1.0."""
    folder.mkdir()
    (folder / FILE).write_bytes(gzip.decompress((FIXTURES / "store-0.1.0.db.gz").read_bytes()))
    return folder


def version_of(folder: Path) -> int:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def dump(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return [line.encode("unicode_escape").decode() for line in connection.iterdump()]


async def test_every_repository_answers_as_the_version_before_did(old: Path) -> None:
    async with await Database.open(old) as db:
        current = await answers(db)
    assert current == ANSWERED
    assert version_of(old) == SCHEMA_VERSION


async def test_opening_it_again_changes_nothing(old: Path) -> None:
    await (await Database.open(old)).close()
    before = dump(old)
    await (await Database.open(old)).close()
    assert dump(old) == before


async def test_no_table_of_the_version_before_is_left(old: Path) -> None:
    await (await Database.open(old)).close()
    with closing(sqlite3.connect(old / FILE)) as connection:
        current = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert {name.partition("/")[0] for (name,) in current} == TABLES


async def test_reading_an_old_store_leaves_its_file_as_it_is(old: Path) -> None:
    before = (old / FILE).read_bytes()
    async with await Database.open(old, read_only=True) as reader:
        current = plain(await lasting(reader))
    assert current == {name: ANSWERED[name] for name in current}
    assert (old / FILE).read_bytes() == before


async def test_a_backup_of_the_version_before_can_be_restored(tmp_path: Path) -> None:
    backup = tmp_path / "old.db"
    backup.write_bytes(gzip.decompress((FIXTURES / "store-0.1.0.db.gz").read_bytes()))
    await restore(backup, tmp_path / "data")
    async with await Database.open(tmp_path / "data") as db:
        assert plain(await answers(db)) == ANSWERED


async def test_a_program_that_knows_only_the_version_before_is_refused(old: Path) -> None:
    await (await Database.open(old)).close()
    with closing(sqlite3.connect(old / FILE)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(StorageError, match="written by a newer memalign"):
        await Database.open(old)


async def test_a_cut_of_power_while_it_is_carried_over_leaves_all_or_nothing(
    old: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(old / FILE, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        # a vacuum would empty the log that is to be cut
        connection.execute("DELETE FROM debts")
    main = (old / FILE).read_bytes()
    async with await Database.open(old):
        log = (old / f"{FILE}-wal").read_bytes()
    versions = []
    for end in range(0, len(log) + CUT_EVERY, CUT_EVERY):
        cut = tmp_path / f"cut-{end}"
        cut.mkdir()
        (cut / FILE).write_bytes(main)
        (cut / f"{FILE}-wal").write_bytes(log[:end])
        versions.append(version_of(cut))
        async with await Database.open(cut) as db:
            assert plain(await answers(db)) == ANSWERED
    assert versions == sorted(versions)
    assert set(versions) == {1, SCHEMA_VERSION}


@pytest.mark.parametrize("kills", [12])
async def test_a_kill_while_it_is_carried_over_leaves_all_or_nothing(
    old: Path, tmp_path: Path, kills: int
) -> None:
    versions = set()
    for number in range(kills):
        cut = tmp_path / f"cut-{number}"
        shutil.copytree(old, cut)
        kill_while_opening(cut, seconds=number * 0.006)
        versions.add(version_of(cut))
        async with await Database.open(cut) as db:
            assert plain(await answers(db)) == ANSWERED
    assert versions <= {1, SCHEMA_VERSION}


def kill_while_opening(folder: Path, seconds: float) -> None:
    """Kill a process so long after it began to open the store."""
    with subprocess.Popen(
        [sys.executable, "-c", OPENER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE
    ) as opener:
        assert opener.stdout is not None
        opener.stdout.readline()
        time.sleep(seconds)
        opener.send_signal(signal.SIGKILL)


async def test_a_store_without_the_list_of_answered_blind_cards_gets_it(folder: Path) -> None:
    async with await Database.open(folder) as db:
        await db.traces.add([(trace(), ["polite"])], 1, 10)
        await db.verdicts.keep(verdict(), channel="C1", judged_ms=1, day=DAY, is_blind=True)
        await db.outbox.start(card_post_id_of(verdict_id_of("polite", "tr-1")))
        await db.outbox.done(card_post_id_of(verdict_id_of("polite", "tr-1")), "100.1")
        await db.feedback.note("C1", "100.1", button_event("U1", "unsure", at(1)))
    with closing(sqlite3.connect(folder / FILE)) as connection:
        connection.execute('DROP TABLE "verdicts/outdated_blind"')
        connection.execute("PRAGMA user_version = 5")
        connection.commit()
    async with await Database.open(folder) as db:
        assert [each.verdict.trace_id for each in await db.verdicts.outdated_blind_cards()] == ["tr-1"]
