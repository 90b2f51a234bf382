"""The verdicts of the running week on which a judge does better or worse than with another memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.feedback import all_feedback
from bot.reports.answered_weeks import AnsweredVerdict, read_touched
from bot.reports.memory_comparison import pair_with_shadow
from bot.reports.sequential_test import WARNING_EVIDENCE, evidence_of_worse
from bot.runtime.clock import week_bounds
from memalign.value_types import ValueType
from storage.database import Database
from storage.records import ShadowKind, StoredVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedVerdicts:
    """Answered verdicts that another memory would have got wrong where they are right, or the other way round."""

    reference: ShadowKind
    """The other memory."""
    version: int
    """Its version."""
    fixed: int
    """Those that are right as shown."""
    broken: Sequence[StoredVerdict]
    """Those that are wrong as shown, the last judged first."""

    @property
    def is_worse(self) -> bool:
        """True if the evidence suffices for a warning."""
        return evidence_of_worse(self.fixed, len(self.broken)) >= WARNING_EVIDENCE


async def read_changed_verdicts(
    database: Database,
    judge: str,
    value_type: ValueType,
    references: Sequence[ShadowKind],
    week: str,
    zone: ZoneInfo,
) -> list[ChangedVerdicts]:
    """Return the changed verdicts against each of some memories, by the votes as they stand.

    Only verdicts that were judged in the week count: those before it had another week's memory beside them.

    Args:
        database: the store.
        judge: the judge's name.
        value_type: the type of its values.
        references: the other memories.
        week: the running ISO week.
        zone: the time zone in which weeks begin and end.

    Raises:
        StorageError: If the store does not answer.
    """
    start_ms, end_ms = week_bounds(week, zone)
    touched = await read_touched(database, judge, start_ms, end_ms)
    answered = [(stored, people) for stored, people in touched if stored.judged_ms >= start_ms]

    def compute() -> list[ChangedVerdicts]:
        votes = [
            (stored, [each for each in all_feedback(stored, people, value_type) if each.vote is not None])
            for stored, people in answered
        ]
        return [compute_changed_verdicts(votes, value_type, each) for each in references]

    return await asyncio.to_thread(compute) if answered else []


def compute_changed_verdicts(
    verdicts: Sequence[AnsweredVerdict], value_type: ValueType, reference: ShadowKind
) -> ChangedVerdicts:
    """Compute the changed verdicts against another memory.

    Args:
        verdicts: The verdicts, each with the feedback on it.
        value_type: The type of the judge's values.
        reference: The other memory.
    """
    paired = [(stored, pair_with_shadow(stored, votes, value_type, reference)) for stored, votes in verdicts]
    pairs = [(stored, pair) for stored, pair in paired if pair is not None]
    broken = [stored for stored, pair in pairs if pair.right_then and not pair.right_now]
    versions = (
        shadow.version for stored, _ in pairs for shadow in stored.shadows if shadow.kind == reference
    )
    return ChangedVerdicts(
        reference=reference,
        version=max(versions, default=0),
        fixed=sum(pair.right_now and not pair.right_then for _, pair in pairs),
        broken=sorted(broken, key=lambda stored: (-stored.judged_ms, stored.verdict_id)),
    )
