"""Gathering: all feedback on one verdict, on the trace it labels."""

from dataclasses import dataclass

from bot.feedback import Feedback, all_feedback, labelled_trace
from bot.learning.teach_access import TeachAccess
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
    """Reads feedback from the store, and leaves out whoever may not teach."""

    def __init__(self, database: Database, access: TeachAccess) -> None:
        self._database = database
        self._access = access

    async def gather(
        self, pending: PendingFeedback, value_type: ValueType, invalidations: int
    ) -> GatheredFeedback | None:
        """Return the feedback on a verdict that counts; None when its trace was forgotten.

        Raises:
            SlackUnavailableError: Slack does not say who gave some of it.
            StorageError: the store failed.
        """
        verdict = await self._database.verdicts.get(pending.verdict_id)
        trace = await self._database.traces.get(pending.trace_id)
        if verdict is None or trace is None:
            await self._database.feedback.learned(pending.verdict_id, pending.revision)
            return None
        feedback = all_feedback(verdict, await self.counted(verdict), value_type)
        return GatheredFeedback(
            pending=pending,
            verdict=verdict,
            trace=labelled_trace(trace, verdict, feedback),
            feedback=feedback,
            invalidations=invalidations,
        )

    async def counted(self, verdict: StoredVerdict) -> dict[str, PersonFeedback]:
        """Return the feedback of those who may teach. Raises `SlackUnavailableError` while one of them is unknown."""
        counted = {}
        for person, known in (await self._database.feedback.all_of(verdict.verdict_id)).items():
            standing = await self._access.update(person)
            if standing == "program":
                await self._remove_reactions(verdict, person, known)
            elif self._access.allows(standing):
                counted[person] = known
        return await self._of_members(verdict, counted)

    async def _of_members(
        self, verdict: StoredVerdict, counted: dict[str, PersonFeedback]
    ) -> dict[str, PersonFeedback]:
        """Return the feedback of those who were in the channel when they gave it; who left since is among them."""
        unconfirmed = await self._database.feedback.unconfirmed(verdict.verdict_id)
        looked_up = {
            person: await self._access.is_in_channel(verdict.channel, person)
            for person in counted
            if person in unconfirmed
        }
        if looked_up:
            await self._database.feedback.note_members(verdict.verdict_id, looked_up)
        return {person: known for person, known in counted.items() if looked_up.get(person, True)}

    async def _remove_reactions(self, verdict: StoredVerdict, bot: str, known: PersonFeedback) -> None:
        """Remove a program's reactions from the store, so that no count of votes meets them later."""
        for name, reaction in known.reactions.items():
            if reaction.value:
                event = FeedbackEvent(person=bot, kind="reaction", name=name, value=False, at=reaction.at)
                await self._database.feedback.note(verdict.channel, verdict.message_ts or "", event)
