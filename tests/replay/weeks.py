"""Simulated weeks of a recording in the embedded workspace: the bot judges, people answer, digests arrive."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import time_machine

from bot.reports.digest import read_digest
from bot.runtime.clock import now_ms, week_of
from bot.sandbox import Message, User, Workspace
from memalign.records import Json
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace
from tests.replay.oracle import VotedCard
from tests.replay.recording import RecordedTrace
from tests.replay.schedule import FIRST_MONDAY, Arrival, schedule

DIGEST = "memalign_digest"
DIGEST_TIME = "00:30"
MORNING = timedelta(hours=1)
"""After midnight of Monday: the digest is due, and nobody has voted in the new week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """All that a replay brought."""

    cards: tuple[VotedCard, ...]
    """The cards that people voted on."""
    figures: tuple[Json, ...]
    """For each week and judge, what `memalign digest --format json` prints, with the week's digest message."""
    digests: tuple[Message, ...]
    """The digests as posted."""


class Weeks:
    """One replay. The clock is moved by time-machine; the bot is started anew each week."""

    def __init__(self, folder: Path, traces: Sequence[RecordedTrace], weeks: int, **sections: Json) -> None:
        """Take a folder for the store, the recording, the number of weeks, and sections of the settings."""
        self._folder = folder
        self._traces = {trace.trace_id: trace for trace in traces}
        self._schedule = schedule(traces, weeks)
        self._judges = sorted({judge for trace in traces for judge in trace.judges})
        self._sections = sections
        with time_machine.travel(FIRST_MONDAY):  # Slack's times only grow
            self._workspace = Workspace()
            self._people = self._add_people()
        self._cards: list[VotedCard] = []
        self._voted: set[str] = set()

    def _add_people(self) -> Mapping[str, User]:
        names = {"ana", "ben", *(label.person for trace in self._traces.values() for label in trace.labels)}
        people = {name: self._workspace.add_user(name) for name in sorted(names)}
        self._workspace.add_channel(JUDGE, members=[person.id for person in people.values()])
        return people

    async def run(self) -> Replay:
        """Replay all weeks; the last Monday brings the last digest."""
        figures: list[Json] = []
        with time_machine.travel(FIRST_MONDAY, tick=True) as clock:
            for number in range(len(self._schedule) + 1):
                monday = FIRST_MONDAY + timedelta(weeks=number)
                clock.move_to(monday + MORNING)
                async with self._bot() as harness:
                    await harness.learned()
                    if number:
                        last = week_of((monday - timedelta(days=1)).date())
                        await self._arrived(harness, number * len(self._judges))
                        figures += [await self._figures(harness, judge, last) for judge in self._judges]
                        await self._vote_on_new_cards(harness, monday)
                    if number < len(self._schedule):
                        for arrival in self._schedule[number]:
                            clock.move_to(arrival.at)
                            await self._show_and_vote(harness, arrival)
        return Replay(cards=tuple(self._cards), figures=tuple(figures), digests=tuple(self._messages(DIGEST)))

    @property
    def _channel(self) -> str:
        return next(each.id for each in self._workspace.channels.values() if each.name == JUDGE)

    def _bot(self) -> AbstractAsyncContextManager[BotInWorkspace]:
        return bot_in_workspace(
            self._folder,
            workspace=self._workspace,
            http=True,  # a Socket Mode client would take a jump of the clock for a lost connection
            judges=[
                {"name": judge, "instructions": "Does {{ outputs }} suit {{ inputs }}?"}
                for judge in self._judges
            ],
            digest={"day": "mon", "time": DIGEST_TIME, "timezone": "UTC"},
            **self._sections,
        )

    def _messages(self, event_type: str) -> list[Message]:
        return [
            message
            for message in self._workspace.messages(self._channel)
            if (message.metadata or {}).get("event_type") == event_type
        ]

    async def _arrived(self, harness: BotInWorkspace, digests: int) -> None:
        await harness.until(lambda: len(self._messages(DIGEST)) >= digests)

    async def _figures(self, harness: BotInWorkspace, judge: str, week: str) -> Json:
        value_type = harness.bot.memories[judge].definition.value_type
        digest = await read_digest(harness.bot.database, judge, value_type, week, ZoneInfo("UTC"))
        return digest.as_json()

    async def _show_and_vote(self, harness: BotInWorkspace, arrival: Arrival) -> None:
        await harness.bot.resources.slack.client.auth_test()  # whose answer tells the bot Slack's time
        await harness.send(*(trace.as_json() for trace in arrival.traces))
        await self._vote_on_new_cards(harness, arrival.at)

    async def _vote_on_new_cards(self, harness: BotInWorkspace, at: datetime) -> None:
        """Wait for the cards of traces that came at once and of windows that have ended, and let people vote."""
        await harness.until_async(lambda: self._is_judged(harness))
        await harness.learned()
        for message in self._messages("memalign_verdict"):
            if message.ts not in self._voted:
                self._voted.add(message.ts)
                await self._vote(harness, message, week_of(at.date()))
        await harness.learned()

    async def _is_judged(self, harness: BotInWorkspace) -> bool:
        database = harness.bot.database
        waiting = await database.traces.oldest_jobs()
        return not waiting and not await database.candidates.oldest_ended(now_ms())

    async def _vote(self, harness: BotInWorkspace, message: Message, week: str) -> None:
        stored = await harness.bot.database.verdicts.by_card(message.channel, message.ts)
        assert stored is not None
        verdict = stored.verdict
        labels = [each for each in self._traces[verdict.trace_id].labels if each.judge == verdict.judge]
        for label in labels:
            person = self._people[label.person]
            harness.react(message, "+1" if label.value == verdict.value else "-1", by=person)
            if label.reason:
                harness.reply(message, label.reason, by=person)
        self._cards.append(
            VotedCard(
                judge=verdict.judge,
                week=week,
                verdict=verdict.value is True,
                labels=tuple(label.value for label in labels),
                people=tuple(label.person for label in labels),
                probability=stored.selection.probability,
            )
        )
