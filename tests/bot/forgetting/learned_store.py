"""A store with feedback on traces, and a judge's memory that has learned from it: without Slack, without a bot."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from bot.forgetting.service import ForgetService
from memalign.errors import StorageError
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from tests.factories import a_memory, a_trace, a_vote
from tests.storage.records import at, posted, reaction_event, reply_event

JUDGE, CHANNEL = "politeness", "C1"


@dataclass(slots=True, kw_only=True)
class Calls:
    """The calls that the service made to other flows."""

    cancelled: list[str] = field(default_factory=list)
    invalidated: list[set[str]] = field(default_factory=list)
    redactions: int = 0

    async def redact_now(self) -> None:
        self.redactions += 1

    def cancel_trace(self, trace_id: str) -> None:
        self.cancelled.append(trace_id)

    def invalidate(self, trace_ids: Collection[str]) -> None:
        self.invalidated.append(set(trace_ids))


class StoreCalls:
    """The calls to a store since its start, one of which fails."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._fails_at: int | None = None

    def start(self, fails_at: int | None) -> None:
        self.names.clear()
        self._fails_at = fails_at

    def note(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self._fails_at:
            raise StorageError("The disk is full; make room.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedStore:
    """The store, memory and service of a test of forgetting."""

    database: Database
    memory: JudgeMemory
    service: ForgetService
    calls: Calls
    store_calls: StoreCalls

    async def teach(self, trace_id: str, reasons: Mapping[str, str], ts: str = "") -> str:
        """Store a trace whose verdict people found wrong, and learn from their reasons; the verdict's id."""
        card_ts = ts or f"{100 + len(self.memory.episodes)}.1"
        verdict_id = await posted(self.database, trace_id, JUDGE, CHANNEL, card_ts)
        for number, (person, reason) in enumerate(reasons.items()):
            await self.database.feedback.note(CHANNEL, card_ts, reaction_event(person, "-1", True, at()))
            await self.database.feedback.note(
                CHANNEL, card_ts, reply_event(person, f"{card_ts}{number}", reason, at())
            )
        labels = [a_vote(False, reason, person) for person, reason in reasons.items()]
        await self.memory.learn([a_trace(trace_id, *labels)])
        return verdict_id

    def rules(self) -> list[tuple[str, tuple[str, ...]]]:
        """The memory's guidelines: text, and the traces they rest on."""
        return [(rule.text, rule.source_trace_ids) for rule in self.memory.guidelines]


@asynccontextmanager
async def learned_store(folder: Path, *, fails_at: int | None = None) -> AsyncIterator[LearnedStore]:
    """Open the store, and what was learned in it. With `fails_at`, that call to it fails, by whomever."""
    async with await Database.open(folder) as database:
        store_calls = StoreCalls()
        failing = cast("Database", RecordingStore(database, store_calls))
        memory = await a_memory(store=failing.memories)
        store_calls.start(fails_at)
        calls = Calls()
        service = ForgetService(
            failing,
            {JUDGE: memory},
            redact_now=calls.redact_now,
            cancel_trace=calls.cancel_trace,
            invalidate=calls.invalidate,
        )
        yield LearnedStore(
            database=database, memory=memory, service=service, calls=calls, store_calls=store_calls
        )


class RecordingStore:
    """A database, or one of its repositories, whose calls are noted."""

    def __init__(self, store: object, calls: StoreCalls) -> None:
        self._store = store
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._store, name)
        if isinstance(attribute, str | int):
            return attribute
        if not callable(attribute):
            return RecordingStore(attribute, self._calls)
        return self._noted(name, attribute)

    def _noted(self, name: str, method: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def call(*arguments: object, **named: object) -> object:
            self._calls.note(name)
            return await method(*arguments, **named)

        return call
