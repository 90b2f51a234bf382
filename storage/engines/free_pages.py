"""Free pages of a SQLite file, given back to the disk some at a time.

What is deleted frees pages, which SQLite uses again but never gives back by itself. `incremental_vacuum` moves pages
from the end of the file into them and cuts the end off (https://www.sqlite.org/pragma.html#pragma_incremental_vacuum).
The file must have been made for it: another one has to be rewritten once, which keeps everybody waiting.
"""

import logging
import sqlite3
from pathlib import Path

_LOG = logging.getLogger("memalign.storage")
_INCREMENTAL = 2
MAX_REWRITTEN_BYTES = 16_000_000
"""Largest file that is rewritten when it is opened: some 0.1 s."""
MIN_FREE_PAGES = 1000
"""Fewer free pages, some 4 MB, are kept for what comes."""


def make_releasable(connection: sqlite3.Connection) -> None:
    """Let a file without tables give pages back later."""
    connection.execute(f"PRAGMA auto_vacuum = {_INCREMENTAL}")


def upgrade_if_small(connection: sqlite3.Connection, file: Path) -> None:
    """Rewrite a small file of an earlier version so that it can give pages back; leave a large one, and say so."""
    if is_releasable(connection):
        return
    if file.stat().st_size > MAX_REWRITTEN_BYTES:
        _LOG.info("%s was made by an earlier version: it uses free pages again, but does not shrink", file)
        return
    # what it writes meanwhile must not lie outside of the folder
    connection.execute("PRAGMA temp_store = MEMORY")
    try:
        make_releasable(connection)
        connection.execute("VACUUM")
    except sqlite3.OperationalError as error:  # a full disk must not keep the bot from starting
        _LOG.warning("%s does not shrink until it can be rewritten at a start: %s", file, error)
    finally:
        connection.execute("PRAGMA temp_store = DEFAULT")


def is_releasable(connection: sqlite3.Connection) -> bool:
    """Return whether the file can give pages back."""
    return _number(connection, "auto_vacuum") == _INCREMENTAL


def release(connection: sqlite3.Connection, pages: int) -> bool:
    """Give up to that many pages back, if there are many; return whether there were."""
    if not is_releasable(connection) or _number(connection, "freelist_count") < MIN_FREE_PAGES:
        return False
    # a page at each step of the statement, which `execute` would leave after the first
    connection.executescript(f"PRAGMA incremental_vacuum({pages})")
    return True


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    number: int = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
    return number
