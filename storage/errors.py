"""Errors of files and disks as sentences with a remedy."""

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from memalign.errors import StorageError

_FULL = "The disk that holds the store in {path} is full: free some space and try again; nothing was changed."
_READ_ONLY = "The store in {path} cannot be written: give this user write access to the folder and its files."
DAMAGED = (
    "The store in {path} is damaged and was left as it is: move the folder aside and bring back a copy "
    "with `memalign restore`."
)
_BUSY = "The store in {path} is held by another program: wait until that has finished and try again."
_FAILING = (
    "The disk that holds the store in {path} failed ({detail}): check the disk, then start again; "
    "what was confirmed before is kept."
)
_UNUSABLE = (
    "The store in {path} cannot be used ({detail}): make it a folder that this user can write, "
    "or name another in [storage] path."
)
_SENTENCES = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_IOERR: _FAILING,
}
_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_SPACE = 64 * 1024
"""Free bytes below which a failing disk is a full one: SQLite cannot say so of every file it keeps."""


class StoreFileError(StorageError):
    """The store's files cannot be read or written, whatever is asked of them."""


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Raise errors of files and of SQLite inside as `StoreFileError`; mistakes of ours pass as they are."""
    try:
        yield
    except OSError as problem:
        raise to_storage_error(problem, path) from problem
    except UnicodeDecodeError as problem:
        # SQLite's own words, with a name in them that is damaged; documents are never decoded here
        raise StoreFileError(DAMAGED.format(path=path)) from problem
    except sqlite3.Error as problem:
        if _code(problem) not in _SENTENCES and not _is_unreadable(problem):
            raise
        raise to_storage_error(problem, path) from problem


def to_storage_error(problem: sqlite3.Error | OSError, path: Path) -> StoreFileError:
    """Return the problem as a sentence for a person."""
    if isinstance(problem, OSError):
        sentence, detail = _sentence_of(problem), problem.strerror or str(problem)
    else:
        sentence, detail = _sentence_of_sqlite(problem, path), str(problem)
    return StoreFileError(sentence.format(path=path, detail=detail))


def _sentence_of(problem: OSError) -> str:
    if problem.errno in _FULL_ERRORS:
        return _FULL
    return _READ_ONLY if problem.errno == errno.EROFS else _UNUSABLE


def _sentence_of_sqlite(problem: sqlite3.Error, path: Path) -> str:
    if _is_unreadable(problem):
        return DAMAGED
    sentence = _SENTENCES.get(_code(problem), _FAILING)
    return _FULL if sentence is _FAILING and _is_full(path) else sentence


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
