"""Lets cards that asked first show their verdicts once somebody answers, and keeps true what they tell of the answers.

What is due follows from the store: cards with feedback of a later revision than they were last looked at for. So an
answer that is on disk leads to an edit, whatever stops in between.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.blocks.earlier_answers import EarlierAnswers
from bot.feedback import Feedback, all_feedback
from bot.learning.feedback_gatherer import FeedbackGatherer
from bot.runtime.circuit_breaker import CircuitBreaker
from bot.runtime.health import HealthRegistry, unexpected
from bot.runtime.wake_event import WakeEvent
from bot.slack.errors import SlackCallError, SlackRefusedError, SlackUnavailableError
from bot.slack.users import People
from memalign.errors import StorageError
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from storage.records import StoredVerdict

log = logging.getLogger(__name__)

COMPONENT = "showing verdicts"
LOOK_SECONDS = 1.0
"""Longest time between two looks for answers."""
LONGEST_PAUSE_MS = 300_000
UPDATE_NOW_SECONDS = 10.0
"""Time that a forget waits for Slack; cards not edited by then are edited later."""

ShowVerdict = Callable[[str, EarlierAnswers], Awaitable[str | None]]
"""Lets the card of a verdict show it, with the answers; see `bot.posting.card_editor.CardEditor.show_verdict`."""

ReadMissed = Callable[[StoredVerdict], Awaitable[None]]
"""Stores what people did on a verdict's card while the bot was not told of it. Raises `SlackCallError`."""


class BlindCardUpdater:
    """Looks at each blind card whenever people did something about it."""

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        gatherer: FeedbackGatherer,
        people: People,
        read_missed: ReadMissed,
        show_verdict: ShowVerdict,
        health: HealthRegistry,
        wake_learning: Callable[[], None],
        *,
        show_votes: bool,
    ) -> None:
        """`show_votes` is False for cards to tell only how many answered."""
        self._database = database
        self._memories = memories
        self._gatherer = gatherer
        self._people = people
        self._read_missed = read_missed
        self._show_verdict = show_verdict
        self._health = health
        self._wake_learning = wake_learning
        self._show_votes = show_votes
        self._breaker = CircuitBreaker(LONGEST_PAUSE_MS)
        """By verdict, so that a card that fails for ever holds up no other; by channel where Slack asks to wait."""
        self._failing: dict[str, str] = {}
        """Verdict -> the channel under which its failure is reported."""
        self._wake_event = WakeEvent()
        self._lock = asyncio.Lock()

    def wake(self) -> None:
        """Look for answers now."""
        self._wake_event.set()

    async def run(self) -> None:
        """Update cards until cancelled."""
        while True:
            await self.update_due()
            await self._wake_event.wait(LOOK_SECONDS)

    async def update_now(self) -> None:
        """Update the cards that are due, as far as Slack answers within `UPDATE_NOW_SECONDS`."""
        try:
            async with asyncio.timeout(UPDATE_NOW_SECONDS):
                await self.update_due()
        except TimeoutError:
            log.warning("Slack does not answer; cards that tell forgotten answers are edited later")

    async def update_due(self) -> None:
        """Update the cards that are due. Raises `StorageError`."""
        async with self._lock:
            due = await self._database.verdicts.outdated_blind_cards()
            for verdict_id in self._failing.keys() - {each.verdict_id for each in due}:
                self._succeeded(verdict_id)
            for stored in due:
                if not any(map(self._breaker.is_open, (stored.verdict_id, stored.channel))):
                    await self._update_alone(stored)

    async def _update_alone(self, stored: StoredVerdict) -> None:
        try:
            await self._update(stored)
        except StorageError:
            raise
        except SlackUnavailableError as error:
            self._wait(stored, str(error))
        except SlackCallError as error:
            if isinstance(error, SlackRefusedError) and error.pause_ms:
                self._breaker.record_failure(stored.channel, error.pause_ms)
            self._wait(stored, str(error))
        except Exception:  # a bug at one card must not stop the others
            self._wait(stored, unexpected(f"updating the card of {stored.verdict_id}"))
        else:
            self._breaker.record_success(stored.channel)
            self._succeeded(stored.verdict_id)

    def _wait(self, stored: StoredVerdict, reason: str) -> None:
        self._breaker.record_failure(stored.verdict_id)
        self._failing[stored.verdict_id] = stored.channel
        sentence = f"a card that was answered does not show its verdict: {reason}"
        self._health.report(COMPONENT, stored.channel, sentence)
        log.warning("the card of %s is updated later: %s", stored.verdict_id, reason)

    def _succeeded(self, verdict_id: str) -> None:
        """Note that a card is up to date or gone; its channel is well once that is so of all."""
        self._breaker.record_success(verdict_id)
        channel = self._failing.pop(verdict_id, None)
        if channel is not None and channel not in self._failing.values():
            self._health.report(COMPONENT, channel, None)

    async def _update(self, stored: StoredVerdict) -> None:
        memory = self._memories.get(stored.verdict.judge)
        if memory is None:  # it may come back under another name
            return
        if stored.is_hidden:
            # Slack does not say when a thumb came, so that one found after the verdict was shown would be a vote on it
            await self._read_missed(stored)
        counted = await self._gatherer.counted(stored)
        feedback = all_feedback(stored, counted, memory.definition.value_type)
        if stored.is_hidden and not any(each.value is not None for each in feedback):
            await self._database.verdicts.note_card(stored.verdict_id, stored.revision)
            return
        shown_at = await self._show_verdict(stored.verdict_id, await self._earlier_answers(feedback))
        if shown_at is None:
            return
        if not stored.is_hidden:
            await self._database.verdicts.note_card(stored.verdict_id, stored.revision)
        elif await self._database.feedback.reveal(stored.verdict_id, shown_at, stored.revision):
            log.info("the card of %s shows its verdict", stored.verdict_id)
            self._wake_learning()

    async def _earlier_answers(self, feedback: Sequence[Feedback]) -> EarlierAnswers:
        answers = [
            (each.person, each.blind_value)
            for each in sorted(feedback, key=lambda each: each.time_ms)
            if each.blind_value is not None
        ]
        names = await self._people.names([person for person, _ in answers])
        return EarlierAnswers(
            answers=[(names.get(person, person), value) for person, value in answers],
            shows_votes=self._show_votes,
        )
