"""VERDICTS.jsonl: one verdict a line, kept from run to run, in the order of the traces."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from bot.cli.feedback_file import numbered_lines, parse_object
from bot.cli.terminal import json_line
from bot.reports.export import verdict_line
from memalign.atomic_file import replace_file
from memalign.errors import InputError
from memalign.records import Json, Verdict


class VerdictFile:
    """A file of verdicts, which may hold those of an earlier run, or standard output.

    Each verdict is in the file as soon as it is added. Opening raises `InputError` if the file holds anything but
    verdicts, or cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        verdicts = _read(path) if path and path.exists() else []
        self._values = {(line["judge"], line["trace_id"]): line["value"] for line in verdicts}
        if path:
            _write(path, verdicts)
        self._stream: TextIO = (
            path.open("a", encoding="utf-8", errors="backslashreplace") if path else sys.stdout
        )

    def has(self, judge: str, trace_id: str) -> bool:
        """Return True if an earlier run has judged the trace."""
        return (judge, trace_id) in self._values

    def values(self, judge: str) -> dict[str, Json]:
        """Return the values of a judge's verdicts, by trace id."""
        return {trace_id: value for (name, trace_id), value in self._values.items() if name == judge}

    def add(self, verdict: Verdict) -> None:
        """Append a verdict."""
        line = verdict_line(verdict)
        self._values[line["judge"], line["trace_id"]] = line["value"]
        self._stream.write(json_line(line) + "\n")
        self._stream.flush()

    def put_in_order(self, trace_ids: Sequence[str]) -> None:
        """Sort the file by the order of the traces, so that verdicts of a later run stand in their place."""
        if self._path is None:
            return
        places = {trace_id: place for place, trace_id in enumerate(trace_ids)}
        verdicts = _read(self._path)
        ordered = sorted(verdicts, key=lambda line: places.get(line["trace_id"], -1))
        if ordered != verdicts:
            _write(self._path, ordered)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path:
            self._stream.close()


def _read(path: Path) -> list[dict[str, Json]]:
    """Return the verdicts in the file, without a last line that was cut off."""
    verdicts = []
    lines = list(numbered_lines(path))
    for number, line in lines:
        try:
            verdicts.append(_parse_verdict(line))
        except InputError:
            if number == len(lines) and not line.endswith(b"\n"):
                break
            raise InputError(
                f"Line {number} of {path} is not a verdict, so nothing was written there; choose another --out."
            ) from None
    return verdicts


def _parse_verdict(line: bytes) -> dict[str, Json]:
    verdict = parse_object(line)
    if not {"trace_id", "judge", "value"} <= verdict.keys():
        raise InputError("it is not a verdict")
    return verdict


def _write(path: Path, verdicts: Sequence[Mapping[str, Json]]) -> None:
    try:
        replace_file(path, "".join(json_line(line) + "\n" for line in verdicts))
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); choose another --out.") from error
