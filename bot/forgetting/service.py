"""Taking a trace's lessons back: preview, forget, erase, and a note where its card was."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.forgetting.quotes import redact_quotes, texts_of
from bot.forgetting.trace_reference import trace_of
from bot.posting.redaction import MessageRedactor
from bot.runtime.clock import now_ms
from bot.slack.errors import LOST
from memalign.errors import MemAlignError
from memalign.judge_memory import JudgeMemory
from memalign.records import Forgotten, TraceTarget
from storage.database import Database
from storage.records import AuditLine, ForgetRequest

log = logging.getLogger(__name__)

DISTIL_SECONDS = 10.0
"""So long whoever forgot waits to hear what was learned again; what is not by then is learned later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """What forgetting a trace takes, or took, judge by judge."""

    trace_id: str
    judges: tuple[tuple[str, Forgotten], ...]
    people: tuple[str, ...] = ()
    """Who said something of the trace."""


class Forgetting:
    """Flow C: everything of a trace goes, from the memories first, from the store last."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        client: AsyncWebClient,
        redactor: MessageRedactor,
        leave_out: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._client = client
        self._redactor = redactor
        self._leave_out = leave_out

    async def trace_of(self, reference: str) -> str:
        """The trace meant by an id or a link to a message. Raises `UnknownTraceError`."""
        return await trace_of(reference, self._database, self._memories)

    async def may(self, user: str, channel: str, trace_id: str) -> bool:
        """Whether a person may retract a trace: those named in the settings, else the members of its channels."""
        if self._settings.access.forget:
            return user in self._settings.access.forget
        shown_in = {stored.channel for stored in await self._database.verdicts.of_trace(trace_id)}
        shown_in = shown_in or {judge.channel for judge in self._settings.judges}
        if channel in shown_in:
            return True
        return any([await self.is_member(user, place) for place in sorted(shown_in)])

    async def is_member(self, user: str, channel: str) -> bool:
        """Whether a person is in a channel; no, while Slack does not say."""
        return user in await self._members(channel)

    async def _members(self, channel: str) -> set[str]:
        members: set[str] = set()
        cursor = ""
        while True:
            try:
                page = await self._client.conversations_members(channel=channel, limit=1000, cursor=cursor)
            except (SlackApiError, *LOST) as error:
                log.warning("the members of %s cannot be listed: %s", channel, error)
                return members
            members.update(page.get("members") or [])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return members

    async def preview(self, trace_id: str) -> Farewell:
        """What would go; changes nothing."""
        judges = [
            (name, memory.what_rests_on(TraceTarget(trace_id=trace_id)))
            for name, memory in self._memories.items()
        ]
        return Farewell(
            trace_id=trace_id, judges=tuple(judges), people=tuple(sorted(await self._speakers(trace_id)))
        )

    async def _speakers(self, trace_id: str) -> set[str]:
        people: set[str] = set()
        for stored in await self._database.verdicts.of_trace(trace_id):
            people.update(await self._database.feedback.of(stored.verdict_id))
        return people

    async def intend(self, trace_id: str, who: str | None) -> None:
        """Make sure that the trace is forgotten, also if the bot is killed now. Raises `StorageError`."""
        self._leave_out(trace_id)
        judges = {stored.verdict.judge for stored in await self._database.verdicts.of_trace(trace_id)}
        judges |= {name for name, memory in self._memories.items() if trace_id in memory.episodes}
        notes = tuple(
            AuditLine(at_ms=now_ms(), what="forgotten", judge=judge, person=who, ids=(trace_id,))
            for judge in sorted(judges)
        )
        await self._database.forgetting.request(ForgetRequest(kind="trace", target=trace_id, notes=notes))

    async def forget(self, trace_id: str, who: str | None) -> Farewell:
        """Take the trace's lessons back and erase it. Raises `StorageError`."""
        await self.intend(trace_id, who)
        return await self.carry_out(trace_id)

    async def carry_out(self, trace_id: str) -> Farewell:
        """Do what was intended, or the rest of it: from the memories first, from the store last.

        Raises `StorageError`.
        """
        self._leave_out(trace_id)
        people = await self._speakers(trace_id)
        await self._redact_quotes(trace_id)
        for memory in self._memories.values():
            await erase_lessons(self._database, memory.what_rests_on(TraceTarget(trace_id=trace_id)))
        taken = {name: await self._take_back(memory, trace_id) for name, memory in self._memories.items()}
        await self._database.forgetting.delete_traces([trace_id])
        # only now, since a model may keep everybody waiting
        again, _ = await asyncio.gather(
            asyncio.gather(*(self._distil_again(self._memories[name], gone) for name, gone in taken.items())),
            self._redactor.now(),
        )
        judges = tuple(zip(taken, again, strict=True))
        return Farewell(trace_id=trace_id, judges=judges, people=tuple(sorted(people)))

    async def _distil_again(self, memory: JudgeMemory, gone: Forgotten) -> Forgotten:
        """What went, with what the remaining sources were distilled into, as far as models answer in time."""
        try:
            gone = await memory.distil_again(gone, seconds=DISTIL_SECONDS)
        except MemAlignError as error:
            log.warning("guidelines wait to be distilled again: %s", error)
        return gone

    async def _redact_quotes(self, trace_id: str) -> None:
        trace = await self._database.traces.get(trace_id)
        texts = [*texts_of(trace)] if trace else []
        for stored in await self._database.verdicts.of_trace(trace_id):
            texts.append(stored.verdict.rationale)
            facts = await self._database.feedback.of(stored.verdict_id)
            texts += [reply.text or "" for said in facts.values() for reply in said.replies.values()]
        rules = {
            rule.id: rule.text
            for memory in self._memories.values()
            for rule in memory.guidelines
            if trace_id in rule.source_trace_ids
        }
        await redact_quotes(self._database, [*texts, *rules.values()], {trace_id}, rules.keys())

    async def _take_back(self, memory: JudgeMemory, trace_id: str) -> Forgotten:
        return await memory.forget([trace_id])


async def erase_lessons(database: Database, going: Forgotten) -> None:
    """Take back what any thread was told of guidelines that go: their words may be the forgotten ones."""
    rules = (*going.retired, *going.waiting)
    traces = {trace_id for rule in rules for trace_id in rule.source_trace_ids}
    if rules:
        await database.forgetting.delete_lessons(traces, {rule.id for rule in rules})


async def forget_all(forgetting: Forgetting, references: Sequence[str], who: str | None) -> list[Farewell]:
    """Forget several traces named by id or link. Raises `UnknownTraceError` before anything is forgotten."""
    trace_ids = [await forgetting.trace_of(reference) for reference in references]
    return [await forgetting.forget(trace_id, who) for trace_id in dict.fromkeys(trace_ids)]
