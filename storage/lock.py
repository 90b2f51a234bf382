"""One process writes: the folder's lock."""

from pathlib import Path

from filelock import FileLock, Timeout

from memalign.errors import StorageError


def lock(folder: Path) -> FileLock:
    """Take the folder for this process. Raises `StorageError` when another one has it, or `OSError`."""
    # taken in the worker's thread, given back perhaps in another
    held = FileLock(folder / "memalign.lock", timeout=0, mode=0o600, thread_local=False)
    try:
        held.acquire()
    except Timeout as problem:
        raise StorageError(
            f"Another memalign is using the store in {folder}: stop that one first, or name another folder "
            "in [storage] path."
        ) from problem
    return held


def is_held(folder: Path) -> bool:
    """Whether a process writes in the folder at the moment; makes nothing there. Raises `OSError`."""
    file = folder / "memalign.lock"
    if not file.exists():
        return False
    probe = FileLock(file, timeout=0, mode=0o600, thread_local=False)
    try:
        probe.acquire()
    except Timeout:
        return True
    probe.release()
    return False
