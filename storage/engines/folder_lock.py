"""The lock of a store's folder: one process writes. It outlives a lock file that somebody deletes."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from memalign.errors import StorageError

LOCK_FILE = "memalign.lock"


class FolderLock:
    """A lock file, as every version of memalign takes it, and a lock of the folder itself."""

    def __init__(self, folder: Path) -> None:
        """Take the folder. Raises `StorageError` when another process has it, or `OSError`."""
        self.path = folder / LOCK_FILE
        """The lock file."""
        self._folder = os.open(folder, os.O_RDONLY)
        # taken in the store's thread, given back perhaps in another
        self._file = FileLock(self.path, timeout=0, mode=0o600, thread_local=False)
        try:
            if not _try_lock(self._folder, fcntl.LOCK_EX):
                raise _in_use(folder)
            self._file.acquire()
        except Timeout as problem:
            os.close(self._folder)
            raise _in_use(folder) from problem
        except BaseException:
            os.close(self._folder)
            raise

    def release(self) -> None:
        """Give the folder back."""
        self._file.release()
        os.close(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_locked(folder: Path) -> bool:
    """Return whether a process writes in the folder at the moment; makes nothing there. Raises `OSError`."""
    return _is_locked(folder) or _is_locked(folder / LOCK_FILE)


def _is_locked(path: Path) -> bool:
    with suppress(FileNotFoundError):
        handle = os.open(path, os.O_RDONLY)
        try:
            return not _try_lock(handle, fcntl.LOCK_SH)
        finally:
            os.close(handle)
    return False


def _try_lock(handle: int, kind: int) -> bool:
    """Return False when another process holds the lock; a file system that knows none leaves it to the file."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _in_use(folder: Path) -> StorageError:
    return StorageError(
        f"Another memalign is using the store in {folder}: stop that one first, or name another folder "
        "in [storage] path."
    )
