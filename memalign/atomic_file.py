"""Replacing a file in one step, and cleaning up after a process that was killed on the way."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_PARTIAL_NAME = re.compile(r".+\.[0-9a-f]{8}\.part")

OWNER_ONLY = 0o600
"""Permissions of a file that nobody else may read."""


def replace_file(path: Path, text: str) -> None:
    """Write a text file as `replace_bytes` writes a file of bytes.

    Args:
        path: The file to write; its folder must exist.
        text: The whole content, written as UTF-8.

    Raises:
        OSError: If the file cannot be written; the old content then stays.
    """
    replace_bytes(path, text.encode("utf-8", "backslashreplace"))


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old content or the new one, never a part of it.

    It is readable by its owner alone, since what we write holds people's words.

    The content goes to a file beside the target, which then takes the target's name: after a crash the target is
    whole. It is not synced, so a cut of power may bring the old content back.

    Args:
        path: The file to write; its folder must exist.
        content: The whole content.

    Raises:
        OSError: If the file cannot be written; the old content then stays.
    """
    with replacement(path) as file:
        file.write(content)


@contextmanager
def replacement(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of another once all of it is written, as `replace_bytes` does.

    Args:
        path: The file to write; its folder must exist.

    Yields:
        The new file. After an error inside the context the old one stays.

    Raises:
        OSError: If the file cannot be written; the old content then stays.
    """
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(partial, "xb", opener=lambda name, flags: os.open(name, flags, OWNER_ONLY)) as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def remove_partial_files(folder: Path) -> None:
    """Remove what `replace_file` left in a folder when its process was killed.

    Args:
        folder: The folder; nobody may be writing in it.

    Raises:
        OSError: If a file cannot be removed.
    """
    for partial in folder.glob("*.*.part"):
        if _PARTIAL_NAME.fullmatch(partial.name):
            partial.unlink(missing_ok=True)
