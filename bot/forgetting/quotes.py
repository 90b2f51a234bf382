"""What verdicts on other traces quote of what is being forgotten: such a rationale goes, its value stays."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias

from memalign.json_leaves import leaves
from memalign.records import Trace
from storage.database import Database
from storage.records import StoredVerdict

RUN = 5
"""So many words in a row that are the same are a quote; so is a whole text of fewer, but not a single word."""
REDACTED_RATIONALE = "(The reason was taken out: it quoted what was forgotten.)"
A_PAGE = 200
Run: TypeAlias = tuple[str, ...]


async def redact_quotes(
    database: Database, texts: Iterable[str], trace_ids: Collection[str], guideline_ids: Collection[str]
) -> int:
    """Take the rationales out that quote the texts; how many.

    A model can quote what it was shown only: verdicts that rested on none of the traces and guidelines are
    left alone. Raises `StorageError`.
    """
    runs = {run for text in texts for run in runs_of(text, min(RUN, len(words_of(text))))}
    count = 0
    after: str | None = None
    while runs and (page := await database.verdicts.page(after, A_PAGE)):
        after = page[-1].verdict_id
        for stored in page:
            if _was_shown(stored, trace_ids, guideline_ids) and _quotes(stored.verdict.rationale, runs):
                await database.verdicts.redact(stored.verdict_id, REDACTED_RATIONALE)
                count += 1
    return count


def _was_shown(stored: StoredVerdict, trace_ids: Collection[str], guideline_ids: Collection[str]) -> bool:
    verdict = stored.verdict
    if verdict.trace_id in trace_ids:
        return False
    evidence = {*verdict.retrieved_trace_ids, *verdict.guideline_ids}
    return not evidence.isdisjoint({*trace_ids, *guideline_ids})


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
        yield from (leaf.value for leaf in leaves(part) if isinstance(leaf.value, str))
