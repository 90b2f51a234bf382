"""One of several processes on a store in PostgreSQL: duties are advisory locks of a connection, changes are notices.

The locks belong to the session of one connection: the server gives them to others as soon as it sees that the
process is gone (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS). The process itself
takes its terms for ended when the connection breaks, or does not answer for some seconds: sooner than a server
notices that a machine is gone.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from storage.engines.postgres_changes import channel_of, read_notice
from storage.engines.postgres_errors import translate_errors
from storage.engines.postgres_session import lock_key
from storage.location import PostgresUrl
from storage.replica import Term

_LOG = logging.getLogger("memalign.storage")
Connection = psycopg.AsyncConnection[TupleRow]

BEAT_SECONDS = 0.3
"""Pause between two tries to get the duties that others have."""
SILENCE_SECONDS = 4.0
"""A server that does not answer for so long is taken for gone. It takes longer itself to give the locks away."""
RECONNECT_SECONDS = 0.5
DEAD_SECONDS = 1.0
"""A replica without its lock for so long is gone; one whose connection broke off has it again by then."""
_CONNECTION_DEFAULTS: Mapping[str, Any] = {
    "application_name": "memalign",
    "connect_timeout": 4,
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 6_000,
}
_SERVER_SETTINGS = {"tcp_keepalives_idle": "6", "tcp_keepalives_interval": "3", "tcp_keepalives_count": "3"}
"""By these the server notices after some 15 seconds that a machine is gone."""
_LIVING = """
SELECT objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid::bigint = %s
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class _HeldTerm:
    def __init__(self) -> None:
        self._ended = asyncio.Event()

    async def ended(self) -> None:
        await self._ended.wait()

    def end(self) -> None:
        self._ended.set()


class PostgresReplica:
    """This process among those that work on the store. Satisfies `storage.replica.Replica`."""

    def __init__(self, location: PostgresUrl) -> None:
        self._location = location
        self._number = secrets.randbelow(2**31)
        self._group = lock_key(location, "replicas") & 0x7FFFFFFF
        self._connection: Connection | None = None
        self._wanted: dict[str, asyncio.Event] = {}
        """Duties that are waited for, each with what is set once it is led."""
        self._terms: dict[str, _HeldTerm] = {}
        self._listeners: list[asyncio.Queue[frozenset[str] | None]] = []
        self._unseen_since: dict[int, float] = {}
        """Replica -> when it was first seen to have no lock."""
        self._has_left = False

    @property
    def id(self) -> str:
        """Its id, another one at each start."""
        return f"{self._number:08x}"

    async def run(self) -> None:
        """Keep a connection with its duties, and hear of changes, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(2 * SILENCE_SECONDS):
                    connection = await self._connect()
                try:
                    await self._serve(connection)
                finally:
                    self._end_terms()
                    self._connection = None
                    await connection.close()
            except (psycopg.Error, TimeoutError, OSError) as problem:
                if self._has_left:
                    return
                _LOG.warning(
                    "This replica leads nothing while %s does not answer: %s",
                    self._location,
                    _first_line(problem),
                )
                await asyncio.sleep(RECONNECT_SECONDS)

    async def lead(self, duty: str) -> Term:
        """Wait until this process has the duty."""
        while (term := self._terms.get(duty)) is None:
            led = self._wanted.setdefault(duty, asyncio.Event())
            await led.wait()
        return term

    def leads(self, duty: str) -> bool:
        """Return whether this process has the duty now."""
        return duty in self._terms

    async def dead(self, ids: Collection[str]) -> set[str]:
        """Return those of some replicas that had no lock for a second; none while there is no connection."""
        connection = self._connection
        if connection is None:
            self._unseen_since.clear()
            return set()
        with translate_errors(self._location):
            cursor = await connection.execute(_LIVING, (self._group,))
            living = {row[0] for row in await cursor.fetchall()}
        now = time.monotonic()
        for each in living:
            self._unseen_since.pop(each, None)
        numbers = {each: int(each, 16) for each in ids}
        for number in {*numbers.values()} - living:
            self._unseen_since.setdefault(number, now)
        return {
            each
            for each, number in numbers.items()
            if now - self._unseen_since.get(number, now) >= DEAD_SECONDS
        }

    async def changes(self) -> AsyncIterator[frozenset[str] | None]:
        """Yield the tables that others have changed; None after each new connection: it may be any of them."""
        queue: asyncio.Queue[frozenset[str] | None] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.remove(queue)

    async def leave(self) -> None:
        """Give all duties back at once."""
        self._has_left = True
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                await connection.close()

    # --- the connection

    async def _connect(self) -> Connection:
        # one that is named in the URL counts
        named = conninfo_to_dict(self._location.url)
        connection = await psycopg.AsyncConnection.connect(
            self._location.url, autocommit=True, **{**_CONNECTION_DEFAULTS, **named}
        )
        try:
            for name, value in _SERVER_SETTINGS.items():
                await connection.execute("SELECT set_config(%s, %s, false)", (name, value))
            await connection.execute(f'LISTEN "{channel_of(self._location)}"')
            await connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (self._group, self._number))
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _serve(self, connection: Connection) -> None:
        """Take duties and pass notices on until the connection breaks."""
        self._connection = connection
        self._tell(None)
        while not self._has_left:
            async with asyncio.timeout(SILENCE_SECONDS):
                await self._take_duties(connection)
            async for notice in connection.notifies(timeout=BEAT_SECONDS):
                self._hear(notice)

    async def _take_duties(self, connection: Connection) -> None:
        """Try to get what is wanted; the answer tells that the server is there."""
        duties = [duty for duty in self._wanted if duty not in self._terms]
        keys = [lock_key(self._location, f"duty {duty}") for duty in duties]
        cursor = await connection.execute(
            "SELECT pg_try_advisory_lock(key) FROM unnest(%s::bigint[]) WITH ORDINALITY AS keys (key, place)"
            " ORDER BY place",
            (keys,),
        )
        for duty, (is_led,) in zip(duties, await cursor.fetchall(), strict=True):
            if is_led:
                self._terms[duty] = _HeldTerm()
                self._wanted.pop(duty).set()

    def _end_terms(self) -> None:
        terms, self._terms = self._terms, {}
        for term in terms.values():
            term.end()

    # --- notices

    def _hear(self, notice: psycopg.Notify) -> None:
        sender, tables = read_notice(notice.payload)
        if sender != self.id:
            self._tell(tables)

    def _tell(self, tables: frozenset[str] | None) -> None:
        for queue in self._listeners:
            queue.put_nowait(tables)


def _first_line(problem: BaseException) -> str:
    return (str(problem) or type(problem).__name__).strip().splitlines()[0]
