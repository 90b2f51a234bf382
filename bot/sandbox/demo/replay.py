"""The replay of recorded feedback in the workspace, and the measure of what the judge learns from it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from bot.app import Bot
from bot.reports.agreement import cohen_kappa
from bot.sandbox.demo.folder import DemoWorkspace
from bot.sandbox.demo.recordings import JUDGE, Recording
from bot.sandbox.workspace.mrkdwn import escape_typed
from bot.sandbox.workspace.records import Message
from memalign.errors import MemAlignError
from memalign.records import Trace

TRACES_PER_BATCH = 10
"""Traces sent, judged and answered together before the next are sent."""
BOT_TIMEOUT_SECONDS = 120.0
"""Seconds the demo waits for the bot to post or to learn before it gives up."""

Verdicts = Mapping[str, bool]
"""Trace id -> the judge's value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The agreement of a set of verdicts with the majority of the recorded people."""

    n: int
    agreed: int
    kappa: float | None

    @property
    def agreement(self) -> float:
        """The share of equal verdicts, 0 to 1."""
        return self.agreed / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Scores before and after the replay, on the same traces, from none of which the judge learned."""

    before: Score
    after: Score
    always_pass: Score
    """The score of a judge that passes everything."""
    answered: int
    guidelines: int
    left_out: int = 0
    """Recordings that were not answered, since their traces had been forgotten."""


ReportProgress = Callable[[int, int, Outcome | None], Awaitable[None]]
"""Takes the progress: the number of traces answered or left out, the number of all, and the measure so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A verdict's message, and what the verdict says."""

    message: Message
    passes: bool


class Replay:
    """Replays recordings to the bot; traces that somebody has forgotten are left out.

    Args:
        bot: the running bot.
        demo_workspace: where it posts its cards.
        held_out: the recordings that serve only to measure.
        timeout_seconds: how long the bot may take to post or to learn.

    """

    def __init__(
        self,
        bot: Bot,
        demo_workspace: DemoWorkspace,
        held_out: Sequence[Recording],
        timeout_seconds: float = BOT_TIMEOUT_SECONDS,
    ) -> None:
        self._bot = bot
        self._workspace = demo_workspace.workspace
        self._channel = demo_workspace.channel
        self._annotators = demo_workspace.annotators
        self._held_out = held_out
        self._timeout_seconds = timeout_seconds
        self._before: Verdicts | None = None

    async def send(self, recordings: Sequence[Recording]) -> None:
        """Send traces to the bot, as an application would; those it knows change nothing."""
        traces = [recording.as_trace() for recording in recordings]
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self._bot.url}/traces", json=traces) as answer,
        ):
            if answer.status != 202:
                raise MemAlignError(f"The bot did not take the demo's traces: {await answer.text()}.")

    async def run(self, recordings: Sequence[Recording], report: ReportProgress) -> Outcome:
        """Send the recorded traces and answer them as the recorded people did, batch by batch.

        Run again, it goes on: what a person has said already is not said twice.

        Raises:
            MemAlignError: when the bot refuses the traces, or does not post or learn in time.

        """
        if self._before is None:
            self._before = await self._judge_held_out()
        await report(0, len(recordings), None)
        answered = 0
        for start in range(0, len(recordings), TRACES_PER_BATCH):
            batch = recordings[start : start + TRACES_PER_BATCH]
            answered += await self._answer_batch(batch)
            done = start + len(batch)
            await report(done, len(recordings), await self.measure(answered, done - answered))
        return await self.measure(answered, len(recordings) - answered)

    async def _answer_batch(self, batch: Sequence[Recording]) -> int:
        """Answer the recordings whose traces are not forgotten, and return their number."""
        await self.send(batch)
        async with self._patience("show its cards"):
            cards = await self._cards(batch)
        for recording in batch:
            if card := cards.get(recording.trace_id):
                self._answer(recording, card)
        async with self._patience("learn"):
            await self._wait_until_learned()
        return len(cards)

    async def measure(self, answered: int, left_out: int = 0) -> Outcome:
        """Judge the held-out traces with the present memory, without those that it learned from."""
        if self._before is None:
            self._before = await self._judge_held_out()
        learned = self._bot.memories[JUDGE].episodes
        unseen = [
            recording
            for recording in self._held_out
            if recording.label is not None and recording.trace_id not in learned
        ]
        after = await self._judge_held_out()
        return Outcome(
            before=_score(unseen, self._before),
            after=_score(unseen, after),
            always_pass=_score(unseen, dict.fromkeys(after, True)),
            answered=answered,
            guidelines=sum(rule.in_use for rule in self._bot.memories[JUDGE].guidelines),
            left_out=left_out,
        )

    async def _judge_held_out(self) -> Verdicts:
        memory = self._bot.memories[JUDGE]
        verdicts = {}
        for recording in self._held_out:
            trace = Trace(trace_id=recording.trace_id, inputs=recording.inputs, outputs=recording.outputs)
            verdicts[trace.trace_id] = bool((await memory.judge(trace)).value)
        return verdicts

    async def _cards(self, batch: Sequence[Recording]) -> Mapping[str, Card]:
        """Wait until each trace has its card or is forgotten, and return the cards by trace id."""
        traces = self._bot.database.traces
        while True:
            cards = await self._cards_now()
            missing = [recording.trace_id for recording in batch if recording.trace_id not in cards]
            if all([await traces.is_forgotten(trace_id) for trace_id in missing]):
                return {each.trace_id: cards[each.trace_id] for each in batch if each.trace_id in cards}
            await asyncio.sleep(0.05)

    async def _cards_now(self) -> dict[str, Card]:
        cards = {}
        for message in self._workspace.messages(self._channel):
            if _is_card(message):
                stored = await self._bot.database.verdicts.by_card(message.channel, message.ts)
                if stored is not None:
                    # while a verdict is hidden, 👍 means pass
                    passes = stored.is_hidden or stored.verdict.value is True
                    cards[stored.verdict.trace_id] = Card(message=message, passes=passes)
        return cards

    def _answer(self, recording: Recording, card: Card) -> None:
        """Answer a card as each recorded person did: with a thumb, and the rationale as a reply."""
        message = card.message
        replies = {
            (reply.user, reply.text)
            for reply in self._workspace.messages(message.channel)
            if reply.thread_ts == message.ts
        }
        for feedback in recording.feedback:
            person = self._annotators[feedback.annotator]
            reactions = {reaction.name for reaction in message.reactions if person.id in reaction.users}
            thumb = "+1" if feedback.label == card.passes else "-1"
            if thumb not in reactions:
                self._workspace.react(person.id, message.channel, message.ts, thumb)
            if (person.id, escape_typed(feedback.rationale)) not in replies:
                self._workspace.post(person.id, message.channel, feedback.rationale, thread_ts=message.ts)

    async def _wait_until_learned(self) -> None:
        """Wait until the bot has learned from all feedback."""
        await asyncio.sleep(0.2)
        while await self._bot.database.feedback.waiting():  # noqa: ASYNC110 - the store has no event to wait for
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def _patience(self, work: str) -> AsyncIterator[None]:
        """Limit the time of what the bot does. Raises `MemAlignError`."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                yield
        except TimeoutError:
            raise MemAlignError(
                f"The bot did not {work} within {self._timeout_seconds:g} seconds; press the button to go on."
            ) from None


def _is_card(message: Message) -> bool:
    return (message.metadata or {}).get("event_type") == "memalign_verdict"


def _score(recordings: Sequence[Recording], verdicts: Verdicts) -> Score:
    pairs = [(verdicts[recording.trace_id], bool(recording.label)) for recording in recordings]
    return Score(
        n=len(pairs), agreed=sum(judge == people for judge, people in pairs), kappa=cohen_kappa(pairs)
    )
