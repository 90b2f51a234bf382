"""The files that a store has open: noticed when somebody removes or replaces them."""

from collections.abc import Iterable
from pathlib import Path

from storage.errors import StoreFileError


class OpenFiles:
    """Files as they were when they were opened.

    A process goes on writing to a file that was deleted or whose folder was moved, without an error: what it
    writes is in no file that anybody will find.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        """Remember the files. Raises `OSError`."""
        self._inodes = {path: _inode_of(path) for path in paths}

    def check(self) -> None:
        """Raise `StoreFileError` when a path leads to another file than the open one, or to none."""
        for path, inode in self._inodes.items():
            if _inode_of(path) != inode:
                raise StoreFileError(
                    f"{path} was removed or replaced while memalign was using it, so nothing more is taken in. "
                    "Stop memalign, put the folder back or bring back a copy with `memalign restore`, "
                    "and start it again."
                )


def _inode_of(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
