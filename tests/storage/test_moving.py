"""A store that is carried over to another engine and back: all of it, whole or not at all, and the origin stays."""

import asyncio
import signal
import sys
from contextlib import closing
from pathlib import Path

import pytest

from memalign.errors import StorageError
from storage.database import Database
from storage.engines import Location, open_engine
from storage.engines.store_copy import sums_of
from storage.moving import move
from tests.conftest import FindBytes
from tests.postgres_server import PostgresServer
from tests.storage.engines import url_of
from tests.storage.records import at, button_event, posted, reply_event, trace


@pytest.fixture
def other(location: Location, tmp_path: Path, request: pytest.FixtureRequest) -> Location:
    """An empty place on the other engine."""
    server: PostgresServer = request.getfixturevalue("postgres_server")
    if isinstance(location, Path):
        return server.location(schema=f"other_{abs(hash(tmp_path)):x}")
    return tmp_path / "other"


async def fill(location: Location, documents: int = 1) -> None:
    async with await Database.open(location) as db:
        await posted(db, ts="1.1")
        await db.feedback.note("C1", "1.1", button_event("U1", "down", at(1)))
        await db.feedback.note("C1", "1.1", reply_event("U1", "2.2", 'half \ud800, nul \x00, "日本"', at(2)))
        await db.traces.add([(trace(f"t{n}", inputs="x" * 500), ["p"]) for n in range(documents)], 1, 10**6)
        await db.traces.postpone("t0", "p", 10, "down")


def contents(location: Location) -> dict[str, object]:
    with closing(open_engine(location, read_only=True)) as engine, engine.snapshot():
        return {"version": engine.version, **sums_of(engine)}


async def test_a_store_goes_over_and_back_with_all_it_holds(
    location: Location, other: Location, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    await fill(location, 700)
    before, told = contents(location), list[int]()
    moved = await move(location, other, begin=told.append, advance=told.append)
    assert contents(location) == contents(other) == before
    assert told[0] == sum(told[1:]) == moved.documents > 700
    server: PostgresServer = request.getfixturevalue("postgres_server")
    back = (
        tmp_path / "back"
        if isinstance(location, Path)
        else server.location(schema=f"back_{abs(hash(tmp_path)):x}")
    )
    await move(other, back)
    assert contents(back) == before
    async with await Database.open(back) as db:
        assert len(await db.traces.next_jobs(10, 1000)) == 700
        # what is added goes behind what came over
        await db.traces.add([(trace("new"), ["p"])], 2, 10**6)
        assert await db.traces.contains("new")


async def test_forgotten_bytes_are_not_carried_over(
    other: Location, location: Location, find_bytes: FindBytes
) -> None:
    """Of the engine that the fixture names, as the target."""
    async with await Database.open(other) as db:
        await db.traces.add([(trace("t1", inputs="SECRET"), [])], 1, 10)
        await db.traces.add([(trace("t2", inputs="kept words"), [])], 1, 10)
        # deleted, and not vacuumed yet
        await db.store.write(lambda: db.store.documents.declare("traces").remove(doc_ids=["t1"]))
    await move(other, location)
    assert find_bytes([b"SECRET"]) == []
    assert find_bytes([b"kept words"]) != []


async def test_a_place_with_a_store_is_refused_and_both_stay(location: Location, other: Location) -> None:
    await fill(location)
    await fill(other)
    before = (contents(location), contents(other))
    with pytest.raises(StorageError, match="There is a store in"):
        await move(location, other)
    assert (contents(location), contents(other)) == before
    with pytest.raises(StorageError, match="name another place"):
        await move(location, location)


async def test_nothing_is_moved_while_a_bot_runs_on_either_side(location: Location, other: Location) -> None:
    await fill(location)
    for running in (location, other):
        async with await Database.open(running):
            with pytest.raises(StorageError, match="Another memalign is using the store"):
                await move(location, other)


async def test_a_move_that_is_killed_starts_again(
    location: Location, other: Location, tmp_path: Path
) -> None:
    await fill(location, 3000)
    before = contents(location)
    config = tmp_path / "memalign.toml"
    place = f'path = "{location}"' if isinstance(location, Path) else f'url = "{url_of(location)}"'
    judge = '[[judges]]\nname = "p"\ninstructions = "{{ inputs }}"\nmodel = "local:/cases"\n'
    config.write_text(f"[storage]\n{place}\n{judge}")
    to = str(other) if isinstance(other, Path) else url_of(other)
    command = [sys.executable, "-m", "bot", "move", "--to", to, "--config", str(config)]
    for seconds in (1.3, 1.8, 2.3):
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        await asyncio.sleep(seconds)
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
        if process.returncode == 0:
            break
        assert contents(location) == before
    else:
        await asyncio.sleep(0.5)
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        assert out.decode().startswith("Moved ")
    assert contents(location) == contents(other) == before
