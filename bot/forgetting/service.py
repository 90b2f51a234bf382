"""Flow C: forgetting a trace, or all that a person said and voted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace

from bot.annotators import is_annotator
from bot.forgetting.quotes import redact_quotes
from bot.forgetting.scope import (
    FeedbackByPerson,
    ForgetScope,
    read_feedback,
    read_replies,
    read_scope,
    texts_in,
)
from bot.forgetting.trace_reference import TraceReferences
from bot.plain_text import TERMINAL
from bot.records import ForgetResult
from bot.runtime.activity_log import log_activity
from bot.runtime.clock import now_ms
from memalign.errors import MemAlignError
from memalign.judge_memory import JudgeMemory
from memalign.memory.guideline_merge import merged_into, opinions_of
from memalign.records import ForgetTarget, Forgotten, PersonTarget, TraceTarget
from storage.database import Database
from storage.records import AuditLine, ForgetRequest, NoticeContent, Post

log = logging.getLogger(__name__)

DISTIL_AGAIN_SECONDS = 10.0
"""Longest time that an answer waits for guidelines to be distilled again; after it, learning does that."""

MAX_VERDICTS_PER_WRITE = 5
"""Verdicts that lose a case in one write. A case may be in the evidence of thousands, and each takes 2 ms in which
nobody else writes: measured with 100 guidelines in each."""

ForgottenByJudge = Mapping[str, Forgotten]


async def _nothing_to_refresh() -> None:
    return None


class ForgetService:
    """Forgets on request: a request is stored first, so that it is carried out whatever happens then."""

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        *,
        redact_now: Callable[[], Awaitable[None]],
        cancel_trace: Callable[[str], None],
        invalidate: Callable[[Collection[str]], None],
        refresh: Callable[[], Awaitable[None]] = _nothing_to_refresh,
        time_ms: Callable[[], int] = now_ms,
    ) -> None:
        """Take the store, the judges' memories, and what other flows have to do meanwhile.

        Args:
            database: the store.
            memories: by judge.
            redact_now: redacts in Slack what the store has noted as to be redacted, as far as Slack answers.
            cancel_trace: makes learning leave a trace out, also where its feedback is being learned just now.
            invalidate: makes learning gather the feedback on these traces again.
            refresh: reads what other replicas have changed in the memories.
            time_ms: Slack's clock, by which a person's later events are told from earlier ones.
        """
        self._database = database
        self._memories = memories
        self._redact_now = redact_now
        self._cancel_trace = cancel_trace
        self._invalidate = invalidate
        self._refresh = refresh
        self._time_ms = time_ms
        self.references = TraceReferences(database, memories)

    async def find(self, target: ForgetTarget) -> ForgetScope:
        """Return the scope of a target whose id is known, not typed.

        Raises:
            UnknownTraceError: neither store nor memory hold anything of that trace.
            StorageError: the store failed.
        """
        await self._refresh()
        scope = await read_scope(target, self._database)
        if isinstance(target, TraceTarget) and not (
            scope.trace or scope.verdicts or self._judges_with(target.trace_id)
        ):
            raise await self.references.unknown(target.trace_id)
        return scope

    async def preview(self, scope: ForgetScope, judges: Collection[str] | None = None) -> ForgetResult:
        """Return what would go; nothing is changed. Raises `StorageError`.

        Args:
            scope: what is to be forgotten.
            judges: the judges of which it is told; None for all.
        """
        if judges is None:
            return self._result(scope, await read_feedback(scope, self._database))
        verdicts = tuple(stored for stored in scope.verdicts if stored.verdict.judge in judges)
        told = replace(scope, verdicts=verdicts)
        result = self._result(told, await read_feedback(told, self._database)).about(judges)
        return replace(result, is_partial=result.is_partial or len(verdicts) < len(scope.verdicts))

    async def request(self, scope: ForgetScope, person: str | None) -> None:
        """Store the request: it is executed at the next start at the latest.

        Args:
            scope: what is to be forgotten.
            person: who asks; None for somebody at the terminal.

        Raises:
            StorageError: the request is not stored.

        A person whose words somebody else has forgotten is told.
        """
        self._cancel_learning(scope.target)
        notes, replica = self._audit_lines(scope, person), self._database.replica.id
        match scope.target:
            case TraceTarget(trace_id=trace_id):
                request = ForgetRequest(kind="trace", target=trace_id, notes=notes, replica=replica)
                notice = None
            case PersonTarget(person=forgotten):
                request = ForgetRequest(kind="person", target=forgotten, notes=notes, replica=replica)
                is_told = person != forgotten and not is_annotator(forgotten)
                notice = _notice_to(forgotten, person) if is_told else None
        await self._database.forgetting.request(request, notice)

    async def execute(self, scope: ForgetScope) -> ForgetResult:
        """Carry out a stored request, or what is left of it. Raises `StorageError`; then call it again."""
        self._cancel_learning(scope.target)
        await self._refresh()
        author = await self._author_of(scope.target)
        feedback = await read_feedback(scope, self._database)
        result = self._result(scope, feedback)
        # redaction looks at the guidelines in the memories, so it comes before the memories forget
        await self._redact_quotes(scope, feedback, result)
        await self._delete_lessons(result)
        match scope.target:
            case TraceTarget(trace_id=trace_id):
                result = replace(result, judges=await self._forget_trace(trace_id, author))
                log_activity(log, "trace forgotten", trace_id=trace_id)
            case PersonTarget(person=person):
                await self._forget_person(person, result.judges, author)
                log_activity(log, "person forgotten", person=person)
        return result

    async def replies(self, scope: ForgetScope, judges: Collection[str]) -> list[tuple[str, str]]:
        """Return channel and ts of the replies that go from the store and stay in Slack, of these judges' cards.

        Raises `StorageError`.
        """
        told = replace(scope, verdicts=tuple(each for each in scope.verdicts if each.verdict.judge in judges))
        return await read_replies(told, self._database)

    async def forget(self, target: ForgetTarget, person: str | None) -> ForgetResult:
        """Request and execute. Raises `UnknownTraceError` and `StorageError`."""
        scope = await self.find(target)
        await self.request(scope, person)
        return await self.execute(scope)

    def _cancel_learning(self, target: ForgetTarget) -> None:
        if isinstance(target, TraceTarget):
            self._cancel_trace(target.trace_id)

    def _audit_lines(self, scope: ForgetScope, person: str | None) -> tuple[AuditLine, ...]:
        match scope.target:
            case TraceTarget(trace_id=trace_id):
                judges = sorted(scope.judges | self._judges_with(trace_id))
                return tuple(
                    AuditLine(at_ms=now_ms(), what="forgotten", judge=judge, person=person, ids=(trace_id,))
                    for judge in judges
                )
            case PersonTarget(person=forgotten):
                ids = (forgotten,)
                return (AuditLine(at_ms=now_ms(), what="person_forgotten", judge="", person=person, ids=ids),)

    def _judges_with(self, trace_id: str) -> set[str]:
        return {name for name, memory in self._memories.items() if trace_id in memory.episodes}

    def _result(self, scope: ForgetScope, feedback: FeedbackByPerson) -> ForgetResult:
        target = scope.target
        return ForgetResult(
            target=target,
            verdicts=len(scope.verdicts),
            people=(target.person,) if isinstance(target, PersonTarget) else tuple(sorted(feedback)),
            judges={name: memory.what_rests_on(target) for name, memory in self._memories.items()},
            is_on_server=self._database.is_on_server,
        )

    async def _redact_quotes(
        self, scope: ForgetScope, feedback: FeedbackByPerson, result: ForgetResult
    ) -> None:
        rules = [rule for part in result.judges.values() for rule in (*part.retired, *part.waiting)]
        # a verdict may quote a rule that only an earlier version of the memory has
        rules += await self._database.memory_history.guidelines_of(scope.target)
        texts = [*texts_in(scope, feedback), *(rule.text for rule in rules if rule.has_words)]
        await redact_quotes(self._database, texts, result.trace_ids, {rule.id for rule in rules})

    async def _delete_lessons(self, result: ForgetResult) -> None:
        """Delete what other threads were told of guidelines that go: it may be in the forgotten words."""
        for part in result.judges.values():
            rules = (*part.retired, *part.waiting)
            trace_ids = {trace_id for rule in rules for trace_id, _ in opinions_of(rule)}
            rule_ids = {each.id for rule in rules for each in (rule, *merged_into(rule))}
            if isinstance(result.target, TraceTarget):
                trace_ids.discard(result.target.trace_id)
            if trace_ids:
                await self._database.forgetting.delete_lessons(trace_ids, rule_ids)

    async def _author_of(self, target: ForgetTarget) -> str:
        """Return who asked for it; empty where that is not known any more."""
        request = await self._database.forgetting.requested(target)
        return request.notes[0].person or TERMINAL if request and request.notes else ""

    async def _forget_trace(self, trace_id: str, author: str) -> ForgottenByJudge:
        # memories first: deleting the trace's rows ends the request
        taken = {
            name: await memory.forget([trace_id], person=author) for name, memory in self._memories.items()
        }
        while await self._database.verdicts.remove_case(trace_id, MAX_VERDICTS_PER_WRITE):
            pass
        await self._database.forgetting.delete_traces([trace_id])
        # models and Slack last, since they may keep everybody waiting
        distilling = asyncio.gather(*(self._distil_again(name, part) for name, part in taken.items()))
        distilled, _ = await asyncio.gather(distilling, self._redact_now())
        return dict(zip(taken, distilled, strict=True))

    async def _forget_person(self, person: str, judges: ForgottenByJudge, author: str) -> None:
        # rows first: from then on, feedback of others on the same traces is learned again, without this person's
        verdicts = await self._database.forgetting.delete_person(person, self._time_ms())
        for name, part in judges.items():
            own = {stored.verdict.trace_id for stored in verdicts if stored.verdict.judge == name}
            trace_ids = own.union(part.trace_ids)
            if trace_ids:
                self._invalidate(trace_ids)
            await self._memories[name].forget_person(person, trace_ids, by=author)
        await self._database.forgetting.finish_person(person)
        await self._redact_now()

    async def _distil_again(self, judge: str, forgotten: Forgotten) -> Forgotten:
        memory = self._memories[judge]
        try:
            forgotten = await memory.distil_again(forgotten, seconds=DISTIL_AGAIN_SECONDS)
        except MemAlignError as error:
            log.warning("guidelines of %s wait to be distilled again: %s", judge, error)
        return forgotten


def _notice_to(forgotten: str, person: str | None) -> Post:
    """Return the direct message to a person whose words somebody else had forgotten."""
    # Slack takes a person's id for the direct message with them (https://docs.slack.dev/reference/methods/chat.postMessage)
    content = NoticeContent(notice="words_forgotten", person=person)
    return Post(post_id=f"words_forgotten:{forgotten}:{now_ms()}", channel=forgotten, content=content)
