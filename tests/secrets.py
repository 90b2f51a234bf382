"""Searching every byte of a folder for texts and vectors that must not be there, in whatever spelling."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from memalign.ports import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The size of what was searched, and the matches."""

    size: int
    """Bytes."""
    found: tuple[tuple[str, bytes], ...]
    """(file, spelling)."""


def spellings(text: str) -> list[bytes]:
    """A text as it may stand in a file: raw, as JSON writes it, in UTF-16, in base64 at each of its offsets."""
    raw = text.encode()
    shifted = [base64.b64encode(b"\0" * shift + raw)[4:-4] for shift in range(3)]
    return [
        raw,
        json.dumps(text)[1:-1].encode(),
        json.dumps(text, ensure_ascii=False)[1:-1].encode(),
        text.encode("utf-16-le"),
        *(stretch for stretch in shifted if len(stretch) > 8),
    ]


def vector_spellings(vector: Vector) -> list[bytes]:
    """A vector as it may stand in a file: its floats raw and in base64, a stretch from its middle."""
    raw = vector.astype("<f4").tobytes()
    return [raw[24:72], base64.b64encode(raw)[32:96]]


def search(folder: Path, texts: Iterable[str], vectors: Iterable[Vector] = ()) -> SearchResult:
    """Look through every file under the folder."""
    needles = [spelling for text in texts for spelling in spellings(text)]
    needles += [spelling for vector in vectors for spelling in vector_spellings(vector)]
    size, found = 0, []
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            size += len(content)
            found += [(file.name, needle) for needle in needles if needle in content]
    return SearchResult(size=size, found=tuple(found))
