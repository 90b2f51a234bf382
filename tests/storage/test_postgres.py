"""A store behind a network: broken connections, restarts, standbys, refusals."""

import asyncio
import random
import string
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from memalign.errors import StorageError
from storage.database import Database
from storage.documents import Document
from storage.engines import SCHEMA_VERSION, Engine
from storage.engines.postgres_errors import translate_errors
from storage.errors import StoreFileError
from storage.location import PostgresUrl, parse_postgres_url
from tests.cutting_proxy import Cut, CuttingProxy, proxy_before
from tests.postgres_server import PostgresServer, running_server
from tests.storage.engines import opener_of
from tests.storage.records import at, posted, reply_event, trace


@pytest.fixture
def place(postgres_server: PostgresServer, request: pytest.FixtureRequest) -> PostgresUrl:
    return postgres_server.location(schema=f"own_{abs(hash(request.node.name)):x}")


@pytest.fixture
def proxy(postgres_server: PostgresServer) -> Iterator[CuttingProxy]:
    with proxy_before(postgres_server.port) as ready:
        yield ready


@pytest.fixture
async def db(
    place: PostgresUrl, proxy: CuttingProxy, postgres_server: PostgresServer
) -> AsyncIterator[Database]:
    """A store behind the proxy."""
    url = postgres_server.url(schema=place.schema, port=proxy.port)
    async with await Database.open(parse_postgres_url(url)) as database:
        yield database


async def add(db: Database, name: str) -> list[str]:
    return list(await db.traces.add([(trace(name), ["polite"])], 1, 100))


async def names(place: PostgresUrl) -> set[str]:
    async with await Database.open(place, read_only=True) as db:
        return {each.trace_id for each in await db.traces.next_jobs(10, 100)}


async def test_a_connection_that_broke_while_idle_is_made_anew_unnoticed(
    db: Database, proxy: CuttingProxy, place: PostgresUrl
) -> None:
    await add(db, "a")
    proxy.cut_all()
    await asyncio.sleep(0.05)
    await add(db, "b")
    assert await names(place) == {"a", "b"}
    assert db.file_problem is None


@pytest.mark.parametrize("words", [b"pg_advisory_xact_lock", b"INSERT INTO"])
async def test_a_write_that_is_cut_off_before_its_end_changes_nothing_and_says_so(
    db: Database, proxy: CuttingProxy, place: PostgresUrl, words: bytes
) -> None:
    await add(db, "a")
    proxy.cut_all()
    await asyncio.sleep(0.05)
    # the statements are parsed anew by the new connection, so that their words come by
    proxy.cut_at(words, "before")
    with pytest.raises(StorageError, match=r"broke off .*: nothing was changed, and memalign connects again"):
        await add(db, "b")
    assert proxy.cuts == 1
    assert await names(place) == {"a"}
    await add(db, "c")
    assert await names(place) == {"a", "c"}


@pytest.mark.parametrize(("cut", "outcome"), [("before", {"a"}), ("after", {"a", "b"})])
async def test_a_write_that_is_cut_off_in_its_commit_is_told_as_it_ended(
    db: Database, proxy: CuttingProxy, place: PostgresUrl, cut: Cut, outcome: set[str]
) -> None:
    """The database is asked what became of it: what was kept is no error, and happens once."""
    await add(db, "a")
    proxy.cut_at(b"COMMIT\0", cut)
    if cut == "before":
        with pytest.raises(StorageError, match="nothing was changed"):
            await add(db, "b")
    else:
        assert await add(db, "b") == ["accepted"]
    assert proxy.cuts == 1
    assert await names(place) == outcome


async def test_a_database_that_is_gone_for_a_while_is_told_and_found_again(
    db: Database, proxy: CuttingProxy
) -> None:
    await add(db, "a")
    proxy.is_refusing = True
    proxy.cut_all()
    with pytest.raises(StorageError, match=r"does not answer|broke off"):
        await add(db, "b")
    with pytest.raises(StorageError, match="does not answer"):
        await add(db, "b")
    assert db.file_problem is not None
    proxy.is_refusing = False
    await asyncio.sleep(1.1)
    await add(db, "b")
    assert db.file_problem is None


async def test_a_server_that_is_restarted_or_killed_is_used_again() -> None:
    with running_server(settings=("shared_buffers=16MB",)) as server:
        async with await Database.open(server.location()) as db:
            await add(db, "a")
            for number, mode in enumerate(("fast", "immediate")):
                server.stop(mode)
                with pytest.raises(StorageError, match="does not answer"):
                    await add(db, f"lost {number}")
                server.start()
                await asyncio.sleep(1.1)
                await add(db, f"b{number}")
            assert await db.traces.waiting() == 3


async def test_a_server_that_takes_no_changes_any_more_is_told(
    postgres_server: PostgresServer, place: PostgresUrl
) -> None:
    with postgres_server.connect() as connection:
        connection.execute("CREATE ROLE follower LOGIN SUPERUSER")
        connection.execute("ALTER ROLE follower SET default_transaction_read_only = on")
        try:
            follower = parse_postgres_url(
                postgres_server.url(schema=place.schema).replace("memalign@", "follower@")
            )
            with pytest.raises(StorageError, match=r"takes no changes .*name the primary server"):
                await Database.open(follower)
        finally:
            connection.execute("DROP ROLE follower")


@pytest.mark.usefixtures("db")
async def test_one_process_alone_has_the_store(place: PostgresUrl) -> None:
    assert Database.is_in_use(place)
    assert Database.state(place) == "in_use"
    with pytest.raises(StorageError, match="Another memalign is using the store"):
        await Database.open(place)
    async with await Database.open(place, read_only=True) as reader:
        assert await reader.traces.waiting() == 0


async def test_a_store_is_free_again_once_it_is_closed(place: PostgresUrl) -> None:
    assert (Database.state(place), Database.size(place)) == ("absent", 0)
    async with await Database.open(place) as db:
        await posted(db)
    assert Database.state(place) == "closed"
    assert Database.size(place) > 0


async def test_a_store_that_is_replaced_while_it_is_open_is_noticed(
    db: Database, proxy: CuttingProxy, place: PostgresUrl, postgres_server: PostgresServer
) -> None:
    await add(db, "a")
    proxy.cut_all()
    with postgres_server.connect() as connection:
        table = sql.Identifier(place.schema, "store/version")
        connection.execute(sql.SQL("UPDATE {} SET id = gen_random_uuid()").format(table))
    with pytest.raises(StorageError, match="Another store took the place"):
        await add(db, "b")


async def test_a_newer_store_is_refused_also_when_it_becomes_newer_meanwhile(
    db: Database, place: PostgresUrl, postgres_server: PostgresServer
) -> None:
    await add(db, "a")
    with postgres_server.connect() as connection:
        table = sql.Identifier(place.schema, "store/version")
        connection.execute(sql.SQL("UPDATE {} SET version = {}").format(table, SCHEMA_VERSION + 1))
    for work in (add(db, "b"), db.traces.get("a"), Database.open(place, read_only=True)):
        with pytest.raises(StorageError, match=r"written by a newer memalign .*: update memalign"):
            await work


async def test_a_schema_with_other_tables_is_left_alone(
    place: PostgresUrl, postgres_server: PostgresServer
) -> None:
    with postgres_server.connect() as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(place.schema)))
        connection.execute(sql.SQL("CREATE TABLE {} ()").format(sql.Identifier(place.schema, "accounts")))
    with pytest.raises(StorageError, match="holds other tables: name an empty one"):
        await Database.open(place)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("@127.0.0.1:{port}/nowhere", "no such database"),
        ("nobody@127.0.0.1:{port}/postgres", "does not let this user in"),
        ("memalign@127.0.0.1:1/postgres", "does not answer .*refused"),
        ("memalign@nowhere.invalid/postgres", "does not answer"),
        ("memalign@127.0.0.1:{port}/postgres?sslmode=require", "No trusted TLS connection"),
        ("memalign@127.0.0.1:{port}/postgres?colour=red", "a parameter that is not known"),
    ],
)
async def test_a_refused_connection_is_one_sentence_with_the_remedy_and_without_the_password(
    postgres_server: PostgresServer, change: str, sentence: str
) -> None:
    user, _, rest = change.format(port=postgres_server.port).partition("@")
    place = parse_postgres_url(f"postgresql://{user or 'memalign'}:hunter2@{rest}")
    for work in (Database.open(place), asyncio.to_thread(Database.state, place)):
        with pytest.raises(StorageError, match=sentence) as caught:
            await work
        assert "hunter2" not in str(caught.value) + repr(place)
        assert "\n" not in str(caught.value)


async def test_a_writer_waits_for_another_and_both_are_kept(place: PostgresUrl) -> None:
    opening = opener_of(place)
    with closing(opening()) as ours, closing(opening()) as theirs:
        with ours.transaction():
            ours.create_table("any", ())
            ours.insert("any", "a", b"{}")
            waiting = asyncio.create_task(asyncio.to_thread(insert, theirs, "b"))
            await asyncio.sleep(0.1)
            assert not waiting.done()
        await waiting
        assert ours.count("any") == 2


def insert(engine: Engine, key: str) -> None:
    with engine.transaction():
        engine.insert("any", key, b"{}")


async def test_no_byte_stays_in_the_samples_of_the_planner_or_in_long_values(
    postgres_server: PostgresServer, place: PostgresUrl
) -> None:
    """ANALYZE, which a server runs by itself, keeps values of columns; long values lie in a table of their own."""
    database = f"erasure_{place.schema}"
    postgres_server.create_database(database)
    words = [b"SECRET words", b"tr-secret"]
    async with await Database.open(postgres_server.location(database)) as db:
        body = "SECRET words " + "".join(random.Random(1).choices(string.printable, k=50_000))
        await db.traces.add([(trace("tr-secret", inputs=body), ["polite"])], 1, 10)
        await db.traces.add([(trace(f"tr-{n}"), ["polite"]) for n in range(50)], 1, 100)
        with postgres_server.connect(database) as connection:
            connection.execute("ANALYZE")
        assert postgres_server.files_with(words, database) != []
        await db.forgetting.delete_traces(["tr-secret"])
        assert postgres_server.files_with(words, database) == []


async def test_a_transaction_that_was_rolled_back_leaves_no_byte_of_what_is_forgotten_later(
    postgres_server: PostgresServer, place: PostgresUrl
) -> None:
    database = f"rollback_{place.schema}"
    postgres_server.create_database(database)
    async with await Database.open(postgres_server.location(database)) as db:
        drafts = db.store.documents.declare("drafts")

        def stumble() -> None:
            drafts.put(Document({"text": "SECRET draft"}, "d"))
            raise RuntimeError("stumbled")

        await db.traces.add([(trace("t"), [])], 1, 10)
        await db.store.write(lambda: drafts.put(Document({"text": "kept"}, "k")))
        with pytest.raises(RuntimeError):
            await db.store.write(stumble)
        assert postgres_server.files_with([b"SECRET draft"], database) != []
        await db.forgetting.delete_traces(["t"])
        assert postgres_server.files_with([b"SECRET draft"], database) == []


async def test_a_server_that_has_become_a_standby_is_told_and_left_for_the_primary() -> None:
    """It keeps the port: so does an address that leads to the wrong one for a while after a failover."""
    with running_server() as server:
        async with await Database.open(server.location()) as db:
            await add(db, "a")
            server.stop()
            (server.data / "standby.signal").touch()
            server.start()
            with pytest.raises(StorageError, match=r"takes no changes \(it follows another server\)"):
                await add(db, "b")
            server.stop("immediate")
            (server.data / "standby.signal").unlink()
            server.start()
            await asyncio.sleep(1.1)
            await add(db, "c")
            assert await db.traces.waiting() == 2


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (psycopg.errors.DiskFull, r"is full .*: free some space there .*nothing was changed"),
        (psycopg.errors.OutOfMemory, r"disk or memory of the database .* is full"),
        (psycopg.errors.TooManyConnections, r"no connection left .*max_connections"),
        (psycopg.errors.AdminShutdown, r"starting, stopping or failing over"),
        (psycopg.errors.CannotConnectNow, r"starting, stopping or failing over"),
        (psycopg.errors.ConnectionFailure, r"broke off .*nothing was changed"),
        (psycopg.errors.ReadOnlySqlTransaction, r"takes no changes .*target_session_attrs=read-write"),
        (psycopg.errors.LockNotAvailable, r"held too long by another program"),
        (psycopg.errors.InsufficientPrivilege, r"may not do this .*grant CREATE"),
        (psycopg.errors.UndefinedTable, r"table of the store .* is missing"),
        (psycopg.errors.DataCorrupted, r"is damaged .*backups"),
        (psycopg.errors.ProgramLimitExceeded, r"takes no name or id of this length"),
        (psycopg.errors.IoError, r"failed .*server's log"),
    ],
)
def test_an_error_of_the_server_is_one_sentence_with_the_remedy(
    error: type[psycopg.Error], sentence: str
) -> None:
    place = parse_postgres_url("postgresql://bot:hunter2@db/memalign")
    with pytest.raises(StoreFileError, match=sentence) as caught, translate_errors(place):
        raise error("what the server says\nDETAIL: of some length")
    assert "postgresql://bot@db/memalign" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mistake_of_ours_is_no_sentence() -> None:
    with pytest.raises(psycopg.errors.SyntaxError), translate_errors("place"):
        raise psycopg.errors.SyntaxError("at or near")


def test_without_the_driver_one_sentence_names_the_command_that_brings_it(tmp_path: Path) -> None:
    config = tmp_path / "memalign.toml"
    judge = '[[judges]]\nname = "p"\ninstructions = "{{ inputs }}"\nmodel = "local:/cases"\n'
    config.write_text(f'[storage]\nurl = "postgresql://db/x"\n{judge}')
    script = (
        "import sys; sys.modules['psycopg'] = None; from bot.__main__ import main; "
        f"main(['status', '--config', {str(config)!r}])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("install it with `pip install 'memalign[postgres]'`.")
    assert done.stderr.count("\n") == 1


async def test_the_longest_id_that_a_trace_may_have_fits_into_every_index(place: PostgresUrl) -> None:
    """An entry of an index holds 2,704 bytes; ids have up to 500 characters, of four bytes at most."""
    longest = "".join(chr(0x1F300 + number) for number in range(500))
    async with await Database.open(place) as db:
        verdict_id = await posted(db, longest, ts="1.1")
        await db.feedback.note("C1", "1.1", reply_event("U1", "2.2", "because", at(1)))
        await db.traces.add([(trace(longest + "b"), ["polite" * 10])], 1, 100)
        await db.traces.postpone(longest + "b", "polite" * 10, 5, "down")
        assert set(await db.feedback.of(verdict_id)) == {"U1"}
        await db.forgetting.delete_traces([longest])
        assert await db.verdicts.get(verdict_id) is None
