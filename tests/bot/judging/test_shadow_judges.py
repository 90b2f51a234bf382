"""Values of the judge without memory, and of last week's, beside the verdict that people are shown."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.judging.shadow_judges import ShadowJudges
from bot.runtime.clock import now_ms
from memalign.judge_memory import JudgeMemory
from memalign.ports import JudgeRequest, JudgeResponse
from memalign.records import Trace
from memalign.trial.call_budget import FixedBudget
from storage.database import Database
from storage.records import ShadowVerdict
from tests.bot.bot_in_workspace import settings_for
from tests.bot.judging.shadows import shadow_judges
from tests.bot.judging.test_worker import Judging
from tests.factories import a_judge, a_memory, a_trace, a_vote
from tests.fakes import DOWN, FakeEmbedder, FakeJudgeModel

JUDGE = "politeness"
WEEK_MS = 7 * 24 * 60 * 60 * 1000
RULE, NEWER_RULE = "Curt answers are rude.", "Name the price."


class CountingJudge(FakeJudgeModel):
    """Names the number of guidelines and cases that it is shown: its value is a number."""

    hangs_without_memory = False
    pause: asyncio.Event | None = None
    """Set once the model may answer."""
    reached = asyncio.Event()
    """Set once the model is shown a memory."""

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        self.requests.append(request)
        size = len(request.evidence.guidelines) + len(request.evidence.retrieved)
        if self.error is not None and not size:
            raise self.error
        if self.hangs_without_memory and not size:
            await asyncio.Event().wait()
        if size:
            self.reached.set()
        if self.pause is not None:
            await self.pause.wait()
        return JudgeResponse(value=size, rationale="because")


class Taught:
    """A judge that learned from a trace last week, and from another one this week."""

    def __init__(self, memory: JudgeMemory, model: CountingJudge, embedder: FakeEmbedder) -> None:
        self.memory = memory
        self.model = model
        self.embedder = embedder


def next_week() -> int:
    return now_ms() + WEEK_MS


def a_case(name: str, reason: str, person: str = "ana") -> Trace:
    return a_trace(name, a_vote(1, reason, person, ms=1))


async def taught(database: Database, **of: str) -> Taught:
    model, embedder = CountingJudge(), FakeEmbedder()
    memory = await a_memory(
        a_judge(value_type=int, model=of.get("model", "openai:/gpt-5-mini")),
        judge_model=model,
        embedder=embedder,
        store=database.memories,
        min_similarity=-1,
    )
    return Taught(memory, model, embedder)


async def taught_twice(database: Database) -> tuple[Taught, ShadowJudges]:
    """The week that begins after the first lesson has its second one, too."""
    judge = await taught(database)
    await judge.memory.learn([a_case("old", RULE)])
    shadows = shadow_judges(database, {JUDGE: judge.memory}, time_ms=next_week)
    await shadows.values(JUDGE, a_trace("first"))
    await judge.memory.learn([a_case("newer", NEWER_RULE, "ben")])
    judge.model.requests.clear()
    return judge, shadows


async def stored_values(shadows: ShadowJudges, shown: int = 4) -> dict[str, object]:
    return {each.kind: each.beside(shown).value for each in await shadows.values(JUDGE, a_trace("new"))}


async def test_without_memory_and_with_last_weeks_the_same_trace_is_judged(database: Database) -> None:
    judge, shadows = await taught_twice(database)
    assert (await judge.memory.judge(a_trace("new"))).value == 4
    values = await shadows.values(JUDGE, a_trace("new"))
    assert [each.beside(4) for each in values] == [
        ShadowVerdict(kind="base", value=0, version=0),
        ShadowVerdict(kind="last_week", value=2, version=1),
    ]


async def test_an_empty_memory_needs_no_second_call(database: Database) -> None:
    judge = await taught(database)
    shadows = shadow_judges(database, {JUDGE: judge.memory})
    assert await stored_values(shadows, 7) == {"base": 7, "last_week": 7}
    assert judge.model.requests == []


async def test_a_memory_as_last_weeks_gives_the_verdicts_own_value(database: Database) -> None:
    judge = await taught(database)
    await judge.memory.learn([a_case("old", RULE)])
    shadows = shadow_judges(database, {JUDGE: judge.memory}, time_ms=next_week)
    assert await stored_values(shadows, 2) == {"base": 0, "last_week": 2}
    assert len(judge.model.requests) == 1


async def test_of_a_judge_that_knew_nothing_last_week_one_call_gives_both_values(database: Database) -> None:
    judge = await taught(database)
    await judge.memory.learn([a_case("old", RULE)])
    shadows = shadow_judges(database, {JUDGE: judge.memory})
    assert await stored_values(shadows) == {"base": 0, "last_week": 0}
    assert len(judge.model.requests) == 1


async def test_after_going_back_to_the_weeks_beginning_no_call_is_needed_for_it(database: Database) -> None:
    judge, shadows = await taught_twice(database)
    await judge.memory.versions.roll_back(1, "ana")
    assert await stored_values(shadows, 2) == {"base": 0, "last_week": 2}
    assert len(judge.model.requests) == 1


async def test_a_trace_is_embedded_once_for_all_memories(database: Database) -> None:
    judge, shadows = await taught_twice(database)
    before = len(judge.embedder.texts)
    await asyncio.gather(shadows.values(JUDGE, a_trace("new")), judge.memory.judge(a_trace("new")))
    assert len(judge.embedder.texts) == before + 2, "question and answer, each once"


def shown_to(model: CountingJudge) -> str:
    """All that the model was shown of the memory."""
    return repr([request.evidence for request in model.requests])


@pytest.mark.parametrize("target", ["trace", "person"])
async def test_what_is_forgotten_never_reaches_a_model_by_last_weeks_memory(
    database: Database, target: str
) -> None:
    judge, shadows = await taught_twice(database)
    await shadows.values(JUDGE, a_trace("new"))
    assert RULE in shown_to(judge.model), "it is open, and holds the case"
    judge.model.requests.clear()
    if target == "trace":
        await judge.memory.forget(["old"])
    else:
        await judge.memory.forget_person("ana", ["old"])
    assert await stored_values(shadows) == {"base": 0, "last_week": 0}
    assert RULE not in shown_to(judge.model)


async def test_what_is_forgotten_while_last_weeks_memory_is_asked_gives_no_value(database: Database) -> None:
    judge, shadows = await taught_twice(database)
    judge.model.pause, judge.model.reached = asyncio.Event(), asyncio.Event()
    asked = asyncio.create_task(shadows.values(JUDGE, a_trace("new")))
    await asyncio.wait_for(judge.model.reached.wait(), 60)
    await judge.memory.forget(["old"])
    judge.model.pause.set()
    assert [each.kind for each in await asked] == ["base"]


async def test_shadows_end_with_the_days_calls(database: Database) -> None:
    judge, _ = await taught_twice(database)
    budget = FixedBudget(1)
    shadows = shadow_judges(database, {JUDGE: judge.memory}, time_ms=next_week, budget=budget)
    assert len(await shadows.values(JUDGE, a_trace("new"))) == 2, "all lessons are of last week here"
    assert await stored_values(shadows, 4) == {"last_week": 4}


async def test_a_second_opinion_is_not_asked_for_twice(database: Database) -> None:
    judge, shadows = await taught_twice(database)
    base = await shadows.base_value(JUDGE, a_trace("new"))
    assert base == ShadowVerdict(kind="base", value=0)
    values = await shadows.values(JUDGE, a_trace("new"), base)
    assert [(each.kind, each.value) for each in values] == [("base", 0), ("last_week", 2)]
    assert len(judge.model.requests) == 2


async def test_a_model_fitted_to_cases_has_no_value_without_them(database: Database) -> None:
    judge = await taught(database, model="local:/cases")
    empty = shadow_judges(database, {JUDGE: judge.memory})
    assert await stored_values(empty, 7) == {}, "its own value is a placeholder, too"
    await judge.memory.learn([a_case("old", RULE)])
    assert await stored_values(empty, 7) == {}
    shadows = shadow_judges(database, {JUDGE: judge.memory}, time_ms=next_week)
    assert await shadows.base_value(JUDGE, a_trace("new")) is None
    assert await stored_values(shadows, 2) == {"last_week": 2}
    await judge.memory.learn([a_case("newer", NEWER_RULE)])
    assert await stored_values(shadows, 2) == {"last_week": True}, "by a model of its own"
    assert judge.model.requests == []


async def test_a_model_fitted_to_cases_takes_no_calls(database: Database) -> None:
    judge = await taught(database, model="local:/cases")
    await judge.memory.learn([a_case("old", RULE)])
    start = shadow_judges(database, {JUDGE: judge.memory}, time_ms=next_week, calls=0)
    await start.values(JUDGE, a_trace("first"))
    await judge.memory.learn([a_case("newer", NEWER_RULE)])
    assert await stored_values(start) == {"last_week": True}


async def test_free_texts_have_no_shadows(database: Database) -> None:
    model = FakeJudgeModel("fine")
    memory = await a_memory(a_judge(value_type=str, model="openai:/m"), judge_model=model)
    await memory.learn([a_trace("old", a_vote("bad", RULE))])
    shadows = shadow_judges(database, {JUDGE: memory})
    assert await shadows.values(JUDGE, a_trace("new")) == ()
    assert await shadows.base_value(JUDGE, a_trace("new")) is None
    assert model.requests == []


def hang(model: CountingJudge) -> None:
    model.hangs_without_memory = True


def fail(model: CountingJudge) -> None:
    model.error = DOWN


def break_down(model: CountingJudge) -> None:
    model.error = KeyError("a bug")


@pytest.mark.parametrize("trouble", [hang, fail, break_down])
async def test_a_shadow_that_hangs_or_fails_costs_nobody_the_card(
    database: Database, tmp_path: Path, trouble: Callable[[CountingJudge], None]
) -> None:
    judge, _ = await taught_twice(database)
    trouble(judge.model)
    shadows = shadow_judges(database, {JUDGE: judge.memory}, seconds=0.2)
    judging = Judging(database, settings_for(tmp_path, "C1"), {JUDGE: judge.memory}, shadows=shadows)
    await judging.add("tr-1")
    await judging.run()
    assert await judging.cards() == [("C1", JUDGE, "tr-1")]
    (stored,) = await database.verdicts.recent(JUDGE, 10)
    assert (stored.verdict.value, stored.shadows) == (4, ())
    assert judging.health.problems() == ()


async def test_a_verdict_is_stored_together_with_its_shadows(database: Database, tmp_path: Path) -> None:
    judge, shadows = await taught_twice(database)
    judging = Judging(database, settings_for(tmp_path, "C1"), {JUDGE: judge.memory}, shadows=shadows)
    await judging.add("tr-1")
    await judging.run()
    (stored,) = await database.verdicts.recent(JUDGE, 10)
    assert [(each.kind, each.value) for each in stored.shadows] == [("base", 0), ("last_week", 2)]
    assert not stored.resembles_case


async def test_a_near_copy_of_a_learned_case_is_noted(database: Database, tmp_path: Path) -> None:
    judge, shadows = await taught_twice(database)
    judging = Judging(database, settings_for(tmp_path, "C1"), {JUDGE: judge.memory}, shadows=shadows)
    copy = a_trace("copy", inputs="question old", outputs="answer old")
    await database.traces.add([(copy, (JUDGE,))], now_ms(), 1000)
    await judging.run()
    (stored,) = await database.verdicts.recent(JUDGE, 10)
    assert stored.resembles_case
