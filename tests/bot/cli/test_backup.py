"""`memalign backup` while the bot runs, `memalign restore` into an empty folder, and `[storage] keep_days`."""

import asyncio
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from bot.config import read_settings
from bot.forgetting.retention import Retention
from bot.runtime.clock import now_ms
from memalign.errors import SettingsError
from memalign.ports import MemoryChange
from memalign.records import Guideline, Source
from storage.database import Database
from storage.traces import Arrival
from tests.bot.bot_in_workspace import bot_in_workspace
from tests.storage.records import posted, trace
from tests.storage.test_damage import damage_one, truncated

SETTINGS = """
[storage]
path = "store"
[[judges]]
name = "politeness"
channel = "C1"
model = "local:/cases"
instructions = "Is it polite? {{ inputs }} {{ outputs }}"
[memory]
reflection_lm = "local:/extract"
embedding_model = "local:/wordllama"
"""


async def memalign(folder: Path, *arguments: str) -> tuple[int, str, str]:
    config = folder / "memalign.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, "--config", str(config), stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_backup_of_a_running_bot_is_restored_into_an_empty_folder(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        await harness.show("tr-1")
        code, out, err = await memalign(tmp_path, "backup", str(tmp_path / "copy.db"))
        assert (code, err) == (0, "")
        assert "is copied to" in out
        assert out.count("\n") == 1
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    code, out, err = await memalign(elsewhere, "restore", str(tmp_path / "copy.db"))
    assert (code, err, out.count("\n")) == (0, "", 1)
    async with await Database.open(elsewhere / "store") as db:
        assert await db.traces.get("tr-1") is not None
    code, _, err = await memalign(elsewhere, "restore", str(tmp_path / "copy.db"))
    assert (code, err.count("\n")) == (1, 1)
    assert "a store" in err


async def test_a_backup_overwrites_nothing_and_says_where_it_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("precious")
    async with await Database.open(tmp_path / "store") as db:
        await posted(db)
    code, _, err = await memalign(tmp_path, "backup", str(tmp_path / "there"))
    assert (code, (tmp_path / "there").read_text()) == (1, "precious")
    assert "name another" in err
    code, _, err = await memalign(tmp_path, "backup", str(tmp_path / "no" / "where"))
    assert code == 1
    assert "There is no folder" in err
    code, _, err = await memalign(tmp_path, "restore", str(tmp_path / "nothing"))
    assert code == 1
    assert "There is no backup" in err


@pytest.mark.parametrize("place", ["store/copy.db", "store/../store/copy.db", "link/copy.db"])
async def test_a_backup_into_the_stores_own_folder_is_refused(tmp_path: Path, place: str) -> None:
    async with await Database.open(tmp_path / "store") as db:
        await posted(db)
    (tmp_path / "link").symlink_to(tmp_path / "store")
    code, _, err = await memalign(tmp_path, "backup", str(tmp_path / place))
    assert (code, err.count("\n")) == (1, 1)
    assert "name a place outside of [storage] path" in err


@pytest.mark.parametrize("command", ["run", "guidelines", "export"])
async def test_a_restore_that_was_broken_off_is_told(tmp_path: Path, command: str) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "memalign.db.partial").write_bytes(b"half a store")
    code, _, err = await memalign(tmp_path, command)
    assert (code, err.count("\n")) == (1, 1)
    assert "was broken off" in err


def test_keep_days_is_a_number_of_days_or_nothing(tmp_path: Path) -> None:
    document = {
        "judges": [{"name": "p", "channel": "C1", "model": "local:/cases", "instructions": "{{ inputs }}"}],
        "memory": {"reflection_lm": "local:/extract", "embedding_model": "local:/wordllama"},
    }
    file = tmp_path / "memalign.toml"
    assert read_settings(document, file).storage.keep_days is None
    assert read_settings(document | {"storage": {"keep_days": 90}}, file).storage.keep_days == 90
    for wrong in (0, -1, "90"):
        with pytest.raises(SettingsError, match=r"storage\.keep_days"):
            read_settings(document | {"storage": {"keep_days": wrong}}, file)


async def test_retention_erases_at_each_start_what_is_older(tmp_path: Path) -> None:
    day_ms = 24 * 3600 * 1000
    settings = read_settings(
        {
            "storage": {"keep_days": 30},
            "judges": [
                {"name": "p", "channel": "C1", "model": "local:/cases", "instructions": "{{ inputs }}"}
            ],
        },
        tmp_path / "memalign.toml",
    )
    async with await Database.open(tmp_path / "store") as db:
        batch: list[Arrival] = [(trace(f"old-{number}"), []) for number in range(450)]
        await db.traces.add(batch, now_ms() - 31 * day_ms, 10)
        await db.traces.add([(trace("young"), [])], now_ms() - 29 * day_ms, 10)
        await db.traces.add([(trace("waiting"), ["p"])], now_ms() - 31 * day_ms, 10)
        run = asyncio.create_task(Retention(settings, db).run())
        async with asyncio.timeout(60):
            while await db.traces.get("old-449") is not None:  # noqa: ASYNC110 - it is the store that is asked
                await asyncio.sleep(0.01)
        run.cancel()
        assert await db.traces.get("old-0") is None
        assert await db.traces.get("young") is not None
        assert await db.traces.get("waiting") is not None


async def test_a_damaged_record_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    source = Source(trace_id="t", person="U1", quote="because")
    rules = tuple(Guideline(id=f"g-{each}", text=f"Rule {each}.", sources=(source,)) for each in "ab")
    async with await Database.open(tmp_path / "store") as db:
        await posted(db)
        await db.memories.save("politeness", MemoryChange(put_guidelines=rules))
    damage_one(tmp_path / "store" / "memalign.db", "guidelines", 1, truncated)
    for command in ("guidelines", "export", "digest"):
        code, out, err = await memalign(tmp_path, command)
        assert (code, "Traceback" in err) == (0, False)
        assert "Rule b." in out or command == "digest"
        assert 'The record "politeness / g-a" in the table "guidelines"' in err or command == "digest"
    code, _, err = await memalign(tmp_path, "backup", str(tmp_path / "copy.db"))
    assert code == 1
    assert 'The record "politeness / g-a" in the table "guidelines"' in err
