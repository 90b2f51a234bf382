"""Errors of SQLite as sentences with a remedy."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.errors import BUSY, DAMAGED, FAILING, FULL, READ_ONLY, StoreFileError, translate_file_errors

_SENTENCES = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: READ_ONLY,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_IOERR: FAILING,
}
_NO_SPACE = 64 * 1024
"""Free bytes below which a failing disk is a full one: SQLite cannot say so of every file it keeps."""


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Raise errors of files and of SQLite inside as `StoreFileError`; mistakes of ours pass as they are."""
    try:
        with translate_file_errors(path):
            yield
    except UnicodeDecodeError as problem:
        # SQLite's own words, with a name in them that is damaged; documents are never decoded here
        raise StoreFileError(DAMAGED.format(path=path)) from problem
    except sqlite3.Error as problem:
        if _code(problem) not in _SENTENCES and not _is_unreadable(problem):
            raise
        raise StoreFileError(_sentence_of(problem, path).format(path=path, detail=problem)) from problem


def _sentence_of(problem: sqlite3.Error, path: Path) -> str:
    if _is_unreadable(problem):
        return DAMAGED
    sentence = _SENTENCES.get(_code(problem), FAILING)
    return FULL if sentence is FAILING and _is_full(path) else sentence


def _is_full(path: Path) -> bool:
    with suppress(OSError):
        return shutil.disk_usage(path).free < _NO_SPACE
    return False


def _is_unreadable(problem: sqlite3.Error) -> bool:
    # Python's module raises this by itself, without a code, for a name or a text that is no UTF-8
    return isinstance(problem, sqlite3.OperationalError) and "decode to UTF-8" in str(problem)


def _code(problem: sqlite3.Error) -> int:
    # SQLite's extended codes carry the plain one in their low byte; errors of the Python module have none
    code: int = getattr(problem, "sqlite_errorcode", 0)
    return code & 0xFF
