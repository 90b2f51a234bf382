"""Vectors of cases: both parts of a case's text in one row, so that a cosine of rows is the mean of both cosines.

Let g and m be the vectors of what was given and of what was made, each of length 1. The row (g, m) / sqrt(2) has
length 1, and the product of two rows is (g . g' + m . m') / 2. An empty part is a vector of zeros.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from memalign.embedded_text import text_of
from memalign.memory.embedding_cache import VectorCache
from memalign.ports import Vector
from memalign.records import CaseText, Episode, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLookup:
    """Rows by a case's text, or the reason why there is none."""

    vectors: Mapping[CaseText, Vector]
    """Each of shape (2 x dimension,)."""
    failed: Mapping[CaseText, str]
    """Text -> why it could not be embedded."""
    retry_after: float = 0.0
    """Seconds after which the model's service asks to be called again."""
    usage: Usage = field(default_factory=Usage)
    """The cost of the calls that this lookup caused."""


class CaseVectors:
    """Looks up rows of cases; each part of a text is embedded once, in whatever cases it occurs.

    Args:
        parts: Vectors of the parts.
    """

    def __init__(self, parts: VectorCache) -> None:
        self.parts = parts

    async def known(self, texts: Iterable[CaseText]) -> dict[CaseText, Vector]:
        """Look up the rows that need no model call.

        Args:
            texts: Texts of cases.

        Returns:
            By text; unknown ones are missing.

        Raises:
            StorageError: If the store cannot be read.
        """
        wanted = list(texts)
        return _rows(wanted, await self.parts.known(_parts(wanted)))

    async def find(self, texts: Iterable[CaseText]) -> CaseLookup:
        """Look up rows, and have the missing parts embedded.

        Args:
            texts: Texts of cases; the same one may be given twice.

        Returns:
            A row or a reason for each text.

        Raises:
            StorageError: If the store cannot be read.
        """
        wanted = list(dict.fromkeys(texts))
        lookup = await self.parts.find(_parts(wanted))
        failed = {text: lookup.failed[part] for text in wanted for part in text if part in lookup.failed}
        return CaseLookup(
            vectors=_rows(wanted, lookup.vectors),
            failed=failed,
            retry_after=lookup.retry_after,
            usage=lookup.usage,
        )

    async def keep(self, owner: str, text: CaseText, row: Vector) -> None:
        """Keep the vectors of a case in the store until their last owner drops them.

        Args:
            owner: The case's trace id.
            text: Its text.
            row: Of shape (2 x dimension,).

        Raises:
            StorageError: If the store cannot be written.
        """
        await self.parts.keep(owner, _vectors_of_parts(text, row))

    def prime(self, rows: Mapping[CaseText, Vector]) -> None:
        """Take in rows that the same model made before.

        Args:
            rows: By text, each of shape (2 x dimension,).
        """
        for text, row in rows.items():
            self.parts.prime(_vectors_of_parts(text, row))


def row_of(given: Vector, made: Vector) -> Vector:
    """Join the vectors of both parts of a case's text.

    Args:
        given: Of shape (dimension,), of length 1 or, for an empty part, 0.
        made: As `given`; not both are of length 0.

    Returns:
        The row, of shape (2 x dimension,) and length 1.
    """
    joined: Vector = np.concatenate([given, made])
    row: Vector = (joined / np.linalg.norm(joined)).astype(np.float32)
    return row


def whole(row: Vector) -> Vector:
    """Add both parts of a row up, for a comparison with texts that have one part.

    Args:
        row: Of shape (2 x dimension,).

    Returns:
        Of shape (dimension,), of length 1.
    """
    given, made = np.split(row, 2)
    total: Vector = given + made
    length = np.linalg.norm(total)
    return (total / length).astype(np.float32) if length > 0 else given


def with_current_text(episode: Episode) -> Episode:
    """Make the text of an episode anew where an earlier version may have made it in one part.

    Args:
        episode: The episode as it was kept.

    Returns:
        The episode, with both parts of its text.
    """
    if episode.answer_text:
        return episode
    text = text_of(episode.fields)
    return episode if text == episode.case_text else replace(episode, text=text.given, answer_text=text.made)


def _parts(texts: Iterable[CaseText]) -> list[str]:
    return list(dict.fromkeys(part for text in texts for part in text if part))


def _rows(texts: Iterable[CaseText], vectors: Mapping[str, Vector]) -> dict[CaseText, Vector]:
    rows = {}
    for text in texts:
        if any(text) and all(part in vectors for part in text if part):
            known = [vectors[part] for part in text if part]
            empty = np.zeros_like(known[0])
            given, made = (vectors[part] if part else empty for part in text)
            rows[text] = row_of(given, made)
    return rows


def _vectors_of_parts(text: CaseText, row: Vector) -> dict[str, Vector]:
    """Part a row again. The root of 2 is taken out by length, since a row of one part has none in it."""
    halves = zip(text, np.split(row, 2), strict=True)
    lengths = ((part, half, float(np.linalg.norm(half))) for part, half in halves)
    return {part: half / np.float32(length) for part, half, length in lengths if part and length > 0}
