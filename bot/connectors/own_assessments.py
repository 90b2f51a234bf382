"""The assessments that should stand in a tracing tool, derived from the store as it is: verdict, votes and reasons."""

import hashlib
import json
from collections.abc import Mapping

from bot.annotators import is_annotator
from bot.connectors.tool import OwnAssessment
from bot.feedback import Feedback, feedback_of
from bot.redaction.redactor import Redactor
from memalign.judge_memory import JudgeMemory
from memalign.mlflow_feedback import SOURCE_ID, evidence_metadata
from memalign.serialization import to_document
from storage.connectors import own_id_of
from storage.database import Database
from storage.records import StoredVerdict, TraceOrigin


class OwnAssessments:
    """Derives assessments; nothing that nobody may see yet, or that `[redaction]` takes out, is among them."""

    def __init__(self, database: Database, memories: Mapping[str, JudgeMemory], redactor: Redactor) -> None:
        self._database = database
        self._memories = memories
        self._redactor = redactor

    async def trace_id_of(self, verdict_id: str) -> str:
        """Return the id under which a verdict's trace is kept here; empty where it is gone. Raises `StorageError`."""
        stored = await self._database.verdicts.get(verdict_id)
        return "" if stored is None else stored.verdict.trace_id

    async def of_verdict(self, verdict_id: str) -> Mapping[str, tuple[str, OwnAssessment]] | None:
        """Return by our own id the person, empty for the judge, and the assessment. Raises `StorageError`.

        None where nothing can be said: the verdict is gone, or its judge is no longer in the settings.

        There is none of a verdict that its card does not show yet, and none of somebody who says no value: an unsure
        vote, or a thumb down that does not tell which value is right.
        """
        stored = await self._database.verdicts.get(verdict_id)
        if stored is None or stored.verdict.judge not in self._memories:
            return None
        origin = await self._database.connectors.origin(stored.verdict.trace_id)
        if origin is None:
            return None
        if stored.is_hidden:
            return {}
        assessments = {"": await self._of_judge(stored, origin)}
        for each in await self._feedback(stored):
            assessments[each.person] = self._of_person(stored, origin, each)
        return {own_id_of(verdict_id, person): (person, each) for person, each in assessments.items()}

    async def _feedback(self, stored: StoredVerdict) -> list[Feedback]:
        """Return the feedback of Slack's people that counts and holds a value."""
        value_type = self._memories[stored.verdict.judge].definition.value_type
        people = await self._database.feedback.of(stored.verdict_id)
        unconfirmed = await self._database.feedback.unconfirmed(stored.verdict_id)
        derived = [
            feedback_of(stored, person, events, value_type)
            for person, events in people.items()
            if person not in unconfirmed and not is_annotator(person)
        ]
        return [each for each in derived if each.value is not None]

    async def _of_judge(self, stored: StoredVerdict, origin: TraceOrigin) -> OwnAssessment:
        verdict = stored.verdict
        version = await self._database.memory_history.version_at(verdict.judge, stored.judged_ms)
        return OwnAssessment(
            own_id=own_id_of(stored.verdict_id, ""),
            reference=origin.reference,
            trace_id=origin.tool_trace_id,
            judge=verdict.judge,
            value=verdict.value,
            rationale=self._redactor.words(verdict.rationale),
            source_type="LLM_JUDGE",
            source_id=verdict.model or SOURCE_ID,
            metadata={**evidence_metadata(verdict.evidence_ids), "memory_version": str(version)},
        )

    def _of_person(self, stored: StoredVerdict, origin: TraceOrigin, feedback: Feedback) -> OwnAssessment:
        if feedback.value is None:  # pragma: no cover - those without a value are left out
            raise ValueError("a vote without a value is not written")
        return OwnAssessment(
            own_id=own_id_of(stored.verdict_id, feedback.person),
            reference=origin.reference,
            trace_id=origin.tool_trace_id,
            judge=stored.verdict.judge,
            value=feedback.value,
            rationale=self._redactor.words(feedback.rationale),
            source_type="HUMAN",
            source_id=feedback.person,
            metadata={"slack_channel": stored.channel, "slack_ts": stored.message_ts or ""},
        )


def content_hash(assessment: OwnAssessment) -> str:
    """Return a hash of all that an assessment says."""
    document = json.dumps(to_document(assessment), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(document.encode()).hexdigest()[:32]
