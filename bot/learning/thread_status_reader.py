"""Reads all that a card's thread status follows from, and makes the message of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from bot.blocks.primitives import SlackMessage
from bot.blocks.thread_status import thread_status_message
from bot.feedback import all_feedback
from bot.learning.likely_values import likely_values
from bot.learning.shown_rules import PeopleNow
from bot.learning.status_derivation import DerivedStatus, ThreadFacts, derive_status, doubts_in
from bot.runtime.clock import now_ms
from bot.slack.users import People
from bot.vote_marks import votes_of
from memalign.judge_memory import JudgeMemory
from memalign.memory.rollback import differs_from_feedback
from storage.database import Database
from storage.records import StoredThreadStatus, StoredVerdict, ToldDoubt


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedStatus:
    """A message that tells what is so, and the status that it was made from."""

    stored: StoredThreadStatus
    derived: DerivedStatus
    verdict: StoredVerdict
    message: SlackMessage
    modal_until_ms: int
    """Time at which a question is to be asked that waits for a modal; 0 for none."""

    @property
    def content_hash(self) -> str:
        """A hash of all that Slack is sent."""
        content = json.dumps(self.message.arguments(), sort_keys=True, default=str)
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


class ThreadStatusReader:
    """Derives statuses from the store and the judges' memories as they are."""

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        people: People,
        *,
        show_votes: bool = True,
        show_reasons: bool = True,
    ) -> None:
        self._database = database
        self._memories = memories
        self._people = people
        self._show_votes = show_votes
        self._show_reasons = show_reasons and show_votes

    async def read(self, stored: StoredThreadStatus) -> DerivedStatus | None:
        """Return what is so; None where the verdict or its judge is gone. Raises `StorageError`."""
        verdict = await self._database.verdicts.get(stored.verdict_id)
        memory = self._memories.get(stored.judge)
        if verdict is None or memory is None:
            return None
        return await self._derive(stored, verdict, memory)

    async def render(self, stored: StoredThreadStatus) -> RenderedStatus | None:
        """Return the message of a status; None where the verdict or its judge is gone. Raises `StorageError`."""
        verdict = await self._database.verdicts.get(stored.verdict_id)
        memory = self._memories.get(stored.judge)
        if verdict is None or memory is None:
            return None
        derived = await self._derive(stored, verdict, memory)
        names = await self._people.names(derived.status.people)
        return RenderedStatus(
            stored=stored,
            derived=derived,
            verdict=verdict,
            message=thread_status_message(derived.status, names, show_votes=self._show_votes),
            modal_until_ms=await self._modal_until_ms(derived, stored.verdict_id),
        )

    async def render_post(self, verdict_id: str) -> SlackMessage | None:
        """Return the message of a status that is about to be posted; None if there is nothing to tell any more.

        What it shows is stored before it is sent. Raises `StorageError`.
        """
        while (stored := await self._database.thread_statuses.get(verdict_id)) is not None:
            rendered = await self.render(stored)
            is_posted = stored.message_ts is not None  # as that of a message of an earlier version
            if rendered is None or is_posted or not rendered.derived.status.is_worth_a_message:
                return None
            if await self._database.thread_statuses.note_rendering(
                stored, rendered.derived.shown, rendered.content_hash, rendered.modal_until_ms
            ):
                return rendered.message
        return None

    def doubts_on(self, verdict: StoredVerdict) -> tuple[ToldDoubt, ...]:
        """Return the guidelines in doubt among those that led to a verdict."""
        memory = self._memories.get(verdict.verdict.judge)
        return () if memory is None else doubts_in(memory.guidelines, verdict.verdict.guideline_ids)

    def fingerprint(self, judge: str) -> str:
        """Return the settings that statuses of a judge show, as a text to be compared."""
        memory = self._memories[judge]
        return f"{memory.state.policy} {self._show_votes} {self._show_reasons} {memory.definition.reads_guidelines}"

    async def _derive(
        self, stored: StoredThreadStatus, verdict: StoredVerdict, memory: JudgeMemory
    ) -> DerivedStatus:
        people = await self._people_now(verdict, memory)
        modals = await self._database.open_modals.open_until_ms(stored.verdict_id, now_ms())
        trace_id = verdict.verdict.trace_id
        facts = ThreadFacts(
            verdict=verdict,
            people=people,
            is_at_rest=stored.feedback_revision == verdict.revision,
            episode=memory.episodes.get(trace_id),
            guidelines=memory.guidelines,
            shown=stored.rules,
            refusals=stored.refusals,
            doubts=stored.doubts,
            is_pending=trace_id in memory.state.undistilled and trace_id not in memory.declined,
            is_declined=trace_id in memory.declined,
            is_rolled_back=differs_from_feedback(memory.state, trace_id),
            busy=frozenset(people.feedback.keys() & modals.keys()),
            choices=likely_values(verdict, memory),
            reads_guidelines=memory.definition.reads_guidelines,
            shows_reasons=self._show_reasons,
        )
        return derive_status(facts)

    async def _people_now(self, verdict: StoredVerdict, memory: JudgeMemory) -> PeopleNow:
        counted = await self._database.feedback.of(verdict.verdict_id)
        known = await self._database.feedback.all_of(verdict.verdict_id)
        feedback = all_feedback(verdict, counted, memory.definition.value_type)
        return PeopleNow(
            feedback={each.person: each for each in feedback},
            undecided=frozenset(
                person for person, events in counted.items() if len(votes_of(verdict, events)) > 1
            ),
            uncounted=frozenset(known.keys() - counted.keys()),
        )

    async def _modal_until_ms(self, derived: DerivedStatus, verdict_id: str) -> int:
        ends = await self._database.open_modals.open_until_ms(verdict_id, now_ms())
        return max((ends.get(person, 0) for person in derived.held_back_for), default=0)
