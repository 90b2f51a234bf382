"""Gathering: all feedback on one verdict, on the trace it labels."""

from dataclasses import dataclass

from bot.feedback import Feedback, all_feedback, labelled_trace
from bot.slack.users import People
from memalign.records import Trace
from memalign.value_types import ValueType
from storage.database import Database
from storage.records import FeedbackEvent, PendingFeedback, PersonFeedback, StoredVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredFeedback:
    """Feedback on one verdict that the judge's memory has not seen yet."""

    pending: PendingFeedback
    verdict: StoredVerdict
    trace: Trace
    """With people's labels on it; without any, what was learned from it is taken back."""
    feedback: tuple[Feedback, ...]
    invalidations: int
    """Times the trace's feedback had been invalidated when this was gathered."""


class FeedbackGatherer:
    """Reads feedback from the store, and leaves programs out."""

    def __init__(self, database: Database, people: People) -> None:
        self._database = database
        self._people = people

    async def gather(
        self, pending: PendingFeedback, value_type: ValueType, invalidations: int
    ) -> GatheredFeedback | None:
        """Return all feedback on a verdict; None when its trace was forgotten. Raises `StorageError`."""
        verdict = await self._database.verdicts.get(pending.verdict_id)
        trace = await self._database.traces.get(pending.trace_id)
        if verdict is None or trace is None:
            await self._database.feedback.learned(pending.verdict_id, pending.revision)
            return None
        feedback = all_feedback(verdict, await self._people_only(verdict), value_type)
        return GatheredFeedback(
            pending=pending,
            verdict=verdict,
            trace=labelled_trace(trace, pending.judge, feedback),
            feedback=feedback,
            invalidations=invalidations,
        )

    async def _people_only(self, verdict: StoredVerdict) -> dict[str, PersonFeedback]:
        events = await self._database.feedback.of(verdict.verdict_id)
        bots = [person for person in events if await self._people.is_bot(person)]
        for bot in bots:
            await self._remove_reactions(verdict, bot, events[bot])
        return {person: known for person, known in events.items() if person not in bots}

    async def _remove_reactions(self, verdict: StoredVerdict, bot: str, known: PersonFeedback) -> None:
        """Remove a program's reactions from the store, so that no count of votes meets them later."""
        for name, reaction in known.reactions.items():
            if reaction.value:
                event = FeedbackEvent(person=bot, kind="reaction", name=name, value=False, at=reaction.at)
                await self._database.feedback.note(verdict.channel, verdict.message_ts or "", event)
