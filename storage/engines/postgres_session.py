"""One connection to PostgreSQL, made again after it broke off, and the locks that belong to a store."""

import hashlib
import logging
import select
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from storage.engines.postgres_errors import OLDEST_SERVER, NoConnectionError, OldServerError, refusal_of
from storage.location import PostgresUrl

Connection = psycopg.Connection[TupleRow]
_LOG = logging.getLogger("memalign.storage")
# it warns of errors that are raised anyway
logging.getLogger("psycopg").setLevel(logging.ERROR)
_CONNECTION_DEFAULTS: Mapping[str, Any] = {
    "application_name": "memalign",
    "connect_timeout": 10,
    # a network that drops packets without a word is noticed within half a minute
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Parameters that the URL may override (https://www.postgresql.org/docs/current/libpq-connect.html)."""
_SESSION_SETTINGS: Mapping[str, str] = {
    "lock_timeout": "30s",
    # a process that hangs, or a machine that is gone, must not keep the others from writing
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20000",
    "bytea_output": "hex",
    "client_min_messages": "warning",
}
PREPARED_STATEMENTS = 2000
"""Statements that the server keeps parsed for a connection: some eight a table."""
_MAX_REMARKS = 20
"""Reads of what came unasked; a connection by which more comes is given up."""
RETRY_SECONDS = 1.0
"""Pause after a refused connection in which the next calls fail at once, so that none waits for many."""


class Session:
    """A connection in autocommit, for one thread."""

    def __init__(
        self, location: PostgresUrl, *, prepare: Callable[[Connection], None] = lambda _: None
    ) -> None:
        """Prepare a session; the first use connects.

        Args:
            location: the database.
            prepare: is called with each new connection, and may refuse it by an error.
        """
        self.location = location
        self._prepare = prepare
        self._connection: Connection | None = None
        self._refusal: NoConnectionError | None = None
        self._refused_at = 0.0

    def connection(self) -> Connection:
        """Return a connection that was open a moment ago, a new one where the last is gone.

        Raises `NoConnectionError`, `OldServerError` or `psycopg.Error`.
        """
        if self._connection is not None and not _is_alive(self._connection):
            self.discard()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def present(self) -> Connection:
        """Return the connection of the transaction under way. Raises `psycopg.OperationalError`: it is lost."""
        if self._connection is None:
            raise psycopg.OperationalError("it was lost")
        return self._connection

    def discard(self) -> None:
        """Close the connection; the next use makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def _connect(self) -> Connection:
        if self._refusal is not None and time.monotonic() - self._refused_at < RETRY_SECONDS:
            raise self._refusal
        try:
            connection = connect(self.location)
        except NoConnectionError as refusal:
            self._refusal, self._refused_at = refusal, time.monotonic()
            raise
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        if self._refusal is not None:
            _LOG.info("The database at %s answers again", self.location)
        self._refusal = None
        return connection


def connect(location: PostgresUrl) -> Connection:
    """Connect in autocommit. Raises `NoConnectionError`, `OldServerError` or `psycopg.Error`."""
    connection = _dial(location)
    try:
        if connection.info.server_version < OLDEST_SERVER:
            raise OldServerError(connection.info.parameter_status("server_version"))
        connection.prepared_max = PREPARED_STATEMENTS
        calls: list[sql.Composable] = [
            sql.SQL("set_config({}, {}, false)").format(key, value)
            for key, value in _SESSION_SETTINGS.items()
        ]
        # what is confirmed must be on the disk, whatever is usual in this database
        calls.append(
            sql.SQL(
                "(SELECT set_config(name, 'on', false) FROM pg_settings"
                " WHERE name = 'synchronous_commit' AND setting = 'off')"
            )
        )
        connection.execute(sql.SQL("SELECT {}").format(sql.SQL(", ").join(calls)))
    except BaseException:
        connection.close()
        raise
    return connection


def _dial(location: PostgresUrl) -> Connection:
    try:
        named = conninfo_to_dict(location.url)
        return psycopg.connect(location.url, autocommit=True, **{**_CONNECTION_DEFAULTS, **named})
    except psycopg.ProgrammingError:
        # the driver's words may repeat a part of the URL, and so of the password
        raise NoConnectionError("the URL has a parameter that is not known") from None
    except psycopg.OperationalError as problem:
        raise refusal_of(problem) from problem


def _is_alive(connection: Connection) -> bool:
    """Return False when the other end has closed the connection meanwhile; sends nothing."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    # a remark of the server that concerns nobody, or its farewell, behind which the end comes
    for _ in range(_MAX_REMARKS):
        if not poll.poll(0):
            return True
        try:
            connection.pgconn.consume_input()
        except psycopg.Error:
            return False
    return False


def lock_key(location: PostgresUrl, purpose: str) -> int:
    """Return the key of an advisory lock that belongs to this store alone, in its database."""
    raw = hashlib.sha256(f"memalign {location.schema} {purpose}".encode()).digest()
    return int.from_bytes(raw[:8], "big", signed=True)
