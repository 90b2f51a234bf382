"""Commands on a store in PostgreSQL, beside a running bot and without one."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from storage.database import Database
from storage.location import PostgresUrl
from tests.bot.bot_in_workspace import bot_in_workspace
from tests.postgres_server import PostgresServer
from tests.storage.engines import storage_section, url_of

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
COPIES = "The database's own log, replicas and backups keep copies for as long as they are set to."


@pytest.fixture
def place(postgres_server: PostgresServer, tmp_path: Path) -> PostgresUrl:
    return postgres_server.location(schema=f"cli_{abs(hash(tmp_path)):x}")


async def memalign(folder: Path, place: PostgresUrl | None, *arguments: str) -> tuple[int, str, str]:
    config = folder / "memalign.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    named = (
        {}
        if place is None
        else {"MEMALIGN_DATABASE_URL": url_of(place).replace("memalign@", "memalign:hunter2@")}
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments, "--config", str(config)),
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, **named},
    )
    out, err = await process.communicate()
    assert b"hunter2" not in out + err
    return process.returncode or 0, out.decode(), err.decode()


async def test_commands_beside_a_bot_on_postgresql(tmp_path: Path, place: PostgresUrl) -> None:
    async with bot_in_workspace(tmp_path, storage=storage_section(place)) as harness:
        await harness.show("tr-1")
        _, out, _ = await memalign(tmp_path, place, "status")
        assert out.splitlines()[:2] == [
            "The bot is running; it is ready.",
            f"The store is in PostgreSQL, at {place}.",
        ]
        code, out, err = await memalign(tmp_path, place, "backup", str(tmp_path / "copy.db"))
        assert (code, err) == (0, "")
        assert f"The store in {place} is copied to" in out
        code, out, err = await memalign(tmp_path, place, "forget", "tr-1", "--dry-run")
        assert (code, COPIES in out.splitlines()) == (0, True)
        code, out, err = await memalign(tmp_path, place, "forget", "tr-1")
        assert (code, err, out.splitlines()[-1]) == (0, "", COPIES)
        assert harness.shown("tr-1") is None
        code, _, err = await memalign(tmp_path, place, "move", "--to", str(tmp_path / "moved"))
        assert (code, "Another memalign is using the store" in err) == (1, True)
    assert not (tmp_path / "store").exists()


async def test_a_backup_of_postgresql_is_restored_into_a_folder_and_back(
    tmp_path: Path, place: PostgresUrl
) -> None:
    async with bot_in_workspace(tmp_path, storage=storage_section(place)) as harness:
        await harness.show("tr-1")
    copy = str(tmp_path / "copy.db")
    assert (await memalign(tmp_path, place, "backup", copy))[0] == 0
    assert (await memalign(tmp_path, None, "restore", copy))[0] == 0
    async with await Database.open(tmp_path / "store") as db:
        assert await db.traces.get("tr-1") is not None
    code, _, err = await memalign(tmp_path, place, "restore", copy)
    assert (code, "There is a store in" in err) == (1, True)
    code, out, _ = await memalign(tmp_path, place, "move", "--to", str(tmp_path / "moved"))
    assert (
        code,
        out.splitlines()[0].endswith(f"from {place} to {tmp_path / 'moved'}, and compared both."),
    ) == (0, True)
    _, out, _ = await memalign(tmp_path, place, "status")
    assert out.startswith(f"No bot is running on {place}.")
