"""What a thread is told after a round of learning: a new guideline, a question, or that something went."""

import hashlib
import logging
from collections.abc import Callable, Sequence

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.primitives import Message, fits_a_menu
from bot.blocks.thread import ask_value, ask_why, case_remembered, lesson_message, lesson_taken_back
from bot.feedback import Feedback
from bot.slack.errors import LOST, UNREACHABLE, remedy
from bot.slack.users import People
from memalign.errors import MemAlignError
from memalign.judge_memory import JudgeMemory
from memalign.records import Guideline, Label, Lesson
from storage.database import Database
from storage.records import LessonContent, NoteContent, Post, StoredVerdict, ThreadPost

log = logging.getLogger(__name__)


class SlackUnavailableError(MemAlignError):
    """Slack does not take what is to be told; it may later."""


class ThreadReplies:
    """Tells a verdict's thread what came of the feedback given there; each thing once."""

    def __init__(
        self, client: AsyncWebClient, database: Database, people: People, wake_outbox: Callable[[], None]
    ) -> None:
        self._client = client
        self._database = database
        self._people = people
        self._wake_outbox = wake_outbox
        self._shows: dict[str, frozenset[str]] = {}
        """Message -> the guidelines it shows, where this process has brought it up to date."""

    async def tell(
        self, stored: StoredVerdict, feedback: Sequence[Feedback], lesson: Lesson, memory: JudgeMemory
    ) -> None:
        """Say what is new since the thread was last told something. Raises `SlackUnavailableError`."""
        if stored.message_ts is None:
            return
        told = await self._database.feedback.thread_posts(stored.verdict_id)
        here = [rule for rule in memory.guidelines if self._rests_here(rule, stored) and not rule.waiting]
        await self._bring_up_to_date(stored, told, here)
        known = {rule_id for said in told for rule_id in said.guideline_ids}
        if news := [rule for rule in here if rule.id not in known]:
            ids = tuple(rule.id for rule in news)
            await self._post(stored, _named_after(ids), await self._lesson(stored, news), ids)
        elif any(said.vote == "down" and said.value is None for said in feedback):
            await self._ask_value(stored, memory)
        elif not here and stored.verdict.trace_id not in lesson.pending:
            await self._tell_case(stored, feedback, memory)

    @staticmethod
    def _rests_here(rule: Guideline, stored: StoredVerdict) -> bool:
        return stored.verdict.trace_id in rule.source_trace_ids

    async def _lesson(self, stored: StoredVerdict, rules: Sequence[Guideline]) -> Message:
        authored = []
        for rule in rules:
            authors = [source.person for source in rule.sources if source.trace_id == stored.verdict.trace_id]
            authored.append((rule, [await self._people.name(person) for person in dict.fromkeys(authors)]))
        return lesson_message(authored)

    async def _ask_value(self, stored: StoredVerdict, memory: JudgeMemory) -> None:
        choices = likely_values(stored, memory)
        example = choices[0] if choices else stored.verdict.value
        await self._post(stored, "ask-value", ask_value(choices, example))

    async def _tell_case(
        self, stored: StoredVerdict, feedback: Sequence[Feedback], memory: JudgeMemory
    ) -> None:
        episode = memory.episodes.get(stored.verdict.trace_id)
        if episode is None:
            return
        reasons = [said for said in feedback if said.value is not None and said.rationale]
        if reasons:
            names = [await self._people.name(said.person) for said in reasons]
            await self._post(stored, "remembered", case_remembered(episode.label, names))
        elif any(said.vote == "down" for said in feedback):
            await self._post(stored, "ask-why", ask_why(episode.label))

    async def _post(
        self, stored: StoredVerdict, what: str, message: Message, ids: tuple[str, ...] = ()
    ) -> None:
        """Say it once: the store knows by the post's id what the thread was told."""
        await self._database.outbox.add(
            Post(
                post_id=f"{what}:{stored.verdict_id}",
                channel=stored.channel,
                thread_ts=stored.message_ts,
                verdict_id=stored.verdict_id,
                content=_content(message, ids),
            )
        )
        self._wake_outbox()

    async def _bring_up_to_date(
        self, stored: StoredVerdict, told: Sequence[ThreadPost], here: Sequence[Guideline]
    ) -> None:
        """Let each lesson in the thread show what of it stands: feedback goes, and may come again."""
        for said in told:
            rules = [rule for rule in here if rule.id in said.guideline_ids]
            standing = frozenset(rule.id for rule in rules)
            if self._shows.get(said.message_ts, frozenset(said.guideline_ids)) != standing:
                message = await self._lesson(stored, rules) if rules else lesson_taken_back()
                await self._update(stored.channel, said.message_ts, message)
                self._shows[said.message_ts] = standing

    async def _update(self, channel: str, ts: str, message: Message) -> None:
        try:
            await self._client.chat_update(
                channel=channel, ts=ts, text=message.text, blocks=list(message.blocks)
            )
        except LOST as error:
            log.warning("the lesson told at %s cannot be changed yet: %s", ts, type(error).__name__)
            raise SlackUnavailableError(f"{UNREACHABLE}.") from error
        except SlackApiError as error:
            if error.response.status_code in (429, 500, 502, 503, 504):
                raise SlackUnavailableError(f"Slack cannot take an update: {remedy(error)}.") from error
            log.warning("the lesson told at %s could not be changed: %s", ts, remedy(error))


def _content(message: Message, guideline_ids: tuple[str, ...]) -> LessonContent | NoteContent:
    blocks = tuple(message.blocks)
    if guideline_ids:
        return LessonContent(text=message.text, blocks=blocks, guideline_ids=guideline_ids)
    return NoteContent(text=message.text, blocks=blocks)


def likely_values(stored: StoredVerdict, memory: JudgeMemory) -> tuple[Label, ...]:
    """Values to choose a correction from: the categories, or those people gave before; not the judge's own."""
    values = memory.definition.value_type
    known = values.categories or tuple(
        sorted({episode.label for episode in memory.episodes.values()} | _neighbours(stored.verdict.value))
    )
    return tuple(value for value in known if value != stored.verdict.value and fits_a_menu(value))


def _neighbours(value: Label) -> set[Label]:
    if isinstance(value, int) and not isinstance(value, bool):
        return {value + step for step in (-2, -1, 1, 2) if value + step >= 0 or value < 0}
    return set()


def _named_after(ids: Sequence[str]) -> str:
    return "lesson-" + hashlib.sha256("\0".join(sorted(ids)).encode()).hexdigest()[:12]
