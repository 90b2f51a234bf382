"""Private answers to replies in card threads: each reply that is not learned from is answered, or asked about, once.

An answer's receipt is on disk before it is sent, and goes again where Slack did not confirm it. After a crash in
between nobody knows, and nobody is asked twice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from itertools import groupby

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.primitives import SlackMessage
from bot.blocks.private_replies import (
    ask_right_value,
    ask_vote,
    ask_which_value,
    commands_elsewhere,
    forgotten_card,
    unsure_reason,
)
from bot.blocks.thread import not_counted
from bot.blocks.votes import which_vote
from bot.learning.active_thread import active_thread
from bot.learning.hidden_verdict_answers import message_before_verdict
from bot.learning.likely_values import values_to_choose
from bot.learning.reply_answers import (
    FORGOTTEN_CARD,
    AnswerQuestion,
    Answers,
    AskRightValue,
    AskValueOfThumb,
    AskVote,
    AskWhichValue,
    AskWhichVote,
    PrivateAnswer,
    TellCommandsElsewhere,
    TellNotCounted,
    TellUnsure,
    choose_answers,
    may_need_answer,
    without_asks,
)
from bot.learning.teach_access import TeachAccess
from bot.runtime.circuit_breaker import CircuitBreaker
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry, unexpected
from bot.runtime.wake_event import WakeEvent
from bot.slack.ephemeral import post_ephemeral
from bot.slack.errors import (
    POST_REFUSED,
    SlackCallError,
    SlackRefusedError,
    SlackUnavailableError,
)
from memalign.errors import StorageError
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from storage.records import StoredVerdict
from storage.reply_receipts import ReplyReceipt, UnreadReplies

log = logging.getLogger(__name__)

COMPONENT = "answering replies"
LONGEST_PAUSE_MS = 300_000
"""Longest pause before an answer that failed is tried again."""
READER_GONE = POST_REFUSED | {"user_not_in_channel", "user_not_found", "user_disabled"}
"""Codes by which Slack refuses this answer for good: the person is not there to see it."""

Explain = Callable[[StoredVerdict], Awaitable[SlackMessage]]
"""Answers a question about a verdict. Raises `StorageError`."""


class PrivateReplies:
    """Answers replies, whatever the judges' models are doing."""

    def __init__(
        self,
        client: AsyncWebClient,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        access: TeachAccess,
        explain: Explain,
        health: HealthRegistry,
        *,
        quiet_seconds: float,
    ) -> None:
        """Answer replies that have rested for `quiet_seconds`, so that a thumb and its reason come together."""
        self._client = client
        self._database = database
        self._memories = memories
        self._access = access
        self._explain = explain
        self._health = health
        self._quiet_ms = int(quiet_seconds * 1000)
        self._breaker = CircuitBreaker(LONGEST_PAUSE_MS)
        self._wake_event = WakeEvent()

    def wake(self) -> None:
        """Look for replies now."""
        self._wake_event.set()

    async def run(self) -> None:
        """Answer until cancelled. Raises `StorageError`."""
        while True:
            await self.answer_due()
            if await self._wake_event.wait(max(0.05, min(1.0, self._quiet_ms / 2000))):
                await asyncio.sleep(self._quiet_ms / 1000)

    async def answer_due(self) -> None:
        """Answer all replies that have come to rest, unless Slack asked to wait. Raises `StorageError`."""
        due = await self._database.replies.due(self._quiet_ms)
        for channel in self._health.subjects(COMPONENT) - {each.channel for each in due}:
            self._health.report(COMPONENT, channel, None)
        silent = await self._without_answer(due)
        if silent:
            await self._database.replies.answered(silent)
        for unread in due:
            if unread not in silent and not await self._is_put_off(unread):
                await self._answer_alone(unread)

    async def _without_answer(self, due: Sequence[UnreadReplies]) -> set[UnreadReplies]:
        """Return the entries to which nothing is to be said, as most votes: each card is read once for all of them."""
        silent: set[UnreadReplies] = set()
        by_card = sorted((each for each in due if not each.is_forgotten), key=lambda each: each.card)
        for card, group in groupby(by_card, key=lambda each: each.card):
            stored = await self._database.verdicts.get(card)
            people = await self._database.feedback.all_of(card) if stored else {}
            silent.update(
                unread
                for unread in group
                if stored is None
                or unread.person not in people
                or not may_need_answer(stored, people[unread.person])
            )
        return silent

    async def _is_put_off(self, unread: UnreadReplies) -> bool:
        """Return whether Slack is left alone for now, or the person is answering in a modal."""
        circuits = (unread.channel, _reader(unread))
        modals = await self._database.open_modals.open_until_ms(unread.card, now_ms())
        return unread.person in modals or any(map(self._breaker.is_open, circuits))

    async def _answer_alone(self, unread: UnreadReplies) -> None:
        try:
            await self._answer(unread)
        except StorageError:
            raise
        except SlackUnavailableError as error:
            self._wait_for(_reader(unread), unread, str(error))
        except SlackCallError as error:
            pause_ms = error.pause_ms if isinstance(error, SlackRefusedError) else None
            self._wait_for(unread.channel, unread, str(error), pause_ms or 0)
        except Exception:  # a bug on one reply must not stop the answers to others
            self._wait_for(_reader(unread), unread, unexpected(f"answering replies under {unread.card}"))
        else:
            self._breaker.record_success(unread.channel)
            self._breaker.record_success(_reader(unread))
            self._health.report(COMPONENT, unread.channel, None)

    def _wait_for(self, circuit: str, unread: UnreadReplies, reason: str, pause_ms: int = 0) -> None:
        self._breaker.record_failure(circuit, pause_ms)
        self._health.report(COMPONENT, unread.channel, reason)
        log.warning("an answer in %s waits: %s", unread.channel, reason)

    async def _answer(self, unread: UnreadReplies) -> None:
        for message, receipts in await self._messages(unread):
            await self._send(unread, message, receipts)
        await self._database.replies.answered([unread])

    async def _messages(self, unread: UnreadReplies) -> list[tuple[SlackMessage, Collection[ReplyReceipt]]]:
        """Return what the person is to be told by now, each message with its receipts."""
        receipts = await self._database.replies.receipts(unread.card, unread.person)
        if unread.is_forgotten:
            return [] if FORGOTTEN_CARD in receipts else [(forgotten_card(), [FORGOTTEN_CARD])]
        stored = await self._database.verdicts.get(unread.card)
        memory = None if stored is None else self._memories.get(stored.verdict.judge)
        if stored is None or memory is None:
            return []
        answers = await self._answers(unread, stored, memory, receipts)
        return [(await self._message(answer, stored, memory), each) for answer, each in answers.items()]

    async def _answers(
        self,
        unread: UnreadReplies,
        stored: StoredVerdict,
        memory: JudgeMemory,
        receipts: Collection[ReplyReceipt],
    ) -> Answers:
        events = await self._database.feedback.by(stored.verdict_id, unread.person)
        if events is None:
            return {}
        standing = await self._access.update(unread.person)
        if standing == "program":
            return {}
        value_type = memory.definition.value_type
        answers = choose_answers(
            stored, unread.person, events, value_type, receipts, is_counted=self._access.allows(standing)
        )
        is_muted = await self._database.preferences.is_muted(unread.person)
        return without_asks(answers) if is_muted else answers

    async def _message(
        self, answer: PrivateAnswer, stored: StoredVerdict, memory: JudgeMemory
    ) -> SlackMessage:
        if stored.is_hidden and (message := message_before_verdict(answer, stored.verdict_id, memory)):
            return message
        value_type, judged = memory.definition.value_type, stored.verdict.value
        match answer:
            case AskWhichValue() | AskRightValue() | AskValueOfThumb():
                ask = ask_which_value if isinstance(answer, AskWhichValue) else ask_right_value
                choices = values_to_choose(stored, memory)
                return ask(stored.verdict_id, choices.values, is_complete=choices.is_complete)
            case AskWhichVote():
                return which_vote(stored, stored.message_ts or "", answer.votes)
            case AskVote():
                return ask_vote(stored.verdict_id, judged, value_type.opposite(judged))
            case AnswerQuestion():
                return await self._explain(stored)
            case TellCommandsElsewhere():
                return commands_elsewhere()
            case TellUnsure():
                return unsure_reason()
            case TellNotCounted():
                return not_counted()

    async def _send(
        self, unread: UnreadReplies, message: SlackMessage, receipts: Collection[ReplyReceipt]
    ) -> None:
        """Keep the receipts, and show the message. Raises `SlackCallError` where it is to be tried again."""
        if not await self._database.replies.keep(unread, receipts):
            return
        thread_ts: str | None = unread.card_ts
        if not unread.is_forgotten:
            thread_ts = await active_thread(self._database, unread.card, unread.card_ts)
        try:
            await post_ephemeral(
                self._client,
                message.arguments(),
                channel=unread.channel,
                person=unread.person,
                thread_ts=thread_ts,
            )
        except SlackCallError as error:
            if isinstance(error, SlackRefusedError) and error.code in READER_GONE:
                log.info("%s cannot be answered in %s: %s", unread.person, unread.channel, error.detail)
                return
            await self._database.replies.drop(unread, receipts)
            raise


def _reader(unread: UnreadReplies) -> str:
    return f"{unread.card}:{unread.person}"
