"""Files that commands write for people to hand on."""

from collections.abc import Collection
from pathlib import Path

from memalign.atomic_file import replace_bytes
from memalign.errors import InputError


def check_page_file(file: Path, endings: Collection[str]) -> None:
    """Raise `InputError` where a page cannot be written, before the work of making it.

    Args:
        file: the file.
        endings: those that tell a kind of page, with the dot, such as `.html`.
    """
    if file.suffix.casefold() not in endings:
        *others, last = endings
        known = f"{', '.join(others)} or {last}" if others else last
        raise InputError(f"--out {file} has to end in {known}.")
    if file.is_dir():
        raise InputError(f"{file} is a folder; name a file for --out.")
    if not file.parent.is_dir():
        raise InputError(f"There is no folder {file.parent} for --out; make it, or choose another.")


def write_page(file: Path, content: str | bytes) -> None:
    """Write a page, or replace the one there; through a link it is the file that the link leads to.

    Raises `InputError` where it cannot be written.
    """
    page = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    try:
        replace_bytes(file.resolve(), page)
    except OSError as error:
        raise InputError(f"{file} cannot be written ({error.strerror or error}).") from error
