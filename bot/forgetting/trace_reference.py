"""Which trace somebody means: by its id, or by a link to a message that shows it."""

import re
from collections.abc import Mapping
from html import unescape

from memalign.errors import UnknownTraceError
from memalign.judge_memory import JudgeMemory
from storage.database import Database

LINK = re.compile(
    r"/archives/(?P<channel>[A-Z0-9]+)/p(?P<seconds>\d{10})(?P<micros>\d{6})(?:\?(?P<query>\S*))?"
)


async def trace_of(reference: str, database: Database, memories: Mapping[str, JudgeMemory]) -> str:
    """The trace meant. Raises `UnknownTraceError`."""
    reference = _typed(reference)
    if link := LINK.search(reference):
        return await _trace_of_link(link, database)
    known = reference and (
        await database.traces.get(reference)
        or await database.verdicts.of_trace(reference)
        or any(reference in memory.episodes for memory in memories.values())
    )
    if known:
        return reference
    if await database.traces.is_forgotten(reference):
        raise UnknownTraceError(f'The trace "{reference}" was forgotten already; nothing of it is left.')
    raise UnknownTraceError(
        f'I know no trace "{reference}"; copy its id from the card, or give me a link to the card.'
    )


async def _trace_of_link(link: re.Match[str], database: Database) -> str:
    places = [f"{link['seconds']}.{link['micros']}"]
    if parent := re.search(r"thread_ts=(\d+\.\d+)", link["query"] or ""):
        places.insert(0, parent[1])
    for ts in places:
        if stored := await database.verdicts.by_card(link["channel"], ts):
            return stored.verdict.trace_id
    raise UnknownTraceError("That link leads to no card of mine; copy the link of the card itself.")


def _typed(reference: str) -> str:
    """What the person typed: Slack puts links in brackets, and escapes what has a meaning in its texts."""
    reference = reference.strip().strip("`")
    if reference.startswith("<") and reference.endswith(">"):
        reference = reference[1:-1].partition("|")[0]
    return unescape(reference)
