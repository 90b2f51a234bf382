"""Replies in a card's thread after a round of learning: a new guideline, a question, or that something went."""

import hashlib
import logging
from collections.abc import Callable, Sequence

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.primitives import SlackMessage
from bot.blocks.thread import ask_value, ask_why, case_remembered, lesson_message, lesson_taken_back
from bot.feedback import Feedback
from bot.learning.likely_values import likely_values
from bot.learning.reply_choice import AskValue, AskWhy, TellCase, TellGuidelines, ThreadReply, choose_reply
from bot.slack.errors import (
    CONNECTION_ERRORS,
    UNREACHABLE,
    SlackUnavailableError,
    is_undecided,
    remedy,
    status_of,
)
from bot.slack.users import People
from memalign.judge_memory import JudgeMemory
from memalign.records import Guideline, Lesson
from storage.database import Database
from storage.records import LessonContent, NoteContent, Post, StoredVerdict, ThreadPost

log = logging.getLogger(__name__)


class ThreadReplies:
    """Tells a verdict's thread what came of the feedback given there; each thing once."""

    def __init__(
        self, client: AsyncWebClient, database: Database, people: People, wake_posting: Callable[[], None]
    ) -> None:
        self._client = client
        self._database = database
        self._people = people
        self._wake_posting = wake_posting
        self._shown: dict[str, frozenset[str]] = {}
        """Message -> the guidelines it shows, where this process has brought it up to date."""

    async def update(
        self, verdict: StoredVerdict, feedback: Sequence[Feedback], lesson: Lesson, memory: JudgeMemory
    ) -> None:
        """Bring the thread's lessons up to date, and say what is new. Raises `SlackUnavailableError`."""
        if verdict.message_ts is None:
            return
        trace_id = verdict.verdict.trace_id
        posts = await self._database.feedback.thread_posts(verdict.verdict_id)
        rules = [rule for rule in memory.guidelines if trace_id in rule.source_trace_ids and not rule.waiting]
        await self._update_lessons(verdict, posts, rules)
        reply = choose_reply(
            rules=rules,
            posts=posts,
            feedback=feedback,
            episode=memory.episodes.get(trace_id),
            is_pending=trace_id in lesson.pending,
        )
        if reply is not None:
            await self._post(verdict, reply, memory)

    async def _update_lessons(
        self, verdict: StoredVerdict, posts: Sequence[ThreadPost], rules: Sequence[Guideline]
    ) -> None:
        """Let each lesson in the thread show those of its guidelines that stand: they may go, and come again."""
        for post in posts:
            standing = [rule for rule in rules if rule.id in post.guideline_ids]
            ids = frozenset(rule.id for rule in standing)
            if self._shown.get(post.message_ts, frozenset(post.guideline_ids)) != ids:
                message = await self._lesson(verdict, standing) if standing else lesson_taken_back()
                await self._change(verdict.channel, post.message_ts, message)
                self._shown[post.message_ts] = ids

    async def _change(self, channel: str, ts: str, message: SlackMessage) -> None:
        try:
            await self._client.chat_update(channel=channel, ts=ts, **message.arguments())
        except CONNECTION_ERRORS as error:
            log.warning("the lesson at %s cannot be changed yet: %s", ts, type(error).__name__)
            raise SlackUnavailableError(f"{UNREACHABLE}.") from error
        except SlackApiError as error:
            if is_undecided(error) or status_of(error) == 429:
                raise SlackUnavailableError(f"Slack cannot take an update: {remedy(error)}.") from error
            log.warning("the lesson at %s could not be changed: %s", ts, remedy(error))

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
            case TellCase():
                names = [await self._people.name(person) for person in reply.people]
                return case_remembered(reply.label, names)

    async def _lesson(self, verdict: StoredVerdict, rules: Sequence[Guideline]) -> SlackMessage:
        trace_id = verdict.verdict.trace_id
        authored = []
        for rule in rules:
            authors = dict.fromkeys(source.person for source in rule.sources if source.trace_id == trace_id)
            authored.append((rule, [await self._people.name(person) for person in authors]))
        return lesson_message(authored)


def _content_of(reply: ThreadReply, message: SlackMessage) -> LessonContent | NoteContent:
    if isinstance(reply, TellGuidelines):
        ids = tuple(rule.id for rule in reply.rules)
        return LessonContent(text=message.text, blocks=tuple(message.blocks), guideline_ids=ids)
    return NoteContent(text=message.text, blocks=tuple(message.blocks))


def _name_of(reply: ThreadReply) -> str:
    """Return the first part of the post's id, by which each thing is told once."""
    match reply:
        case TellGuidelines():
            ids = "\0".join(sorted(rule.id for rule in reply.rules))
            return "lesson-" + hashlib.sha256(ids.encode()).hexdigest()[:12]
        case AskValue():
            return "ask-value"
        case AskWhy():
            return "ask-why"
        case TellCase():
            return "remembered"
