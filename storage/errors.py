"""Errors of files and disks as sentences with a remedy."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from memalign.errors import StorageError

_FULL = "The disk that holds the store in {path} is full: free some space and try again; nothing was changed."
_READ_ONLY = "The store in {path} cannot be written: give this user write access to the folder and its files."
_DAMAGED = (
    "The store in {path} is damaged and was left as it is: move the folder aside and bring back a copy "
    "with `memalign restore`."
)
_BUSY = "The store in {path} is held by another program: wait until that has finished and try again."
_FAILING = (
    "The disk that holds the store in {path} failed ({detail}): check the disk, then start again; "
    "what was confirmed before is kept."
)
_SENTENCES = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_IOERR: _FAILING,
}


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Raise errors of files and of SQLite inside as `StorageError`; mistakes of ours pass as they are."""
    try:
        yield
    except OSError as problem:
        raise to_storage_error(problem, path) from problem
    except sqlite3.Error as problem:
        if _code(problem) not in _SENTENCES:
            raise
        raise to_storage_error(problem, path) from problem


def to_storage_error(problem: sqlite3.Error | OSError, path: Path) -> StorageError:
    """Return the problem as a sentence for a person."""
    if isinstance(problem, OSError):
        return StorageError(
            f"The store in {path} cannot be used ({problem.strerror or problem}): "
            "make it a folder that this user can write, or name another in [storage] path."
        )
    sentence = _SENTENCES.get(_code(problem), _FAILING)
    return StorageError(sentence.format(path=path, detail=problem))


def _code(problem: sqlite3.Error) -> int:
    # SQLite's extended codes carry the plain one in their low byte; errors of the Python module have none
    code: int = getattr(problem, "sqlite_errorcode", 0)
    return code & 0xFF
