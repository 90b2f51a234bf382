"""Payloads of webhooks, read from the store when they are sent: ids, values and reasons, never a trace's content."""

from collections.abc import Mapping

from bot.feedback import feedback_of
from bot.redaction.redactor import Redactor
from bot.reports.export import Line, stored_verdict_line
from bot.runtime.clock import from_ms
from memalign.judge_memory import JudgeMemory
from memalign.memory.semantic import with_policy
from memalign.records import Guideline, GuidelinePolicy
from storage.database import Database
from storage.records import OutboundChange, PersonFeedback, StoredVerdict

ENDINGS = ("lesson.retired", "lesson.changed")
"""Types of changes that may leave no guideline of that id."""


class EventPayloads:
    """Derives payloads; nothing that nobody may see yet, or that `[redaction]` takes out, is in them."""

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        policies: Mapping[str, GuidelinePolicy],
        redactor: Redactor,
    ) -> None:
        self._database = database
        self._memories = memories
        self._policies = policies
        self._redactor = redactor

    async def of(self, change: OutboundChange) -> Line | None:
        """Return the payload of a change; None where there is nothing to tell any more. Raises `StorageError`."""
        data = await self._data(change)
        if data is None:
            return None
        return {"type": change.type, "timestamp": from_ms(change.at_ms).isoformat(), "data": data}

    async def _data(self, change: OutboundChange) -> Line | None:
        match change.type:
            case "trace.forgotten":
                return {"trace_id": change.trace_id}
            case "person.forgotten":
                return {"annotator": change.person}
            case "verdict.created" | "verdict.changed":
                stored = await self._verdict(change)
                return None if stored is None else self._verdict_data(stored)
            case "vote.changed":
                stored = await self._verdict(change)
                return None if stored is None else await self._vote_data(stored, change.person)
        return await self._lesson_data(change)

    async def _verdict(self, change: OutboundChange) -> StoredVerdict | None:
        """Return the verdict of a change, unless it is gone, hidden, or of a judge that the settings do not name."""
        stored = await self._database.verdicts.get(change.verdict_id)
        if stored is None or stored.is_hidden or stored.verdict.judge not in self._memories:
            return None
        return stored

    def _verdict_data(self, stored: StoredVerdict) -> Line:
        line = stored_verdict_line(stored)
        del line["type"]
        return {**line, "rationale": self._redactor.words(stored.verdict.rationale)}

    async def _vote_data(self, stored: StoredVerdict, person: str) -> Line | None:
        """Return what a person says now; without a vote where it does not count, and None while nobody knows that."""
        counted = await self._database.feedback.of(stored.verdict_id)
        unconfirmed = await self._database.feedback.unconfirmed(stored.verdict_id)
        if person in counted and person in unconfirmed:  # told once it is known
            return None
        value_type = self._memories[stored.verdict.judge].definition.value_type
        feedback = feedback_of(stored, person, counted.get(person, PersonFeedback()), value_type)
        return {
            "trace_id": feedback.trace_id,
            "judge": feedback.judge,
            "verdict_id": stored.verdict_id,
            "annotator": person,
            "vote": feedback.vote,
            "label": feedback.value,
            "rationale": self._redactor.words(feedback.rationale) or None,
            "timestamp": from_ms(feedback.time_ms).isoformat() if feedback.time_ms else None,
        }

    async def _lesson_data(self, change: OutboundChange) -> Line | None:
        if change.judge not in self._policies:
            return None
        rule = await self._database.memories.guideline(change.judge, change.guideline_id)
        if rule is None and change.type not in ENDINGS:
            return None
        return self._guideline_data(change, rule and with_policy(rule, self._policies[change.judge]))

    def _guideline_data(self, change: OutboundChange, rule: Guideline | None) -> Line:
        if rule is None:
            return {"id": change.guideline_id, "judge": change.judge, "text": None, "state": None}
        return {
            "id": rule.id,
            "judge": change.judge,
            "text": self._redactor.words(rule.text),
            "state": rule.state,
            "doubtful": rule.doubtful,
            "source_trace_ids": list(rule.source_trace_ids),
        }
