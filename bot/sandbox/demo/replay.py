"""Lets the recorded people answer in the workspace, and measures what the judge learns from it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from bot.app import Bot
from bot.reports.agreement import cohen_kappa
from bot.sandbox.demo.recordings import JUDGE, Recording
from bot.sandbox.workspace.records import Message, User
from bot.sandbox.workspace.workspace import Workspace
from memalign.errors import MemAlignError
from memalign.records import Json, Trace

TRACES_PER_BATCH = 10
"""Traces that come in, are judged and are answered together, before the next come in."""
BOT_TIMEOUT_SECONDS = 120.0
"""How long the demo waits for its own bot before it says that something is wrong."""

Verdicts = Mapping[str, bool]
"""Trace id -> the judge's value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How far a set of verdicts agrees with the recorded people."""

    n: int
    agreed: int
    kappa: float | None

    @property
    def agreement(self) -> float:
        """The share, 0 to 1."""
        return self.agreed / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Before and after, on the same traces, none of which taught the judge anything."""

    before: Score
    after: Score
    always_pass: Score
    """What a judge would reach that passes everything."""
    answered: int
    guidelines: int


ReportProgress = Callable[[int, int, Outcome | None], Awaitable[None]]
"""Is told the progress: answered, of how many, and the measure so far."""


class Replay:
    """The recorded people at work."""

    def __init__(
        self,
        bot: Bot,
        workspace: Workspace,
        channel: str,
        people: Mapping[str, User],
        held_out: Sequence[Recording],
    ) -> None:
        """`people`: the workspace's user for each annotator; `held_out`: recordings nobody answers here."""
        self._bot = bot
        self._workspace = workspace
        self._channel = channel
        self._page_server = people
        self._held_out = held_out
        self._before: Verdicts | None = None

    async def send(self, recordings: Sequence[Recording]) -> None:
        """Send traces to the bot, as an application would; known ones change nothing."""
        traces = [recording.as_trace() for recording in recordings]
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self._bot.url}/traces", json=traces) as answer,
        ):
            if answer.status != 202:
                raise MemAlignError(f"The bot did not take the demo's traces: {await answer.text()}.")

    async def run(self, recordings: Sequence[Recording], report: ReportProgress) -> Outcome:
        """Let people answer these recordings, batch by batch. Raises `MemAlignError` when the bot hangs."""
        if self._before is None:
            self._before = await self._judge_held_out()
        await report(0, len(recordings), None)
        for start in range(0, len(recordings), TRACES_PER_BATCH):
            batch = recordings[start : start + TRACES_PER_BATCH]
            await self.send(batch)
            for recording, card in zip(batch, await self._cards(batch), strict=True):
                self._answer(recording, card)
            await self._learned()
            await report(start + len(batch), len(recordings), await self.measure(start + len(batch)))
        return await self.measure(len(recordings))

    async def measure(self, answered: int) -> Outcome:
        """Judge the held-out traces with what is known now; those that somebody taught from are left out."""
        if self._before is None:
            self._before = await self._judge_held_out()
        taught = self._bot.memories[JUDGE].episodes
        unseen = [one for one in self._held_out if one.label is not None and one.trace_id not in taught]
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
        for one in self._held_out:
            trace = Trace(trace_id=one.trace_id, inputs=one.inputs, outputs=one.outputs)
            verdicts[one.trace_id] = bool((await memory.judge(trace)).value)
        return verdicts

    async def _cards(self, batch: Sequence[Recording]) -> list[Message]:
        """Wait until each has its card."""
        async with asyncio.timeout(BOT_TIMEOUT_SECONDS):
            while True:
                shown = {
                    payload["trace_id"]: message
                    for message in self._workspace.messages(self._channel)
                    if (payload := _payload(message)) and "trace_id" in payload
                }
                if all(one.trace_id in shown for one in batch):
                    return [shown[one.trace_id] for one in batch]
                await asyncio.sleep(0.05)

    def _answer(self, recording: Recording, card: Message) -> None:
        """Each person's thumb follows from their label and the verdict shown; the reply is in their own words."""
        verdict = _headline_passes(card)
        for said in recording.said:
            person = self._page_server[said.annotator]
            held = {reaction.name for reaction in card.reactions if person.id in reaction.users}
            thumb = "+1" if said.label == verdict else "-1"
            if thumb not in held:
                self._workspace.react(person.id, card.channel, card.ts, thumb)
            self._workspace.post(person.id, card.channel, said.rationale, thread_ts=card.ts)

    async def _learned(self) -> None:
        """Wait until the bot has learned all it was told."""
        async with asyncio.timeout(BOT_TIMEOUT_SECONDS):
            await asyncio.sleep(0.2)
            while await self._bot.database.feedback.waiting():  # noqa: ASYNC110 - the store is polled, as an onlooker would
                await asyncio.sleep(0.05)


def _payload(message: Message) -> dict[str, Json]:
    metadata = message.metadata or {}
    if metadata.get("event_type") != "memalign_verdict":
        return {}
    payload: dict[str, Json] = metadata["event_payload"]
    return payload


def _headline_passes(card: Message) -> bool:
    """What a person reads on the card."""
    return "pass" in (card.blocks or [])[0]["text"]["text"].partition("\n")[0].rpartition("*: ")[2]


def _score(recordings: Sequence[Recording], verdicts: Verdicts) -> Score:
    pairs = [(verdicts[one.trace_id], bool(one.label)) for one in recordings]
    return Score(
        n=len(pairs), agreed=sum(judge == people for judge, people in pairs), kappa=cohen_kappa(pairs)
    )
