"""The file by which commands on the same machine reach the running bot: in the data folder, or in one of its own."""

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from memalign.atomic_file import replace_file
from memalign.errors import StorageError
from storage.engines import Location
from storage.errors import translate_file_errors

ENDPOINT_FILE = "running.json"


def endpoint_folder(location: Location) -> Path:
    """Return the folder of the file: the store's own, or one in the system's folder for temporary files."""
    if isinstance(location, Path):
        return location
    digest = hashlib.sha256(f"{location} {location.schema}".encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"memalign-{os.geteuid()}-{digest}"


def write_endpoint(location: Location, endpoint: Mapping[str, str]) -> None:
    """Write the file, readable by the same user only. Raises `StorageError`."""
    folder = endpoint_folder(location)
    with translate_file_errors(folder):
        if folder != location:
            folder.mkdir(mode=0o700, exist_ok=True)
            _require_private(folder)
        replace_file(folder / ENDPOINT_FILE, json.dumps(endpoint))


def read_endpoint(location: Location) -> dict[str, str]:
    """Return what the running bot wrote. Raises `StorageError` where it wrote nothing."""
    folder = endpoint_folder(location)
    try:
        if folder != location:
            _require_private(folder)
        return dict(json.loads((folder / ENDPOINT_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        remedy = (
            "wait a moment and try again"
            if folder == location
            else "run this where it runs, as the same user, or ask it in Slack"
        )
        raise StorageError(
            f"A bot runs on {location} but has not said here where it listens; {remedy}."
        ) from error


def remove_endpoint(location: Location) -> None:
    """Delete the file, if it is there. Raises `OSError`."""
    folder = endpoint_folder(location)
    (folder / ENDPOINT_FILE).unlink(missing_ok=True)
    if folder != location:
        with suppress(OSError):
            folder.rmdir()


def _require_private(folder: Path) -> None:
    """Raise `StorageError` unless the folder is this user's alone: others may write where temporary files are."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise StorageError(f"{folder} is not this user's alone: remove it, and start memalign again.")
