"""The replay of recorded feedback in the workspace, and the measure of what the judge learns from it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from bot.app import Bot
from bot.reports.agreement import cohen_kappa
from bot.sandbox.demo.folder import DemoWorkspace
from bot.sandbox.demo.recordings import JUDGE, Recording
from bot.sandbox.workspace.records import Message
from memalign.errors import MemAlignError
from memalign.records import Json, Trace

TRACES_PER_BATCH = 10
"""Traces sent, judged and answered together before the next are sent."""
BOT_TIMEOUT_SECONDS = 120.0
"""Seconds the demo waits for the bot to post or to learn before it raises TimeoutError."""

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


ReportProgress = Callable[[int, int, Outcome | None], Awaitable[None]]
"""Takes the progress: the number of answered traces, the number of all, and the measure so far."""


class Replay:
    """Replays recordings to the bot. `held_out` are those that serve only to measure."""

    def __init__(self, bot: Bot, demo_workspace: DemoWorkspace, held_out: Sequence[Recording]) -> None:
        self._bot = bot
        self._workspace = demo_workspace.workspace
        self._channel = demo_workspace.channel
        self._annotators = demo_workspace.annotators
        self._held_out = held_out
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

        Raises:
            MemAlignError: when the bot refuses the traces.
            TimeoutError: when it does not post or learn within BOT_TIMEOUT_SECONDS.

        """
        if self._before is None:
            self._before = await self._judge_held_out()
        await report(0, len(recordings), None)
        for start in range(0, len(recordings), TRACES_PER_BATCH):
            batch = recordings[start : start + TRACES_PER_BATCH]
            await self.send(batch)
            for recording, card in zip(batch, await self._cards(batch), strict=True):
                self._answer(recording, card)
            await self._wait_until_learned()
            await report(start + len(batch), len(recordings), await self.measure(start + len(batch)))
        return await self.measure(len(recordings))

    async def measure(self, answered: int) -> Outcome:
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
            guidelines=len(self._bot.memories[JUDGE].guidelines),
        )

    async def _judge_held_out(self) -> Verdicts:
        memory = self._bot.memories[JUDGE]
        verdicts = {}
        for recording in self._held_out:
            trace = Trace(trace_id=recording.trace_id, inputs=recording.inputs, outputs=recording.outputs)
            verdicts[trace.trace_id] = bool((await memory.judge(trace)).value)
        return verdicts

    async def _cards(self, batch: Sequence[Recording]) -> list[Message]:
        """Wait until each trace has its card, and return the cards."""
        async with asyncio.timeout(BOT_TIMEOUT_SECONDS):
            while True:
                cards = {
                    payload["trace_id"]: message
                    for message in self._workspace.messages(self._channel)
                    if (payload := _payload(message)) and "trace_id" in payload
                }
                if all(recording.trace_id in cards for recording in batch):
                    return [cards[recording.trace_id] for recording in batch]
                await asyncio.sleep(0.05)

    def _answer(self, recording: Recording, card: Message) -> None:
        """Answer a card as each recorded person did: with a thumb, and the rationale as a reply."""
        verdict = _headline_passes(card)
        for feedback in recording.feedback:
            person = self._annotators[feedback.annotator]
            reactions = {reaction.name for reaction in card.reactions if person.id in reaction.users}
            thumb = "+1" if feedback.label == verdict else "-1"
            if thumb not in reactions:
                self._workspace.react(person.id, card.channel, card.ts, thumb)
            self._workspace.post(person.id, card.channel, feedback.rationale, thread_ts=card.ts)

    async def _wait_until_learned(self) -> None:
        """Wait until the bot has learned from all feedback."""
        async with asyncio.timeout(BOT_TIMEOUT_SECONDS):
            await asyncio.sleep(0.2)
            while await self._bot.database.feedback.waiting():  # noqa: ASYNC110 - the store has no event to wait for
                await asyncio.sleep(0.05)


def _payload(message: Message) -> dict[str, Json]:
    metadata = message.metadata or {}
    if metadata.get("event_type") != "memalign_verdict":
        return {}
    payload: dict[str, Json] = metadata["event_payload"]
    return payload


def _headline_passes(card: Message) -> bool:
    """Tell whether the headline of the card says pass, as a person reads it."""
    return "pass" in (card.blocks or [])[0]["text"]["text"].partition("\n")[0].rpartition("*: ")[2]


def _score(recordings: Sequence[Recording], verdicts: Verdicts) -> Score:
    pairs = [(verdicts[recording.trace_id], bool(recording.label)) for recording in recordings]
    return Score(
        n=len(pairs), agreed=sum(judge == people for judge, people in pairs), kappa=cohen_kappa(pairs)
    )
