"""Random histories of feedback, trials, decisions and restarts: what is held back is never in a prompt."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memalign.errors import InputError
from memalign.judge_memory import JudgeMemory
from memalign.models.llm_distiller import LLMDistiller
from memalign.ports import JudgeRequest, JudgeResponse
from memalign.records import Guideline, GuidelinePolicy, Usage
from memalign.trial.call_budget import FixedBudget
from tests.factories import a_judge, a_memory, a_trace, a_vote
from tests.fakes import DOWN, FakeModel, FakeStore

RULES = ("Curt answers fail.", "Prices include tax.", "Lists belong into tables.")
PEOPLE = ("ana", "ben")
ACTS = (
    *("vote",) * 5,
    *("rule",) * 5,
    *("try",) * 5,
    *("forget", "person", "restart", "down", "approve", "edit", "retire", "restore", "undo"),
)
Act = tuple[str, int, int, int]
HISTORIES = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 5), st.integers(0, 2), st.integers(0, 12)),
    min_size=4,
    max_size=24,
)


@dataclass
class MoodyJudge:
    """Gives each verdict by what it is shown and the turn of its mood, so that rules both help and harm."""

    mood: int = 0
    down: bool = False
    shown: list[tuple[str, ...]] = field(default_factory=list)

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        self.shown.append(tuple(rule.id for rule in request.evidence.guidelines))
        self.mood += 1
        await asyncio.sleep(0)
        if self.down:
            raise DOWN
        number = len(request.evidence.guidelines) + sum(map(ord, str(request.trace_id))) + self.mood // 7
        return JudgeResponse(value=number % 2 == 0, rationale="because", usage=Usage(calls=1))


@dataclass
class History:
    """A memory with trials, and the calls that they were granted."""

    store: FakeStore = field(default_factory=FakeStore)
    model: MoodyJudge = field(default_factory=MoodyJudge)
    memory: JudgeMemory = field(init=False)

    async def open(self) -> None:
        self.memory = await a_memory(
            a_judge(model="openai:/judge"),
            judge_model=self.model,
            distiller=LLMDistiller(FakeModel()),
            store=self.store,
            policy=GuidelinePolicy(trials=True),
        )

    async def play(self, acts: Sequence[Act]) -> None:
        await self.open()
        for act, trace, rule, number in acts:
            try:
                await self.act(act, trace, rule, number)
            except InputError:
                continue
            await self.check()
        self.model.down = False
        await self.memory.trials.run(FixedBudget(10_000))
        assert not any(rule.awaits_trial for rule in self.memory.guidelines)
        await self.check()

    async def act(self, act: str, trace: int, rule: int, number: int) -> None:
        trace_id, person, known = f"tr-{trace}", PEOPLE[number % 2], self.memory.guidelines
        match act:
            case "vote":
                await self.memory.learn([a_trace(trace_id, a_vote(number % 3 == 0, None, person))])
            case "rule":
                await self.memory.learn([a_trace(trace_id, a_vote(number % 3 == 0, RULES[rule], person))])
            case "try":
                await self.tried(number)
            case "forget":
                await self.memory.distil_again(await self.memory.forget([trace_id]))
            case "person":
                await self.memory.forget_person(person, [trace_id])
            case "restart":
                await self.open()
            case "down":
                self.model.down = not self.model.down
            case _ if known:
                await self.decide(act, known[rule % len(known)], person, number)

    async def tried(self, calls: int) -> None:
        before = len(self.model.shown)
        await self.memory.trials.run(FixedBudget(calls))
        assert len(self.model.shown) - before <= calls

    async def decide(self, act: str, rule: Guideline, person: str, number: int) -> None:
        editor = self.memory.editor
        match act:
            case "approve":
                await editor.approve(rule.id, person)
            case "edit":
                await editor.edit(rule.id, f"Dates are written out, says {number}.", person)
            case "retire":
                await editor.retire(rule.id, person)
            case "restore":
                await editor.restore(rule.id, person)
            case "undo":
                await editor.undo(rule.id, person)

    async def check(self) -> None:
        """Check what the judge is shown for a new trace, and why each rule is held back."""
        was_down, self.model.down = self.model.down, False
        await self.memory.judge(a_trace("fresh"))
        self.model.down = was_down
        for rule in self.memory.guidelines:
            is_proven = rule.trial is None or not rule.trial.is_harmful
            is_decided = bool(rule.approved_by) or rule.is_worded_by_hand
            if rule.is_held_back or rule.awaits_trial:
                assert rule.id not in self.model.shown[-1]
            if rule.in_use:
                assert is_proven or is_decided
                assert rule.id in self.model.shown[-1] or rule.conflicts_with


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HISTORIES)
def test_what_is_held_back_or_still_to_be_tried_is_never_in_a_prompt(acts: list[Act]) -> None:
    asyncio.run(History().play(acts))
