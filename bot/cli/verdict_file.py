"""VERDICTS.jsonl: a verdict a line, kept from run to run, in the order of the traces."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from bot.cli.feedback_file import numbered, object_in
from memalign.errors import InputError
from memalign.records import Json, Verdict


class VerdictFile:
    """Where verdicts go: a file that may hold an earlier run's, or standard output.

    Each verdict is in the file as soon as it is added. Opening raises `InputError` when the file holds anything but
    verdicts, or cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        kept = _read(path) if path and path.exists() else []
        self._known = {(line["judge"], line["trace_id"]) for line in kept}
        if path:
            _write(path, kept)
        self._stream: TextIO = path.open("a", encoding="utf-8") if path else sys.stdout

    def has(self, judge: str, trace_id: str) -> bool:
        """Whether an earlier run has judged the trace."""
        return (judge, trace_id) in self._known

    def add(self, verdict: Verdict) -> None:
        """Write a verdict."""
        self._stream.write(json.dumps(_line(verdict), ensure_ascii=False) + "\n")
        self._stream.flush()

    def put_in_order(self, trace_ids: Sequence[str]) -> None:
        """Put what only a later run could judge in its place."""
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


def _line(verdict: Verdict) -> dict[str, Json]:
    return {
        "trace_id": verdict.trace_id,
        "judge": verdict.judge,
        "value": verdict.value,
        "rationale": verdict.rationale,
        "guideline_ids": list(verdict.guideline_ids),
        "retrieved_trace_ids": list(verdict.retrieved_trace_ids),
    }


def _read(path: Path) -> list[dict[str, Json]]:
    """The verdicts in the file; a last line that was cut off in its middle is left out."""
    verdicts = []
    lines = list(numbered(path))
    for number, line in lines:
        try:
            verdicts.append(_verdict(line))
        except InputError:
            if number == len(lines) and not line.endswith(b"\n"):
                break
            raise InputError(
                f"Line {number} of {path} is no verdict, so nothing was written there; choose another --out."
            ) from None
    return verdicts


def _verdict(line: bytes) -> dict[str, Json]:
    verdict = object_in(line)
    if not {"trace_id", "judge", "value"} <= verdict.keys():
        raise InputError("it is no verdict")
    return verdict


def _write(path: Path, verdicts: Sequence[Mapping[str, Json]]) -> None:
    """Write the file, whole or not at all."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in verdicts)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); choose another --out.") from error
    finally:
        beside.unlink(missing_ok=True)
