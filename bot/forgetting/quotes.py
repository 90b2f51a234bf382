"""What verdicts on other traces quote of what is being forgotten: such a rationale goes, its value stays."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias

from memalign.records import Json, Trace
from storage.database import Database

RUN = 5
"""So many words in a row that are the same are a quote; so is a whole text of fewer, but not a single word."""
REDACTED_RATIONALE = "(The reason was taken out: it quoted what was forgotten.)"
Run: TypeAlias = tuple[str, ...]


async def redact_quotes(
    database: Database, texts: Iterable[str], trace_ids: Collection[str], guideline_ids: Collection[str]
) -> int:
    """Take the rationales out that quote the texts; how many.

    A model can quote what it was shown only: verdicts that rested on none of the traces and guidelines are
    left alone. Raises `StorageError`.
    """
    runs = {run for text in texts for run in runs_of(text, min(RUN, len(words_of(text))))}
    if not runs:
        return 0
    count = 0
    for stored in await database.verdicts.shown_evidence(trace_ids, guideline_ids):
        if stored.verdict.trace_id not in trace_ids and _quotes(stored.verdict.rationale, runs):
            await database.verdicts.redact(stored.verdict_id, REDACTED_RATIONALE)
            count += 1
    return count


def _quotes(rationale: str, runs: Collection[Run]) -> bool:
    return any(run in runs for length in range(2, RUN + 1) for run in runs_of(rationale, length))


def runs_of(text: str, length: int) -> Iterator[Run]:
    """Each run of so many words in a text; none of a single word."""
    words = words_of(text)
    if length > 1:
        for start in range(len(words) - length + 1):
            yield words[start : start + length]


def words_of(text: str) -> Run:
    """A text's words, letter case aside."""
    return tuple(re.findall(r"\w+", text.casefold()))


def texts_of(trace: Trace) -> Iterator[str]:
    """Every text in a trace."""
    parts = (trace.inputs, trace.outputs, trace.expectations, trace.conversation, list(trace.spans))
    for part in parts:
        yield from _strings(part)


def _strings(part: Json) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for value in part.values():
            yield from _strings(value)
    elif isinstance(part, (list, tuple)):
        for value in part:
            yield from _strings(value)
