"""`memalign demo`: ends by itself when asked to replay, keeps to its own folder, says what is in its way."""

import asyncio
import socket
import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.sandbox.demo.demo import demo
from bot.sandbox.demo.folder import SETTINGS_HEADER, prepare_folder
from memalign.errors import SettingsError
from storage.database import Database
from tests.bot.cli.test_cli import environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """The exit code and output of a command."""

    code: int | None
    out: str
    err: str


def inside(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def run(folder: Path, *arguments: str) -> Ran:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "demo", "--no-browser", *arguments),
        cwd=folder,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        out, err = await process.communicate()
    return Ran(code=process.returncode, out=out.decode(), err=err.decode())


async def test_a_replay_ends_by_itself_with_the_table_and_its_data_can_be_read(tmp_path: Path) -> None:
    ran = await run(tmp_path, "--replay", "10", "--port", "0", "--data", "here")
    assert (ran.code, ran.err) == (0, "")
    assert "10 of 10 answered" in ran.out
    table = ran.out[ran.out.index("judge ") :]
    assert all(row in table for row in ("before", "after", "a judge that passes all", "Cohen's kappa"))
    assert "10 traces answered" in table
    assert inside(tmp_path) == ["here"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "export", "--config", str(tmp_path / "here" / "memalign.toml")),
        cwd=tmp_path,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert out.decode().count('"type": "feedback"') >= 10


@pytest.mark.parametrize("number", ["0", "100000", "-1"])
async def test_a_number_that_cannot_be_replayed_is_told(tmp_path: Path, number: str) -> None:
    ran = await run(tmp_path, f"--replay={number}", "--port", "0", "--data", "here")
    assert ran.code == 1
    assert "--replay takes a number from 1 to" in ran.err
    assert inside(tmp_path) == []


async def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        options = Namespace(port=port, data=tmp_path / "here", no_browser=True, replay=1)
        with pytest.raises(SettingsError, match=rf"Cannot listen on port {port} .*--port"):
            await demo(options)


def test_a_fresh_folder_is_made_and_a_kept_one_is_gone_on_from(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path / "deep" / "here")
    (folder / "memalign.toml").write_text(SETTINGS_HEADER)
    (folder / "kept").touch()
    assert prepare_folder(folder) == folder
    assert (folder / "kept").exists()


def test_the_demos_own_folder_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = prepare_folder(None)
    (folder / "memalign.toml").write_text(SETTINGS_HEADER)
    (folder / "old").touch()
    assert prepare_folder(None) == folder
    assert not (folder / "old").exists()


def test_somebody_elses_folder_is_let_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(SettingsError, match="is not empty and not a demo's folder"):
        prepare_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".demo").mkdir()
    (tmp_path / ".demo" / "notes.txt").touch()
    with pytest.raises(SettingsError, match="is not empty and not a demo's folder"):
        prepare_folder(None)
    assert (tmp_path / ".demo" / "notes.txt").exists()


def test_a_file_in_the_folders_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "here").touch()
    with pytest.raises(SettingsError, match="--data"):
        prepare_folder(tmp_path / "here")


async def test_the_folder_of_a_demo_that_runs_is_let_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = prepare_folder(None)
    (folder / "memalign.toml").write_text(SETTINGS_HEADER)
    async with await Database.open(folder / "store"):
        with pytest.raises(SettingsError):
            prepare_folder(None)
