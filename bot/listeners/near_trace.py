"""The trace that may be meant by an id that nobody knows, among those whose cards a person may see."""

import asyncio

from bot.listeners.judge_access import JudgeAccess
from bot.plain_text import nearest
from storage.database import Database

NEWEST_VERDICTS = 300
"""Newest verdicts of a judge whose traces may be meant."""
MAX_REFERENCE_LENGTH = 200
MIN_ID_SIMILARITY = 0.75
"""Share of equal letters from which an id may be meant; ids have more letters in common than names."""


async def near_trace(database: Database, access: JudgeAccess, person: str, reference: str) -> str | None:
    """Return the id that is most like one that a person typed; None where none is like it.

    It looks at cards in channels that the person is in only, so that it tells of no others. Raises `StorageError`.
    """
    if len(reference) > MAX_REFERENCE_LENGTH:
        return None
    trace_ids = {
        stored.verdict.trace_id: None
        for judge in await access.judges_of(person)
        for stored in await database.verdicts.recent(judge.name, NEWEST_VERDICTS)
        if stored.channel == judge.channel
    }
    return await asyncio.to_thread(nearest, reference, trace_ids, MIN_ID_SIMILARITY)
