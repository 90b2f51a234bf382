"""What a thread is told after a round of learning: a new guideline, a question, or that something went."""

import hashlib
import logging
from collections.abc import Callable, Sequence

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import blocks
from bot.blocks import Message
from bot.people import People
from memalign.memory import Memory
from memalign.records import Feedback, Guideline, Label, Lesson
from storage.database import Database
from storage.records import Post, StoredVerdict

log = logging.getLogger(__name__)


class Messenger:
    """Tells a verdict's thread what came of the feedback given there; each thing once."""

    def __init__(
        self, client: AsyncWebClient, database: Database, people: People, wake_outbox: Callable[[], None]
    ) -> None:
        self._client = client
        self._database = database
        self._people = people
        self._wake_outbox = wake_outbox

    async def tell(
        self, stored: StoredVerdict, feedback: Sequence[Feedback], lesson: Lesson, memory: Memory
    ) -> None:
        """Say what is new since the thread was last told something."""
        if stored.message_ts is None:
            return
        here = [rule for rule in memory.guidelines if self._rests_here(rule, stored) and not rule.waiting]
        await self._take_back(stored, {rule.id for rule in here})
        told = {
            rule_id
            for said in await self._database.feedback.told(stored.verdict_id)
            for rule_id in said.guideline_ids
        }
        news = [rule for rule in here if rule.id not in told]
        if news:
            await self._tell_rules(stored, news)
        elif any(said.vote == "down" and said.value is None for said in feedback):
            choices = likely_values(stored, memory)
            example = choices[0] if choices else stored.verdict.value
            await self._post(stored, "ask-value", blocks.ask_value(choices, example))
        elif not here and stored.verdict.trace_id not in lesson.pending:
            await self._tell_case(stored, feedback, memory)

    @staticmethod
    def _rests_here(rule: Guideline, stored: StoredVerdict) -> bool:
        return stored.verdict.trace_id in rule.source_trace_ids

    async def _tell_rules(self, stored: StoredVerdict, rules: Sequence[Guideline]) -> None:
        authored = []
        for rule in rules:
            authors = [source.person for source in rule.sources if source.trace_id == stored.verdict.trace_id]
            authored.append((rule, [await self._people.name(person) for person in dict.fromkeys(authors)]))
        ids = tuple(rule.id for rule in rules)
        await self._post(stored, _digest(ids), blocks.lesson(authored), guideline_ids=ids)

    async def _tell_case(self, stored: StoredVerdict, feedback: Sequence[Feedback], memory: Memory) -> None:
        episode = memory.episodes.get(stored.verdict.trace_id)
        if episode is None:
            return
        reasons = [said for said in feedback if said.value is not None and said.rationale]
        if reasons:
            names = [await self._people.name(said.person) for said in reasons]
            await self._post(stored, "remembered", blocks.remembered(episode.label, names))
        elif any(said.vote == "down" for said in feedback):
            await self._post(stored, "ask-why", blocks.ask_why(episode.label))

    async def _post(
        self, stored: StoredVerdict, what: str, message: Message, guideline_ids: tuple[str, ...] = ()
    ) -> None:
        await self._database.outbox.add(
            Post(
                post_id=f"{what}:{stored.verdict_id}",
                channel=stored.channel,
                kind="lesson" if guideline_ids else "note",
                thread_ts=stored.message_ts,
                verdict_id=stored.verdict_id,
                payload={
                    "text": message.text,
                    "blocks": list(message.blocks),
                    "guideline_ids": list(guideline_ids),
                },
                state="due",
                attempts=0,
                not_before_ms=0,
                reason=None,
            )
        )
        self._wake_outbox()

    async def _take_back(self, stored: StoredVerdict, standing: set[str]) -> None:
        for told in await self._database.feedback.told(stored.verdict_id):
            if told.guideline_ids and not standing.intersection(told.guideline_ids):
                message = blocks.taken_back()
                try:
                    await self._client.chat_update(
                        channel=stored.channel,
                        ts=told.message_ts,
                        text=message.text,
                        blocks=list(message.blocks),
                    )
                except (SlackApiError, ClientError, TimeoutError, OSError) as error:
                    log.warning(
                        "the lesson told at %s could not be marked as taken back: %s", told.message_ts, error
                    )


def likely_values(stored: StoredVerdict, memory: Memory) -> tuple[Label, ...]:
    """Values to choose a correction from: the categories, or those people gave before; not the judge's own."""
    values = memory.definition.value_type
    known = values.categories or tuple(
        sorted({episode.label for episode in memory.episodes.values()} | _neighbours(stored.verdict.value))
    )
    return tuple(value for value in known if value != stored.verdict.value)[:25]


def _neighbours(value: Label) -> set[Label]:
    if isinstance(value, int) and not isinstance(value, bool):
        return {value + step for step in (-2, -1, 1, 2) if value + step >= 0 or value < 0}
    return set()


def _digest(ids: Sequence[str]) -> str:
    return "lesson-" + hashlib.sha256("\0".join(sorted(ids)).encode()).hexdigest()[:12]
