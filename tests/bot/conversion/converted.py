"""Conversion of an export that a test writes."""

import json
from dataclasses import dataclass
from pathlib import Path

from bot.conversion.columns import ColumnReader
from bot.conversion.conversion import Conversion
from bot.trace_json.trace_body import read_body
from memalign.records import Json, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """Lines that a conversion wrote, and what it said."""

    lines: list[dict[str, Json]]
    sentences: list[str]

    def parts(self, *names: str) -> list[tuple[Json, ...]]:
        return [tuple(line.get(name) for name in names) for line in self.lines]

    @property
    def labels(self) -> list[tuple[Json, ...]]:
        return self.parts("trace_id", "judge", "label", "rationale", "annotator")

    @property
    def content(self) -> list[tuple[Json, ...]]:
        return self.parts("trace_id", "inputs", "outputs")


def convert_files(
    *files: Path,
    source: str | None = None,
    judge: str | None = None,
    scores: frozenset[str] = frozenset(),
    columns: dict[str, str] | None = None,
) -> Converted:
    """Convert files; each line is one that `POST /traces` accepts."""
    reader = ColumnReader(named=columns or {})
    conversion = Conversion(source=source, judge=judge, scores=scores, columns=reader)
    lines = list(conversion.lines(files))
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    assert all(isinstance(item, Trace) for item in read_body(body, ndjson=True))
    return Converted(lines=lines, sentences=list(conversion.report.sentences(reader)))


def text_file(folder: Path, content: str | bytes, name: str = "export") -> Path:
    """Write a file, and return it."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def json_file(folder: Path, *documents: Json, name: str = "export.jsonl") -> Path:
    """Write a file of JSON lines, and return it."""
    return text_file(folder, "".join(json.dumps(each) + "\n" for each in documents), name)
