"""Opening a store in PostgreSQL: one process for writing, any number for reading."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Literal

from psycopg import sql

from memalign.errors import StorageError
from storage.engines.engine import SCHEMA_VERSION
from storage.engines.postgres import PostgresEngine
from storage.engines.postgres_errors import StandbyError, translate_errors
from storage.engines.postgres_schema import STORE_TABLE, check_version, has_store, make_store, qualified
from storage.engines.postgres_session import Connection, Session, connect, lock_key
from storage.errors import StoreFileError
from storage.location import PostgresUrl
from storage.records import StoreState

PRESENCE = "presence"
"""Purpose of the lock that a process holds as long as it has the store open for writing."""
Presence = Literal["pg_try_advisory_lock", "pg_try_advisory_lock_shared"]
ALONE: Presence = "pg_try_advisory_lock"
TOGETHER: Presence = "pg_try_advisory_lock_shared"
"""Of replicas, which keep out only who must be alone."""
_TAKEOVER_SECONDS = 5.0
"""For so long a process waits for its own last connection to end."""
_HELD = """
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid::bigint = %s AND objid::bigint = %s
)
"""
_END_OWN = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND backend_start::text = %s
"""


class Writer:
    """Prepares each connection of a process that writes: the store is the same as before, and no one else's."""

    def __init__(self, location: PostgresUrl, lock: Presence = ALONE) -> None:
        """Take the store alone, or together with other replicas."""
        self._location = location
        self._lock: Presence = lock
        self._store_id: str | None = None
        self._backend: tuple[int, str] | None = None

    def prepare(self, connection: Connection) -> None:
        """Take the store. Raises `StorageError`, `StandbyError` or `psycopg.Error`."""
        if self._backend is not None:
            # the server may take long to notice that the last connection is gone
            connection.execute(_END_OWN, self._backend)
        _refuse_standby(connection)
        if self._store_id is None:
            make_store(connection, self._location)
        self.take(connection)
        version, store_id = _state_of(connection, self._location)
        check_version(version, self._location)
        if self._store_id not in (None, store_id):
            raise StoreFileError(
                f"Another store took the place of the one in {self._location} while memalign was using it: "
                "start memalign again to go on with that one."
            )
        self._store_id = store_id
        query = "SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        self._backend = connection.execute(query).fetchone()

    def take(self, connection: Connection) -> None:
        """Take the lock that one process holds as long as it writes. Raises `StorageError` or `psycopg.Error`."""
        deadline = time.monotonic() + (_TAKEOVER_SECONDS if self._backend is not None else 0.0)
        while not _try_lock(connection, self._lock, lock_key(self._location, PRESENCE)):
            if time.monotonic() >= deadline:
                raise StorageError(
                    f"Another memalign is using the store in {self._location}: stop that one first, or name "
                    "another database, or ?schema=, in [storage] url."
                )
            time.sleep(0.1)


def open_engine(location: PostgresUrl, *, read_only: bool) -> PostgresEngine:
    """Open the database's store, for reading or for the one process that writes. Raises `StorageError`."""
    prepare = _prepare_reader(location) if read_only else Writer(location).prepare
    session = Session(location, prepare=prepare)
    with translate_errors(location):
        session.connection()
        return PostgresEngine(session)


def join_engine(location: PostgresUrl) -> PostgresEngine:
    """Open the database's store for writing, together with other replicas. Raises `StorageError`."""
    session = Session(location, prepare=Writer(location, TOGETHER).prepare)
    with translate_errors(location):
        session.connection()
        return PostgresEngine(session)


def is_in_use(location: PostgresUrl) -> bool:
    """Return whether a process has the store open for writing; makes nothing there. Raises `StorageError`."""
    with translate_errors(location), closing(connect(location)) as connection:
        return _is_held(connection, location)


@contextmanager
def hold(location: PostgresUrl) -> Iterator[None]:
    """Keep every process from writing to a store that is there. Raises `StorageError`: one does."""
    with translate_errors(location), closing(connect(location)) as connection:
        Writer(location).take(connection)
        yield


def state_of(location: PostgresUrl) -> StoreState:
    """Look at the database without opening a store in it, or making anything.

    Raises `StorageError` where no store could be made or written.
    """
    with translate_errors(location), closing(connect(location)) as connection:
        _refuse_standby(connection)
        if has_store(connection, location):
            return "in_use" if _is_held(connection, location) else "closed"
        query = "SELECT has_database_privilege(current_database(), 'CREATE'), to_regnamespace(%s) IS NULL"
        may_create, is_absent = connection.execute(query, (location.schema,)).fetchone() or (False, True)
        if is_absent and not may_create:
            raise StorageError(
                f"The user may not make the schema {location.schema} in {location}: grant CREATE on the "
                "database, or make the schema for the user."
            )
        return "absent" if is_absent else "empty"


def size_of(location: PostgresUrl) -> int:
    """Return the bytes of the store's tables with their indexes; 0 where there is no store."""
    query = (
        "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class "
        "WHERE relkind = 'r' AND relnamespace = to_regnamespace(%s)"
    )
    with translate_errors(location), closing(connect(location)) as connection:
        row = connection.execute(query, (location.schema,)).fetchone()
        return 0 if row is None else int(row[0])


def _prepare_reader(location: PostgresUrl) -> Callable[[Connection], None]:
    def prepare(connection: Connection) -> None:
        connection.execute("SELECT set_config('default_transaction_read_only', 'on', false)")
        if not has_store(connection, location):
            raise StorageError(
                f"There is no store in {location}: start memalign there first, or name another database in "
                "[storage] url."
            )
        version, _ = _state_of(connection, location)
        check_version(version, location)
        if version < SCHEMA_VERSION:
            raise StorageError(
                f"The store in {location} was written by an older memalign: run `memalign run` once, which "
                "carries it over."
            )

    return prepare


def _refuse_standby(connection: Connection) -> None:
    query = "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on'"
    follows, is_read_only = connection.execute(query).fetchone() or (False, False)
    if follows or is_read_only:
        raise StandbyError("it follows another server" if follows else "it is set to reading only")


def _state_of(connection: Connection, location: PostgresUrl) -> tuple[int, str]:
    query = sql.SQL("SELECT version, id::text FROM {}").format(qualified(location.schema, STORE_TABLE))
    row = connection.execute(query).fetchone()
    if row is None:
        raise StorageError(
            f"The store in {location} has lost its version: bring back a copy of the database."
        )
    return row[0], row[1]


def _try_lock(connection: Connection, lock: Presence, key: int) -> bool:
    row = connection.execute(sql.SQL("SELECT {}(%s)").format(sql.Identifier(lock)), (key,)).fetchone()
    return row is not None and bool(row[0])


def _is_held(connection: Connection, location: PostgresUrl) -> bool:
    key = lock_key(location, PRESENCE).to_bytes(8, "big", signed=True)
    halves = (int.from_bytes(key[:4], "big"), int.from_bytes(key[4:], "big"))
    row = connection.execute(_HELD, halves).fetchone()
    return row is not None and bool(row[0])
