"""Errors of files and disks as sentences with a remedy."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from memalign.errors import StorageError

FULL = "The disk that holds the store in {path} is full: free some space and try again; nothing was changed."
READ_ONLY = "The store in {path} cannot be written: give this user write access to the folder and its files."
DAMAGED = (
    "The store in {path} is damaged and was left as it is: move the folder aside and bring back a copy "
    "with `memalign restore`."
)
BUSY = "The store in {path} is held by another program: wait until that has finished and try again."
FAILING = (
    "The disk that holds the store in {path} failed ({detail}): check the disk, then start again; "
    "what was confirmed before is kept."
)
_UNUSABLE = (
    "The store in {path} cannot be used ({detail}): make it a folder that this user can write, "
    "or name another in [storage] path."
)
_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class StoreFileError(StorageError):
    """The store's files cannot be read or written, whatever is asked of them."""


@contextmanager
def translate_file_errors(path: object) -> Iterator[None]:
    """Raise errors of files inside as `StoreFileError`; mistakes of ours pass as they are."""
    try:
        yield
    except OSError as problem:
        detail = problem.strerror or str(problem)
        raise StoreFileError(_sentence_of(problem).format(path=path, detail=detail)) from problem


def _sentence_of(problem: OSError) -> str:
    if problem.errno in _FULL_ERRORS:
        return FULL
    return READ_ONLY if problem.errno == errno.EROFS else _UNUSABLE
