"""Random histories of what people do, through the real bot and the embedded workspace, against a small model.

Short in the suite; `MEMALIGN_HISTORIES=500 python -m pytest tests/bot/test_histories.py` tries so many.
"""

import asyncio
import contextlib
import os
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.sandbox import Message, SlackError, Workspace
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace

TRACES = ("tr-0", "tr-1", "tr-2")
UP, DOWN = {"+1", "thumbsup::skin-tone-2"}, {"-1"}
WORDS = ("An answer should never send people away.", "Every answer must name the next step.", "Fine by me.")
RULES = WORDS[:2]
"""The words that read like a rule."""
Act: TypeAlias = tuple[str, int, int, int]
"""One step: the act, the person, the card, and the thumb or words."""

QUIET_ACTS = ("react", "react", "react", "unreact", "reply", "reply", "edit", "delete")
"""Also possible while the bot is away."""
LOUD_ACTS = ("again", "drop_ack", "forget", "forget_person", "rest")


@dataclass(kw_only=True, slots=True)
class Model:
    """The expected outcome of a history."""

    thumbs: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """(person, trace) -> live thumbs."""
    replies: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    """(person, trace) -> time -> words."""
    deleted: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    """People: what Slack shows of their thumbs is no proof that they gave them afterwards."""

    def vote(self, person: str, trace: str) -> str | None:
        held = {"up" if name in UP else "down" for name in self.thumbs.get((person, trace), set())}
        return held.pop() if len(held) == 1 else None

    def rationale(self, person: str, trace: str) -> str:
        return "\n".join(text for _, text in sorted(self.replies.get((person, trace), {}).items()))

    def labels(self, trace: str, verdict: bool, people: list[str]) -> set[bool]:
        """The labels that may come of the votes: at a tie the newest decides, which the model does not follow."""
        votes = [self.vote(person, trace) for person in people]
        up, down = votes.count("up"), votes.count("down")
        return {verdict for _ in range(up) if up >= down} | {not verdict for _ in range(down) if down >= up}

    def teachers(self, trace: str, label: bool, verdict: bool) -> set[tuple[str, str]]:
        """(person, trace) of those whose rule must be learned: their vote is the label's, and they gave a rule."""
        vote = "up" if label is verdict else "down"
        return {
            (person, trace)
            for (person, of), replies in self.replies.items()
            if of == trace and self.vote(person, trace) == vote and set(RULES) & set(replies.values())
        }

    def forget_person(self, person: str) -> None:
        self.forgotten.add(person)
        for acts in (self.thumbs, self.replies):
            for key in [key for key in acts if key[0] == person]:
                del acts[key]


class History:
    """Plays acts in the workspace and in the model."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = Workspace()
        self.model = Model()
        self.stack = AsyncExitStack()
        self.places: dict[str, tuple[str, str]] = {}
        self.harness: BotInWorkspace

    async def start(self) -> None:
        self.stack = AsyncExitStack()
        self.harness = await self.stack.enter_async_context(
            bot_in_workspace(self.folder, workspace=self.workspace)
        )

    async def play(self, acts: list[list[Act]]) -> None:
        """Each list is one run of the bot; the acts of every second one are done while it is away."""
        try:
            await self.start()
            for trace in TRACES:
                card = await self.harness.show(trace)
                self.places[trace] = (card.channel, card.ts)
            for number, run in enumerate(acts):
                if number % 2:
                    await self.stack.aclose()
                    for act in run:
                        self.quiet(act, away=True)
                    await self.start()
                    await self.harness.reconciled()
                else:
                    for act in run:
                        await self.loud(act)
                await self.compare()
        finally:
            await self.stack.aclose()

    @property
    def people(self) -> list[str]:
        return [self.harness.ana.id, self.harness.ben.id]

    async def loud(self, act: Act) -> None:
        what, who, which, how = act
        person, trace = self.people[who % 2], TRACES[which % 3]
        match what:
            case "again":
                self.again(how)
            case "drop_ack":
                self.harness.slack.faults.drop_acks(1)
            case "rest":
                await self.harness.learned()
            case "forget":
                await self.calm()
                await self.harness.asked(self.harness.ana, f"forget {trace} --yes")
                self.model.deleted.add(trace)
            case "forget_person":
                await self.calm()
                user = next(each for each in (self.harness.ana, self.harness.ben) if each.id == person)
                await self.harness.asked(user, "forget --person me --yes")
                self.model.forget_person(person)
            case _:
                self.quiet(act)

    async def calm(self) -> None:
        """A person sees whether a command was acknowledged, so that none is lost on its way here."""
        await self.harness.slack.settled()
        self.harness.slack.faults.stop_dropping_acks()

    def again(self, how: int) -> None:
        """Deliver some event once more, long after it was handled."""
        events = [delivery for delivery in self.harness.slack.deliveries if delivery.type == "events_api"]
        if events:
            self.harness.slack.faults.redeliver(events[how % len(events)])

    def quiet(self, act: Act, *, away: bool = False) -> None:
        what, who, which, how = act
        person, trace = self.people[who % 2], TRACES[which % 3]
        channel, ts = self.places[trace]
        names = sorted(UP | DOWN)
        with contextlib.suppress(SlackError):
            match what:
                case "react":
                    self.workspace.react(person, channel, ts, names[how % 3])
                    if not (away and person in self.model.forgotten):
                        self.model.thumbs.setdefault((person, trace), set()).add(names[how % 3])
                case "unreact":
                    self.workspace.unreact(person, channel, ts, names[how % 3])
                    self.model.thumbs.get((person, trace), set()).discard(names[how % 3])
                case "reply":
                    at = self.workspace.post(person, channel, WORDS[how % 3], thread_ts=ts)
                    self.model.replies.setdefault((person, trace), {})[at] = WORDS[how % 3]
                case "edit" | "delete":
                    self.change(what, person, trace, how)

    def change(self, what: str, person: str, trace: str, how: int) -> None:
        replies = self.model.replies.get((person, trace), {})
        channel, _ = self.places[trace]
        for at in list(replies)[:1]:
            if what == "edit":
                self.workspace.edit(person, channel, at, WORDS[how % 3])
                replies[at] = WORDS[how % 3]
            else:
                self.workspace.delete(person, channel, at)
                del replies[at]

    async def compare(self) -> None:
        await self.harness.learned()
        database, memory = self.harness.bot.database, self.harness.bot.memories["politeness"]
        remembered = self.harness.labels()
        teachers: set[tuple[str, str]] = set()
        for trace in TRACES:
            if trace in self.model.deleted:
                assert await database.traces.is_forgotten(trace)
                assert trace not in remembered
                continue
            channel, ts = self.places[trace]
            card = self.workspace.message(channel, ts)
            await self.compare_card(trace, card)
            self.compare_thread(trace, card)
            shown = await database.verdicts.by_card(channel, ts)
            assert shown is not None
            possible = self.model.labels(trace, bool(shown.verdict.value), self.people)
            assert ({remembered[trace]} if trace in remembered else set()) <= possible
            assert bool(possible) == (trace in remembered)
            if trace in remembered:
                label, verdict = bool(remembered[trace]), bool(shown.verdict.value)
                teachers |= self.model.teachers(trace, label, verdict)
        sources = {(each.person, each.trace_id) for rule in memory.guidelines for each in rule.sources}
        assert teachers <= sources
        for rule in memory.guidelines:
            for source in rule.sources:
                assert source.trace_id not in self.model.deleted
                assert source.quote == self.model.rationale(source.person, source.trace_id)
                assert self.model.vote(source.person, source.trace_id) is not None

    async def compare_card(self, trace: str, card: Message) -> None:
        names = {user.id: user.name for user in self.workspace.users.values()}
        replies = await self.harness.feedback(card)
        for person in self.people:
            entry = replies.get(names[person])
            vote, words = (entry.vote, entry.rationale) if entry else (None, "")
            assert (vote, words) == (self.model.vote(person, trace), self.model.rationale(person, trace))

    def compare_thread(self, trace: str, card: Message) -> None:
        """No sentence of the bot in a thread contradicts the memory."""
        told = self.harness.thread(card)
        assert len(told) <= 1
        text = "".join(told)
        label = self.harness.labels().get(trace)
        noted = [] if label is None or not text else [f"Noted: *{'pass' if label else 'fail'}*."]
        assert [line for line in text.splitlines() if line.startswith("Noted: ")] == noted
        votes = {self.model.vote(person, trace) for person in self.people} - {None}
        assert ("Split: " in text) is (len(votes) > 1)
        memory = self.harness.bot.memories["politeness"]
        for words in WORDS:
            held = {rule.text for rule in memory.guidelines}
            here = {rule.text for rule in memory.guidelines if trace in rule.source_trace_ids}
            assert (f"Learned: “{words}”" in text or f"Now: “{words}”" in text) is (words in here)
            assert f"~“{words}”~ taken back" not in text or words not in held


def acts_of(kinds: tuple[str, ...]) -> st.SearchStrategy[list[Act]]:
    numbers = st.integers(0, 5)
    return st.lists(st.tuples(st.sampled_from(kinds), numbers, numbers, numbers), min_size=1, max_size=10)


@settings(
    max_examples=int(os.environ.get("MEMALIGN_HISTORIES", "8")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(
    st.lists(st.tuples(acts_of(QUIET_ACTS + LOUD_ACTS), acts_of(QUIET_ACTS)), min_size=1, max_size=2),
)
def test_whatever_people_do_the_bot_holds_what_they_hold(
    rounds: list[tuple[list[Act], list[Act]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(History(Path(folder)).play([acts for pair in rounds for acts in pair]))
