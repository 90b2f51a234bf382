"""VERDICTS.jsonl: one verdict a line, kept from run to run, in the order of the traces."""

import fcntl
import os
import sys
from array import array
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import numpy as np

from bot.cli.line_file import FileLine, LineFile, open_lines, parse_object
from bot.cli.terminal import json_line
from bot.cli.verdict_tally import OF_OTHERS, VerdictTally
from memalign.atomic_file import OWNER_ONLY, replacement
from memalign.errors import InputError
from memalign.records import Json, Verdict
from memalign.verdict_row import verdict_row

_BEGINNING = b'{"trace_id": '
"""Of each line that is written here."""


class VerdictFile:
    """A file of verdicts, which may hold those of an earlier run, or standard output.

    Each verdict is in the file as soon as it is added, and no other process may add any meanwhile. Opening raises
    `InputError` if the file holds anything but verdicts, cannot be written, or is being written by another process.

    Args:
        path: The file; None: standard output.
        tally: Counts the verdicts that are in the file or are added.
    """

    def __init__(self, path: Path | None, tally: VerdictTally) -> None:
        self.first_other: int | None = None
        """Number of the first line of an earlier run that is of another judge, or on none of the traces."""
        self._path = path
        self._tally = tally
        # a device or a pipe holds nothing to go on with
        self._is_regular = path is not None and (path.is_file() or not path.exists())
        self._stream = _open(path, is_regular=self._is_regular) if path else sys.stdout
        if path and self._is_regular:
            self._take_in(path)

    def add(self, verdict: Verdict) -> None:
        """Append a verdict. Raises `InputError` if it cannot be written."""
        line = verdict_row(verdict)
        try:
            self._stream.write(json_line(line) + "\n")
            self._stream.flush()
        except OSError as error:
            if self._path is None:
                raise
            raise _unwritable(self._path, error) from error
        self._tally.add(line)

    def put_in_order(self) -> None:
        """Sort the file by the order of the traces, so that verdicts of a later run stand in their place."""
        if self._path is None or not self._is_regular or self._tally.is_in_order:
            return
        try:
            # through a link it is the file that the link leads to
            with open_lines(self._path) as lines, replacement(self._path.resolve()) as file:
                for offset in self._offsets_in_order(lines):
                    file.write(lines.at(offset))
        except OSError as error:
            raise _unwritable(self._path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path:
            with suppress(OSError):  # of a full disk, which has been told
                self._stream.close()

    def _take_in(self, path: Path) -> None:
        """Count the verdicts of an earlier run; a last line that was cut off goes."""
        try:
            with open_lines(path) as lines:
                self._count(path, lines)
        except BaseException:
            self._stream.close()
            raise

    def _count(self, path: Path, lines: LineFile) -> None:
        line = None
        for line in lines:
            try:
                verdict = _parse_verdict(line.content)
            except InputError:
                if _is_cut_off(line):
                    os.ftruncate(self._stream.fileno(), line.offset)
                    return
                raise InputError(
                    f"Line {line.number} of {path} is not a verdict, so nothing was written there; "
                    "choose another --out."
                ) from None
            self._tally.add(verdict)
            if self.first_other is None and self._tally.place_of(verdict) == OF_OTHERS:
                self.first_other = line.number
        if line and not line.content.endswith(b"\n"):
            self._stream.write("\n")

    def _offsets_in_order(self, lines: LineFile) -> "np.typing.NDArray[np.int64]":
        """Return where the file's lines are, in the order of their traces."""
        places, offsets = array("q"), array("q")
        for line in lines:
            places.append(self._tally.place_of(_parse_verdict(line.content)))
            offsets.append(line.offset)
        order = np.argsort(np.frombuffer(places, np.int64), kind="stable")
        return np.frombuffer(offsets, np.int64)[order]


def _open(path: Path, *, is_regular: bool) -> TextIO:
    """Open a file to add to, for its owner alone. Raises `InputError`."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, OWNER_ONLY)
        if is_regular:
            _lock(handle, path)
            os.fchmod(handle, OWNER_ONLY)
    except OSError as error:
        raise _unwritable(path, error) from error
    return os.fdopen(handle, "a", encoding="utf-8", errors="backslashreplace")


def _lock(handle: int, path: Path) -> None:
    """Lock a file until it is closed. Raises `InputError` where another process adds to it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_free = os.path.samestat(os.fstat(handle), path.stat())  # else it was put in order meanwhile
    except BlockingIOError:
        is_free = False
    except OSError:  # a file system without locks
        return
    if not is_free:
        raise InputError(
            f"Another memalign is writing {path}; wait until it is done, or choose another --out."
        )


def _is_cut_off(line: FileLine) -> bool:
    """Return whether a line is the beginning of one that was written here; only the last one can be."""
    size = min(len(line.content), len(_BEGINNING))
    return not line.content.endswith(b"\n") and line.content[:size] == _BEGINNING[:size]


def _parse_verdict(line: bytes) -> dict[str, Json]:
    verdict = parse_object(line)
    if not {"trace_id", "judge", "value"} <= verdict.keys():
        raise InputError("it is not a verdict")
    return verdict


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} cannot be written ({error.strerror}); choose another --out.")
