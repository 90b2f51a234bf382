"""Removing the bytes of deleted rows from the files of tables.

`VACUUM` makes room of them, but leaves the bytes in the unused part of a page until something else is put there.
`VACUUM FULL` writes a table, its long values and its indexes into new files and removes the old ones
(https://www.postgresql.org/docs/current/sql-vacuum.html). It keeps everybody from that table meanwhile, so that
only tables are rewritten in which something was deleted or overwritten since: the table `store/stale` lists them.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from storage.engines.postgres_schema import STALE_TABLE, STORE_TABLE, qualified
from storage.errors import StoreFileError

Connection = psycopg.Connection[TupleRow]
LOCK_WAIT = "200ms"
"""For so long a rewrite waits for others to leave a table, who wait behind it."""
_NUMBER = re.compile(r"\d+")


def note_stale(connection: Connection, schema: str, tables: Iterable[str], rewrites: int) -> None:
    """Note, in the transaction that deletes, that bytes stay behind in these tables."""
    statement = sql.SQL(
        "INSERT INTO {} (name, rewrites) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET rewrites = excluded.rewrites"
    ).format(qualified(schema, STALE_TABLE))
    for table in tables:
        connection.execute(statement, (table, rewrites))


def begin_rewrite(connection: Connection, schema: str) -> tuple[int, list[str]]:
    """Return the number of the rewrite, and the tables with bytes of what was deleted before it.

    To be called in a transaction that locks the store: who deletes from now on notes it with the new number.
    """
    store, stale = qualified(schema, STORE_TABLE), qualified(schema, STALE_TABLE)
    update = sql.SQL("UPDATE {} SET rewrites = rewrites + 1 RETURNING rewrites").format(store)
    row = connection.execute(update).fetchone()
    number: int = row[0] if row is not None else 0
    query = sql.SQL("SELECT name FROM {} WHERE rewrites < %s ORDER BY name").format(stale)
    return number, [name for (name,) in connection.execute(query, (number,)).fetchall()]


def rewrite_table(connection: Connection, schema: str, table: str, number: int) -> bool:
    """Write a table into new files; False while others read it, or read a state of before."""
    file = _file_of(connection, schema, table)
    if file is not None:
        if not _vacuum_fully(connection, schema, table):
            return False
        if _file_of(connection, schema, table) == file:
            # the server says so in a warning only
            raise StoreFileError(
                f"Forgotten bytes stay: the user {connection.info.user} may not vacuum the store's tables. Make it "
                f"the owner of the schema {schema} and its tables."
            )
    done = sql.SQL("DELETE FROM {} WHERE name = %s AND rewrites < %s")
    connection.execute(done.format(qualified(schema, STALE_TABLE)), (table, number))
    return True


def _vacuum_fully(connection: Connection, schema: str, table: str) -> bool:
    try:
        with _details(connection) as details, _short_wait(connection):
            connection.execute(sql.SQL("VACUUM (FULL, VERBOSE) {}").format(qualified(schema, table)))
    except psycopg.errors.LockNotAvailable:
        return False
    # "<number> dead row versions cannot be removed yet": somebody's transaction still sees them
    counts = [number for detail in details if (number := _NUMBER.search(detail))]
    return all(int(count[0]) == 0 for count in counts)


@contextmanager
def _details(connection: Connection) -> Iterator[list[str]]:
    details: list[str] = []

    def take(diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "INFO" and diagnostic.message_detail:
            details.append(diagnostic.message_detail)

    connection.add_notice_handler(take)
    try:
        yield details
    finally:
        connection.remove_notice_handler(take)


@contextmanager
def _short_wait(connection: Connection) -> Iterator[None]:
    row = connection.execute("SELECT current_setting('lock_timeout')").fetchone()
    usual = row[0] if row is not None else "0"
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (LOCK_WAIT,))
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT set_config('lock_timeout', %s, false)", (usual,))


def _file_of(connection: Connection, schema: str, table: str) -> int | None:
    """Return the number of a table's file; None: there is no such table any more."""
    name = qualified(schema, table).as_string(connection)
    row = connection.execute("SELECT pg_relation_filenode(to_regclass(%s))", (name,)).fetchone()
    return None if row is None else row[0]
