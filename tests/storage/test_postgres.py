"""A store behind a network: broken connections, restarts, standbys, refusals."""

import asyncio
import random
import string
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest
from psycopg import sql

from memalign.errors import StorageError
from storage.database import Database
from storage.documents import Document
from storage.engines import SCHEMA_VERSION, Engine
from storage.location import PostgresUrl, parse_postgres_url
from tests.cutting_proxy import Cut, CuttingProxy, proxy_before
from tests.postgres_server import PostgresServer, running_server
from tests.storage.engines import opener_of
from tests.storage.records import posted, trace


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
