"""Events in any order, through lost answers: whoever applies what is told ends up with what the store has."""

import random
from collections.abc import Awaitable, Callable

import pytest

from bot.config import RedactionSettings
from bot.feedback import all_feedback
from bot.outbound.payloads import EventPayloads
from bot.redaction.redactor import Redactor
from memalign.judge_memory import JudgeMemory
from memalign.memory.semantic import DEFAULT_POLICY
from memalign.ports import MemoryChange
from memalign.records import Json
from storage.database import Database
from storage.records import EventSubscription, OutboundEventType
from tests.factories import a_memory
from tests.storage.records import DAY, FOREVER_MS, NOON_MS, at, button_event, reply_event, trace, verdict
from tests.storage.test_memories import guideline

HOOK, JUDGE = "hook", "polite"
TYPES: tuple[OutboundEventType, ...] = (
    *("verdict.created", "verdict.changed", "vote.changed", "lesson.learned", "lesson.changed"),
    *("lesson.retired", "trace.forgotten", "person.forgotten"),
)
PEOPLE = ("U1", "U2")
TEXTS = ("Be brief.", "Be kind.", "Greet people.")
STEPS = 150


class Mirror:
    """A receiver that keeps what it is told, each event once."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.verdicts: dict[str, Json] = {}
        self.votes: dict[tuple[str, str], Json] = {}
        self.lessons: dict[str, Json] = {}

    def take(self, event_id: str, payload: dict[str, Json]) -> None:
        """Apply one event."""
        if event_id in self.seen:
            return
        self.seen.add(event_id)
        kind, data = payload["type"].partition(".")[0], payload["data"]
        match payload["type"]:
            case "trace.forgotten":
                gone = {vid for vid, each in self.verdicts.items() if each["trace_id"] == data["trace_id"]}
                self.verdicts = {vid: each for vid, each in self.verdicts.items() if vid not in gone}
                self.votes = {place: each for place, each in self.votes.items() if place[0] not in gone}
            case "person.forgotten":
                votes = self.votes.items()
                self.votes = {place: each for place, each in votes if place[1] != data["annotator"]}
            case _ if kind == "verdict":
                self.verdicts[data["verdict_id"]] = {
                    name: data[name] for name in ("trace_id", "value", "rationale")
                }
            case "vote.changed":
                place = (data["verdict_id"], data["annotator"])
                self.votes[place] = (data["vote"], data["label"], data["rationale"])
                if data["vote"] is None and data["rationale"] is None:
                    del self.votes[place]
            case _:
                self.lessons[data["id"]] = data["text"]
                if data["text"] is None:
                    del self.lessons[data["id"]]


class Walk:
    """Random changes of a store, and a receiver that is told of them now and then."""

    def __init__(self, db: Database, memory: JudgeMemory, chance: random.Random) -> None:
        self._db = db
        self._memory = memory
        self._chance = chance
        self._payloads = EventPayloads(
            db, {JUDGE: memory}, {JUDGE: DEFAULT_POLICY}, Redactor(RedactionSettings())
        )
        self._clock = 0
        self._traces = 0
        self._version = 0
        self.mirror = Mirror()

    async def step(self) -> None:
        """Let something happen."""
        steps: list[Callable[[], Awaitable[object]]] = [
            *(self._judge, self._vote, self._vote, self._confirm, self._redact, self._reveal),
            *(self._forget_trace, self._forget_person, self._learn, self._toggle, self.tell, self.tell),
        ]
        await self._chance.choice(steps)()

    async def tell(self) -> None:
        """Tell some of what waits; an answer may be lost, and things may change while a request is on its way."""
        events = await self._db.outbound_events.due(HOOK, FOREVER_MS, self._chance.randrange(1, 6))
        for event in events:
            payload = await self._payloads.of(event.change)
            if self._chance.random() < 0.2:
                await self._chance.choice([self._vote, self._confirm, self._learn, self._redact])()
            if payload is not None:
                self.mirror.take(event.event_id, payload)
            if self._chance.random() < 0.2:
                return
            await (
                self._db.outbound_events.delivered(event) if payload else self._db.outbound_events.drop(event)
            )

    async def settle(self) -> None:
        """Go on until nothing waits to be confirmed or told."""
        while await self._confirm_all() or await self._db.outbound_events.due(HOOK, FOREVER_MS, 1):
            await self.tell()

    async def _confirm_all(self) -> bool:
        """Confirm all whose membership is not known, or was denied; False where there is nobody."""
        members = {
            stored.verdict_id: dict.fromkeys(await self._db.feedback.unconfirmed(stored.verdict_id), True)
            for stored in await self._db.verdicts.page()
        }
        for verdict_id, people in members.items():
            await self._db.feedback.note_members(verdict_id, people)
        return any(members.values())

    def _at(self) -> str:
        self._clock += 1
        return at(self._clock)

    async def _judge(self) -> None:
        trace_id = f"tr-{self._traces}"
        self._traces += 1
        await self._db.traces.add([(trace(trace_id), [JUDGE])], NOON_MS, 100)
        is_blind = self._chance.random() < 0.5
        await self._db.verdicts.keep(
            verdict(trace_id), channel="C1", judged_ms=NOON_MS, day=DAY, is_blind=is_blind
        )
        [stored] = await self._db.verdicts.of_trace(trace_id)
        post_id = f"card:{stored.verdict_id}"
        assert await self._db.outbox.start(post_id)
        assert await self._db.outbox.done(post_id, f"{self._traces}.1")

    async def _some_verdict(self) -> tuple[str, str, str] | None:
        page = await self._db.verdicts.page()
        if not page:
            return None
        stored = self._chance.choice(page)
        return stored.verdict_id, stored.verdict.trace_id, stored.message_ts or ""

    async def _vote(self) -> None:
        if some := await self._some_verdict():
            person, moment = self._chance.choice(PEOPLE), self._at()
            vote = self._chance.choice(["up", "down", None])
            event = button_event(person, vote, moment)
            if self._chance.random() < 0.3:
                event = reply_event(person, moment, self._chance.choice(TEXTS), moment)
            await self._db.feedback.note("C1", some[2], event)

    async def _confirm(self) -> None:
        if some := await self._some_verdict():
            members = {
                each: self._chance.random() < 0.9 for each in await self._db.feedback.unconfirmed(some[0])
            }
            await self._db.feedback.note_members(some[0], members)

    async def _redact(self) -> None:
        if some := await self._some_verdict():
            await self._db.verdicts.redact(some[0], self._chance.choice(TEXTS))

    async def _reveal(self) -> None:
        if some := await self._some_verdict():
            await self._db.feedback.reveal(some[0], self._at(), 0)

    async def _toggle(self) -> None:
        person = self._chance.choice(PEOPLE)
        if not await self._db.feedback.exclude(person, NOON_MS):
            await self._db.feedback.include(person, NOON_MS)

    async def _forget_trace(self) -> None:
        if (some := await self._some_verdict()) and self._chance.random() < 0.1:
            await self._db.forgetting.delete_traces([some[1]])

    async def _forget_person(self) -> None:
        if self._chance.random() < 0.1:
            self._clock += 1
            now_ms = NOON_MS + self._clock * 1000
            await self._db.forgetting.delete_person(self._chance.choice(PEOPLE), now_ms)

    async def _learn(self) -> None:
        rule_id = self._chance.choice(["g1", "g2"])
        if self._chance.random() < 0.3:
            change = MemoryChange(drop_guidelines=frozenset({rule_id}), from_version=self._version)
        else:
            rule = guideline(rule_id, self._chance.choice(TEXTS))
            change = MemoryChange(put_guidelines=(rule,), from_version=self._version)
        await self._db.memories.save(JUDGE, change)
        self._version += 1

    async def expected(self) -> tuple[object, object, object]:
        """Return verdicts, votes and guidelines as the store has them."""
        shown = [each for each in await self._db.verdicts.page() if not each.is_hidden]
        votes = {}
        for stored in shown:
            people = await self._db.feedback.of(stored.verdict_id)
            for each in all_feedback(stored, people, self._memory.definition.value_type):
                if each.vote or each.rationale:
                    opinion = (each.vote, each.value, each.rationale or None)
                    votes[stored.verdict_id, each.person] = opinion
        verdicts = {
            each.verdict_id: {
                "trace_id": each.verdict.trace_id,
                "value": each.verdict.value,
                "rationale": each.verdict.rationale,
            }
            for each in shown
        }
        rules = (await self._db.memories.load(JUDGE)).guidelines
        return verdicts, votes, {rule.id: rule.text for rule in rules}


@pytest.mark.parametrize("seed", range(6))
async def test_what_is_told_leads_to_what_the_store_has(db: Database, seed: int) -> None:
    await db.outbound_events.subscribe([EventSubscription(receiver=HOOK, types=TYPES)])
    walk = Walk(db, await a_memory(), random.Random(seed))
    for _ in range(STEPS):
        await walk.step()
    await walk.settle()
    told = walk.mirror
    assert (told.verdicts, told.votes, told.lessons) == await walk.expected()
