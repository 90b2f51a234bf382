"""Replies in a card's thread after a round of learning: a new guideline, a question, or that something went."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.primitives import SlackMessage
from bot.blocks.thread import (
    ask_value,
    ask_why,
    case_remembered,
    lesson_message,
    lesson_taken_back,
    nothing_new,
    reasons_being_read,
    reasons_declined,
    rule_refused,
    rules_merged,
)
from bot.feedback import Feedback
from bot.learning.likely_values import likely_values
from bot.learning.reply_choice import (
    THANKS,
    AskValue,
    AskWhy,
    TellCase,
    TellDeclined,
    TellGuidelines,
    TellMerged,
    TellNothingNew,
    TellReading,
    TellRefused,
    ThreadReply,
    choose_reply,
    ids_of,
)
from bot.slack.errors import SlackRefusedError, SlackUnavailableError, SlackUnreachableError
from bot.slack.users import People
from memalign.judge_memory import JudgeMemory
from memalign.records import Guideline, GuidelineState, Lesson, RefusedRule
from storage.database import Database
from storage.records import LessonContent, NoteContent, Post, StoredVerdict, ThreadPost

log = logging.getLogger(__name__)


ShownGuideline = tuple[str, GuidelineState, tuple[str, ...]]
"""Id and state of a guideline, and the ids of those it stands for."""


class ThreadReplies:
    """Tells a verdict's thread what came of the feedback given there; each thing once."""

    def __init__(
        self, client: AsyncWebClient, database: Database, people: People, wake_posting: Callable[[], None]
    ) -> None:
        self._client = client
        self._database = database
        self._people = people
        self._wake_posting = wake_posting
        self._shown: dict[str, frozenset[ShownGuideline]] = {}
        """Message -> the guidelines it shows, where this process has brought it up to date."""

    async def update(
        self, verdict: StoredVerdict, feedback: Sequence[Feedback], lesson: Lesson, memory: JudgeMemory
    ) -> None:
        """Bring the thread's lessons up to date, and say what is new. Raises `SlackUnavailableError`."""
        if verdict.message_ts is None:
            return
        trace_id = verdict.verdict.trace_id
        posts = await self._database.feedback.thread_posts(verdict.verdict_id)
        await self.update_lessons(verdict, memory)
        reply = choose_reply(
            rules=[
                rule for rule in memory.guidelines if trace_id in rule.source_trace_ids and not rule.waiting
            ],
            posts=posts,
            feedback=feedback,
            episode=memory.episodes.get(trace_id),
            is_pending=trace_id in lesson.pending,
            is_declined=trace_id in lesson.declined,
            refused=refused_on(trace_id, lesson),
        )
        if reply is not None:
            await self._post(verdict, reply, memory)
        if merged := tuple(rule for rule in lesson.merged if _is_prompted_by(rule, trace_id)):
            await self._post(verdict, TellMerged(rules=merged), memory)

    async def update_lessons(self, verdict: StoredVerdict, memory: JudgeMemory) -> None:
        """Let each lesson in the thread show those of its guidelines that stand: they may go, and come again.

        Raises `SlackUnavailableError`.
        """
        for post in await self._database.feedback.thread_posts(verdict.verdict_id):
            standing = [
                rule
                for rule in memory.guidelines
                if _is_learned_from(rule, verdict.verdict.trace_id)
                and not ids_of(rule).isdisjoint(post.guideline_ids)
            ]
            shown = frozenset((rule.id, rule.state, tuple(sorted(ids_of(rule)))) for rule in standing)
            if self._shown.get(post.message_ts, _as_posted(post, standing, memory)) != shown:
                message = await self._lesson(verdict, standing) if standing else lesson_taken_back()
                await self._change(verdict.channel, post.message_ts, message)
                self._shown[post.message_ts] = shown

    async def _change(self, channel: str, ts: str, message: SlackMessage) -> None:
        try:
            await self._client.chat_update(channel=channel, ts=ts, **message.arguments())
        except SlackUnreachableError as error:
            log.warning("the lesson at %s cannot be changed yet: %s", ts, error.detail)
            raise SlackUnavailableError(f"{error}.") from error
        except SlackRefusedError as error:
            if error.is_undecided or error.is_rate_limit:
                raise SlackUnavailableError(f"Slack cannot take an update: {error}.") from error
            log.warning("the lesson at %s could not be changed: %s", ts, error)

    async def _post(self, verdict: StoredVerdict, reply: ThreadReply, memory: JudgeMemory) -> None:
        """Put the reply into the outbox; the store knows by the post's id what the thread was told."""
        message = await self._message(verdict, reply, memory)
        await self._database.outbox.add(
            Post(
                post_id=f"{_name_of(reply)}:{verdict.verdict_id}",
                channel=verdict.channel,
                thread_ts=verdict.message_ts,
                verdict_id=verdict.verdict_id,
                content=_content_of(reply, message),
            )
        )
        self._wake_posting()

    async def _message(self, verdict: StoredVerdict, reply: ThreadReply, memory: JudgeMemory) -> SlackMessage:
        match reply:
            case TellGuidelines():
                return await self._lesson(verdict, reply.rules)
            case AskValue():
                choices = likely_values(verdict, memory)
                return ask_value(choices, choices[0] if choices else verdict.verdict.value)
            case AskWhy():
                return ask_why(reply.label)
            case TellMerged():
                return rules_merged(reply.rules)
            case TellRefused():
                return rule_refused(reply.reason, await self._names(reply.people))
            case TellReading():
                return reasons_being_read(reply.label, await self._names(reply.people))
            case TellNothingNew():
                return nothing_new(await self._names(reply.people))
            case TellDeclined():
                return reasons_declined(reply.label, await self._names(reply.people))
            case TellCase():
                return case_remembered(reply.label, await self._names(reply.people))

    async def _names(self, people: Sequence[str]) -> list[str]:
        return [await self._people.name(person) for person in people]

    async def _lesson(self, verdict: StoredVerdict, rules: Sequence[Guideline]) -> SlackMessage:
        trace_id = verdict.verdict.trace_id
        authored = []
        for rule in rules:
            here = dict.fromkeys(source.person for source in rule.sources if source.trace_id == trace_id)
            authors = here or rule.people
            authored.append((rule, [await self._people.name(person) for person in authors]))
        return lesson_message(authored, verdict.verdict.judge)


def _content_of(reply: ThreadReply, message: SlackMessage) -> LessonContent | NoteContent:
    if isinstance(reply, TellGuidelines | TellMerged):
        ids = tuple(rule_id for rule in reply.rules for rule_id in sorted(ids_of(rule)))
        return LessonContent(text=message.text, blocks=tuple(message.blocks), guideline_ids=ids)
    return NoteContent(text=message.text, blocks=tuple(message.blocks))


def _name_of(reply: ThreadReply) -> str:
    """Return the first part of the post's id, by which each thing is told once."""
    match reply:
        case TellGuidelines() | TellMerged():
            kind = "lesson" if isinstance(reply, TellGuidelines) else "merged"
            return f"{kind}-{_hash_of(rule.id for rule in reply.rules)}"
        case TellReading():
            return f"{THANKS}-{_hash_of(reply.people)}"
        case TellNothingNew():
            return f"nothing-new-{_hash_of(reply.people)}"
        case TellDeclined():
            return "declined"
        case TellRefused():
            return f"refused-{reply.reason}"
        case AskValue():
            return "ask-value"
        case AskWhy():
            return "ask-why"
        case TellCase():
            return "remembered"


def _hash_of(ids: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(sorted(ids)).encode()).hexdigest()[:12]


def refused_on(trace_id: str, lesson: Lesson) -> list[RefusedRule]:
    """Return the sentences of a trace that were no rules, each with its sources on that trace."""
    own = (
        replace(each, sources=tuple(source for source in each.sources if source.trace_id == trace_id))
        for each in lesson.refused
    )
    return [each for each in own if each.sources]


def _as_posted(
    post: ThreadPost, rules: Sequence[Guideline], memory: JudgeMemory
) -> frozenset[ShownGuideline] | None:
    """Return what a message showed when it was posted; None where a guideline may have waited then."""
    if memory.state.policy.min_people > 1 or any(rule.needs_approval for rule in rules):
        return None
    return frozenset((rule_id, "used", (rule_id,)) for rule_id in post.guideline_ids)


def _is_learned_from(rule: Guideline, trace_id: str) -> bool:
    """Return whether a guideline, or its standing for others, rests on a trace."""
    return not rule.waiting and (trace_id in rule.source_trace_ids or _is_prompted_by(rule, trace_id))


def _is_prompted_by(rule: Guideline, trace_id: str) -> bool:
    return any(key[0] == trace_id for each in rule.merged for key in each.prompted_by)
