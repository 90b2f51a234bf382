"""Redaction of rationales that quote what is being forgotten: the words go, the verdict's value stays."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias

from memalign.json_leaves import leaves
from memalign.records import Trace
from storage.database import Database

QUOTE_NGRAM_WORDS = 5
"""Equal words in a row that make a quote; a whole text of fewer words is one, too, but not a single word."""
REDACTED_RATIONALE = "(The reason was taken out: it quoted what was forgotten.)"
NGram: TypeAlias = tuple[str, ...]


async def redact_quotes(
    database: Database, texts: Iterable[str], trace_ids: Collection[str], guideline_ids: Collection[str]
) -> int:
    """Redact the rationales that quote one of the texts.

    Args:
        database: the store.
        texts: what is being forgotten.
        trace_ids: the traces that these texts belong to.
        guideline_ids: the guidelines that these texts belong to. A model can quote only what it was shown, so
            verdicts that were shown none of these traces and guidelines are left alone.

    Returns:
        The number of rationales redacted.

    Raises:
        StorageError: the store failed; what is redacted already stays so.
    """
    quotes = {ngram for text in texts for ngram in ngrams(text, min(QUOTE_NGRAM_WORDS, len(words_of(text))))}
    count = 0
    if quotes:
        for stored in await database.verdicts.shown_evidence(trace_ids, guideline_ids):
            if _contains(stored.verdict.rationale, quotes):
                await database.verdicts.redact(stored.verdict_id, REDACTED_RATIONALE)
                count += 1
    return count


def _contains(rationale: str, quotes: Collection[NGram]) -> bool:
    lengths = range(2, QUOTE_NGRAM_WORDS + 1)
    return any(ngram in quotes for length in lengths for ngram in ngrams(rationale, length))


def ngrams(text: str, length: int) -> Iterator[NGram]:
    """Yield the runs of so many words in a text; none of a single word."""
    words = words_of(text)
    if length > 1:
        for start in range(len(words) - length + 1):
            yield words[start : start + length]


def words_of(text: str) -> NGram:
    """Return a text's words, letter case aside."""
    return tuple(re.findall(r"\w+", text.casefold()))


def texts_of(trace: Trace) -> Iterator[str]:
    """Yield every text in a trace."""
    parts = (
        trace.inputs,
        trace.outputs,
        trace.expectations,
        trace.conversation,
        list(trace.spans),
        trace.error,
    )
    for part in parts:
        yield from (leaf.value for leaf in leaves(part) if isinstance(leaf.value, str))
