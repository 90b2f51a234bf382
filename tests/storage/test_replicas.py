"""Several processes on one database: duties, news of changes, and what a dead one leaves. Each is a `Database` here."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from memalign.errors import StorageError
from storage.database import Database
from storage.location import PostgresUrl
from storage.replica import LoneReplica
from tests.postgres_server import PostgresServer
from tests.storage.records import trace

SECONDS = 10.0


@asynccontextmanager
async def joined(location: PostgresUrl) -> AsyncIterator[Database]:
    """A replica at work on the store."""
    async with await Database.join(location) as database:
        work = asyncio.create_task(database.replica.run())
        try:
            yield database
        finally:
            await database.replica.leave()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


@pytest.fixture
async def replicas(database_location: PostgresUrl) -> AsyncIterator[list[Database]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(joined(database_location)) for _ in range(3)]


def end_connections(server: PostgresServer, query: str) -> None:
    with server.connect() as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {query}")  # noqa: S608


async def test_a_duty_is_one_replicas_and_another_takes_it_over_as_that_one_leaves(
    replicas: list[Database],
) -> None:
    first, second, third = replicas
    async with asyncio.timeout(SECONDS):
        term = await first.replica.lead("posting")
        waiting = [asyncio.create_task(each.replica.lead("posting")) for each in (second, third)]
        await third.replica.lead("learning")
        await asyncio.sleep(1.0)
        assert not any(task.done() for task in waiting)
        await first.replica.leave()
        await term.ended()
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert [task.done() for task in waiting].count(True) == 1
        for task in waiting:
            task.cancel()


async def test_a_term_ends_with_the_connection_and_begins_anew_with_the_next(
    replicas: list[Database], postgres_server: PostgresServer
) -> None:
    async with asyncio.timeout(SECONDS):
        terms = [await each.replica.lead(f"duty {place}") for place, each in enumerate(replicas)]
        end_connections(
            postgres_server, "query LIKE '%pg_try_advisory_lock(key)%' AND pid <> pg_backend_pid()"
        )
        await asyncio.gather(*(term.ended() for term in terms))
        again = [await each.replica.lead(f"duty {place}") for place, each in enumerate(replicas)]
        assert not set(map(id, terms)) & set(map(id, again))


async def test_the_others_are_told_which_tables_were_changed(replicas: list[Database]) -> None:
    first, second, _ = replicas
    async with asyncio.timeout(SECONDS):
        changes = second.replica.changes()
        first_news = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0.5)
        await second.traces.add([(trace("own"), ["p"])], 1, 100)
        await first.traces.add([(trace("a"), ["p"])], 1, 100)
        news = [await first_news]
        while news[-1] is None:
            news.append(await anext(changes))
    assert news[-1] == frozenset({"jobs"})


async def test_jobs_of_a_replica_that_is_gone_are_known_within_seconds(replicas: list[Database]) -> None:
    first, second, _ = replicas
    await first.traces.add([(trace("a"), ["p"])], 1, 100)
    await asyncio.sleep(0.5)
    assert await first.traces.take_jobs(1, {}, 9, owner=first.replica.id, lease_ms=10**6)
    owners = await second.traces.lease_owners()
    assert owners == {first.replica.id}
    await asyncio.sleep(1.5)
    assert await second.replica.dead(owners) == set()
    await first.replica.leave()
    began = time.monotonic()
    while not await second.replica.dead(owners):
        assert time.monotonic() - began < SECONDS
        await asyncio.sleep(0.1)
    assert await second.traces.end_leases(owners) == 1


async def test_whoever_must_be_alone_waits_for_all_replicas_to_end(
    database_location: PostgresUrl, replicas: list[Database]
) -> None:
    assert Database.is_in_use(database_location)
    assert len({each.replica.id for each in replicas}) == 3
    with pytest.raises(StorageError, match="Another memalign is using the store"):
        await Database.open(database_location)


async def test_a_process_alone_has_all_duties_and_knows_all_others_to_be_gone() -> None:
    replica = LoneReplica()
    await replica.lead("posting")
    assert await replica.dead({"other", replica.id}) == {"other"}
