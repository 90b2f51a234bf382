"""Random histories of feedback, decisions, forgetting and roll-backs: any version can be read and gone back to."""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from memalign.errors import InputError
from memalign.judge_memory import JudgeMemory
from memalign.memory.episodic import EpisodicMemory
from memalign.memory.erasure import episode_without, guideline_without, words_of
from memalign.memory.semantic import SemanticMemory
from memalign.memory.state import MemoryState
from memalign.memory.version_diff import without_bookkeeping
from memalign.models.llm_distiller import LLMDistiller
from memalign.ports import MemorySnapshot
from memalign.records import ForgetTarget, Guideline, PersonTarget, TraceTarget
from storage.database import Database
from storage.engines.sqlite_file import FILE
from tests.factories import a_memory, a_trace, a_vote
from tests.memalign.test_guideline_histories import TOPICS, RepeatingModel
from tests.storage.records import places_of

JUDGE = "politeness"
PEOPLE = ("uana", "uben", "ucem")
TRACES = tuple(f"trace-{number}-x" for number in range(8))
Act = tuple[str, int, int, int, bool]
"""The act, and what it acts on: a trace, a rule or a version; a person; a wording; and a label."""
ACTS = (
    *("learn",) * 6,
    *("take back", "withdraw", "forget trace", "forget trace", "forget person", "restart", "settle"),
    *("add", "edit", "retire", "restore", "pin", "undo"),
    *("roll back",) * 5,
)
HISTORIES = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 40), st.integers(0, 2), st.integers(0, 8), st.booleans()),
    min_size=4,
    max_size=22,
)


def mark(trace_id: str, person: str) -> str:
    """A word that only this person's reason on this trace has."""
    return f"zw{person}{trace_id[6:7]}"


@dataclass
class History:
    """A memory in a store, what people say now, and what each version is to show."""

    folder: Path
    votes: dict[str, dict[str, tuple[bool, str, int]]] = field(default_factory=dict)
    versions: dict[int, MemorySnapshot] = field(default_factory=lambda: {0: MemorySnapshot()})
    numbers: list[int] = field(default_factory=lambda: [0])
    gone: set[str] = field(default_factory=set)
    """Words and ids that nothing may show any more."""
    owed: set[str] = field(default_factory=set)
    """Traces to be learned anew, since a person who had a say there was forgotten."""
    db: Database = field(init=False)
    memory: JudgeMemory = field(init=False)

    async def play(self, acts: list[Act]) -> None:
        self.db = await Database.open(self.folder)
        await self.open()
        for act, subject, person, wording, label in acts:
            try:
                await self.act(act, subject, PEOPLE[person], wording, label)
            except InputError:
                continue
            await self.check(act)
        await self.check_every_version()
        await self.db.close()
        # the audit keeps who decided what
        words = [word.encode() for word in self.gone - set(PEOPLE)]
        assert list(places_of(words, self.folder)) == []
        rows = [
            row for row in rows_of_versions(self.folder) if any(word.encode() in row for word in self.gone)
        ]
        assert rows == []

    async def open(self) -> None:
        self.memory = await a_memory(store=self.db.memories, distiller=LLMDistiller(RepeatingModel()))

    async def act(self, act: str, subject: int, person: str, wording: int, label: bool) -> None:
        trace_id = TRACES[subject % len(TRACES)]
        match act:
            case "learn" if trace_id not in self.gone:
                reason = f"{list(TOPICS)[wording // 3]} {wording % 3} {mark(trace_id, person)}"
                self.votes.setdefault(trace_id, {})[person] = (label, reason, now_ms())
                self.gone.discard(mark(trace_id, person))
                self.gone.discard(person)
                await self.learn([trace_id])
            case "take back":
                self.votes.get(trace_id, {}).pop(person, None)
                await self.learn([trace_id])
            case "withdraw":
                self.votes.pop(trace_id, None)
                await self.memory.withdraw([trace_id])
            case "forget trace":
                await self.forget_trace(trace_id, crash=label)
            case "forget person":
                await self.forget_person(person)
            case "restart":
                await self.open()
            case "settle":
                await self.settle()
            case "roll back":
                await self.roll_back(subject % (await self.head() + 1), person)
            case "add" | "edit" | "retire" | "restore" | "pin" | "undo":
                await self.decide(act, subject, person, wording)

    async def learn(self, trace_ids: Collection[str]) -> None:
        self.owed -= set(trace_ids)
        await self.memory.learn(
            a_trace(
                name,
                *(
                    a_vote(value, reason, person, ms=ms)
                    for person, (value, reason, ms) in self.votes.get(name, {}).items()
                ),
            )
            for name in sorted(trace_ids)
        )

    async def settle(self) -> None:
        """Learn what is to be learned anew, then once more what everybody has said before: nothing new follows."""
        await self.learn(self.owed)
        await self.learn([])
        episodes, rules = dict(self.memory.episodes), self.memory.guidelines
        await self.learn(self.votes.keys())
        assert dict(self.memory.episodes) == episodes
        if not any(rule.waiting for rule in rules):
            assert self.memory.guidelines == rules

    async def forget_trace(self, trace_id: str, *, crash: bool) -> None:
        self.votes.pop(trace_id, None)
        self.owed.discard(trace_id)
        self.gone |= {trace_id, *(mark(trace_id, person) for person in PEOPLE)}
        self.erase(TraceTarget(trace_id=trace_id))
        forgotten = await self.memory.forget([trace_id])
        if crash:
            await self.open()
            await self.memory.forget([trace_id])
        await self.db.forgetting.delete_traces([trace_id])
        if not crash:
            await self.memory.distil_again(forgotten)

    async def forget_person(self, person: str) -> None:
        traces = {name for name, votes in self.votes.items() if votes.pop(person, None)}
        traces |= set(self.memory.what_rests_on(PersonTarget(person=person)).trace_ids)
        self.owed |= traces
        self.gone |= {person, *(mark(trace_id, person) for trace_id in TRACES)}
        self.erase(PersonTarget(person=person))
        await self.db.forgetting.delete_person(person, now_ms())
        await self.memory.forget_person(person, traces)
        await self.db.forgetting.finish_person(person)
        time.sleep(0.002)  # noqa: ASYNC251 - what is said from now on is said later

    async def decide(self, act: str, subject: int, person: str, wording: int) -> None:
        editor, rules = self.memory.editor, self.memory.guidelines
        words = f"Rule number {wording} is a good one, says {person}."
        if act == "add":
            self.gone.discard(person)
            await editor.add(words, person)
        elif rules:
            rule = rules[subject % len(rules)]
            self.gone.discard(person)
            match act:
                case "edit":
                    await editor.edit(rule.id, words, person)
                case "retire":
                    await editor.retire(rule.id, person)
                case "restore":
                    await editor.restore(rule.id, person)
                case "pin":
                    await editor.pin(rule.id, person)
                case _:
                    await editor.undo(rule.id, person)

    async def roll_back(self, number: int, person: str) -> None:
        await self.memory.versions.roll_back(number, person)
        self.gone.discard(person)
        target = await self.db.memories.load_version(JUDGE, number)
        assert list(self.memory.episodes.items()) == list(target.episodes.items())
        assert self.memory.guidelines == derived(target)
        state = self.memory.state
        await self.open()
        assert list(self.memory.episodes.items()) == list(state.episodes.items())
        assert self.memory.guidelines == state.semantic.guidelines
        assert self.memory.state.rolled_back == state.rolled_back

    async def head(self) -> int:
        return (await self.db.memories.load(JUDGE)).number

    def erase(self, target: ForgetTarget) -> None:
        """Take what is forgotten out of what each version is to show."""
        words = {
            word
            for snapshot in self.versions.values()
            for episode in snapshot.episodes.values()
            for word in words_of(episode, target)
        }
        for number, snapshot in self.versions.items():
            parts = [
                (part.id != rule.id, part)
                for rule in snapshot.guidelines
                for part in guideline_without(rule, target, words)
            ]
            own: dict[str, Guideline] = {}
            for _, part in sorted(parts, key=lambda each: each[0]):
                own.setdefault(part.id, part)
            self.versions[number] = MemorySnapshot(
                episodes={
                    name: left
                    for name, episode in snapshot.episodes.items()
                    if (left := episode_without(episode, target)) is not None
                },
                guidelines=tuple(own.values()),
            )

    async def check(self, act: str) -> None:
        snapshot = await self.db.memories.load(JUDGE)
        assert snapshot.number >= self.numbers[-1], act
        if snapshot.number not in self.versions:
            self.versions[snapshot.number] = snapshot
        self.numbers.append(snapshot.number)
        head = await self.db.memories.load_version(JUDGE, snapshot.number)
        assert list(head.episodes.items()) == list(snapshot.episodes.items())
        assert by_id(head) == by_id(snapshot)

    async def check_every_version(self) -> None:
        for number in range(await self.head() + 1):
            snapshot = await self.db.memories.load_version(JUDGE, number)
            if number in self.versions:
                assert list(snapshot.episodes.items()) == list(self.versions[number].episodes.items())
                assert by_id(snapshot) == by_id(self.versions[number])
            assert [word for word in self.gone if word in repr(snapshot)] == []
        log = await self.db.memory_history.log(JUDGE)
        assert [entry.version.number for entry in log] == list(range(await self.head(), 0, -1))
        assert [word for word in self.gone if word in repr(log)] == []


def rows_of_versions(folder: Path) -> list[bytes]:
    """All rows of the tables of versions and of their indexes."""
    with closing(sqlite3.connect(folder / FILE)) as connection:
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if name.startswith(("memory_", "rolled_back", "episodes", "guidelines"))
        ]
        return [repr(row).encode() for name in names for row in connection.execute(f'SELECT * FROM "{name}"')]  # noqa: S608


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def by_id(snapshot: MemorySnapshot) -> dict[str, Guideline]:
    return {rule.id: without_bookkeeping(rule) for rule in snapshot.guidelines}


def derived(snapshot: MemorySnapshot) -> tuple[Guideline, ...]:
    empty = MemoryState.empty(JUDGE, binary=True)
    semantic = SemanticMemory().with_guidelines(snapshot.guidelines)
    return empty.next(EpisodicMemory(snapshot.episodes), semantic, ()).semantic.guidelines


@pytest.fixture(scope="module")
def folders() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(HISTORIES)
def test_any_version_comes_back_as_it_was_but_for_what_is_forgotten(folders: Path, acts: list[Act]) -> None:
    folder = Path(tempfile.mkdtemp(dir=folders))
    asyncio.run(History(folder=folder).play(acts))
