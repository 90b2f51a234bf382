"""JSONL files, read a line at a time: none is held in memory, however long the file is."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from memalign.errors import InputError
from memalign.records import Json
from memalign.surrogates import replace_surrogates

STANDARD_INPUT = Path("-")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """A line of a file."""

    number: int
    """From 1."""
    offset: int
    """Place of its first byte in the file."""
    content: bytes
    """With its end."""


class LineFile:
    """The lines of a file, which may be read as often as needed.

    Args:
        name: The file's name, for errors.
        file: Its bytes; they can be read from any place.
    """

    def __init__(self, name: Path, file: BinaryIO) -> None:
        self.name = name
        self._file = file

    def __iter__(self) -> Iterator[FileLine]:
        """Yield each line, from the first one on."""
        self._file.seek(0)
        number = offset = 0
        # not str.splitlines: JSON texts may hold Unicode's line separators
        while block := self._file.readline():
            if offset == 0 and block.startswith(_BOM):
                block, offset = block.removeprefix(_BOM), len(_BOM)
            for content in block.splitlines(keepends=True):
                number += 1
                yield FileLine(number=number, offset=offset, content=content)
                offset += len(content)

    def at(self, offset: int) -> bytes:
        """Return the line that begins at a place."""
        self._file.seek(offset)
        return (self._file.readline().splitlines(keepends=True) or [b""])[0]


@contextmanager
def open_lines(name: Path) -> Iterator[LineFile]:
    """Open a file, or standard input for `-`; what comes through a pipe is kept in a temporary file meanwhile.

    Raises `InputError` if it cannot be read.
    """
    with ExitStack() as stack:
        try:
            source = sys.stdin.buffer if name == STANDARD_INPUT else stack.enter_context(name.open("rb"))
            if not source.seekable():
                copy = stack.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(source, copy)
                source = copy
            source.seek(0)
            source.read(1)
        except OSError as error:
            raise InputError(f"{name} cannot be read ({error.strerror}); give a JSONL file.") from error
        yield LineFile(name, source)


def parse_object(line: bytes) -> dict[str, Json]:
    """Return the line's JSON object. Raises `InputError`."""
    try:
        document = replace_surrogates(json.loads(line.decode("utf-8")))
    except (ValueError, RecursionError) as error:
        raise InputError(f"it is not JSON ({error})") from None
    if not isinstance(document, dict):
        raise InputError("it is no JSON object")
    return document
