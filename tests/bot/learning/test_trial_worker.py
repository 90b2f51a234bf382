"""The worker that has new guidelines tried, on fakes."""

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.call_budget import DailyCallBudget
from bot.learning.trial_worker import COMPONENT, TrialWorker
from bot.runtime.health import HealthRegistry
from memalign.judge_memory import JudgeMemory
from memalign.records import GuidelinePolicy
from memalign.trial.call_budget import CallBudget, FixedBudget
from storage.database import Database
from tests.factories import a_judge, a_memory, a_trace, a_vote
from tests.fakes import DOWN, FakeStore, FollowingJudge

RULE = "Curt answers fail."


class Watched:
    """A worker for one judge, and how often the threads were woken."""

    def __init__(self, memory: JudgeMemory, budget: CallBudget) -> None:
        self.health = HealthRegistry()
        self.woken = 0
        self.worker = TrialWorker({"politeness": memory}, budget, self.health, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    @property
    def reason(self) -> str | None:
        return self.health.reason(COMPONENT, "politeness")


async def taught(model: FollowingJudge) -> JudgeMemory:
    memory = await a_memory(
        a_judge(model="openai:/judge"),
        judge_model=model,
        store=FakeStore(),
        policy=GuidelinePolicy(trials=True),
    )
    await memory.learn([a_trace("old", a_vote(True, None))])
    await memory.learn([a_trace("new", a_vote(False, RULE))])
    return memory


async def test_what_is_due_is_tried_and_the_threads_are_brought_up_to_date() -> None:
    memory = await taught(FollowingJudge({RULE: {"old": False}}))
    watched = Watched(memory, FixedBudget(10))

    await watched.worker.try_due()

    assert memory.guidelines[0].is_held_back
    assert (watched.woken, watched.reason) == (1, None)


async def test_a_model_that_is_down_is_reported_and_left_alone_for_a_while() -> None:
    model = FollowingJudge()
    model.down = True
    memory = await taught(model)
    watched = Watched(memory, FixedBudget(1_000))

    await watched.worker.try_due()
    asked = len(model.requests)
    await watched.worker.try_due()

    assert watched.reason == f"new rules wait to be tried: {DOWN}"
    assert len(model.requests) == asked
    assert memory.guidelines[0].state == "pending"


async def test_a_new_rule_does_not_wait_for_the_pause_of_earlier_ones() -> None:
    model = FollowingJudge()
    model.down = True
    memory = await taught(model)
    watched = Watched(memory, FixedBudget(1_000))
    await watched.worker.try_due()

    model.down = False
    await memory.learn([a_trace("later", a_vote(False, "Prices include tax."))])
    await watched.worker.try_due()

    assert [rule.state for rule in memory.guidelines] == ["used", "used"]
    assert watched.reason is None


async def test_what_is_no_longer_to_be_tried_is_no_problem() -> None:
    model = FollowingJudge()
    model.down = True
    memory = await taught(model)
    watched = Watched(memory, FixedBudget(1_000))
    await watched.worker.try_due()

    await memory.editor.retire(memory.guidelines[0].id, "zoe")
    await watched.worker.try_due()

    assert watched.reason is None


async def test_a_retrial_without_calls_left_is_no_problem_and_waits() -> None:
    model = FollowingJudge({RULE: {"old": False}})
    memory = await taught(model)
    await memory.trials.run(FixedBudget(10))
    await memory.learn([a_trace("more", a_vote(False, RULE, "ben"))])
    watched = Watched(memory, FixedBudget(0))

    await watched.worker.try_due()

    assert (watched.reason, len(memory.trials.due)) == (None, 1)
    assert memory.guidelines[0].is_held_back


async def test_a_bug_on_one_judge_stops_no_other() -> None:
    broken, sound = FollowingJudge(), FollowingJudge()
    broken.errors.extend([ValueError("bug")] * 2)
    memories = {"broken": await taught(broken), "sound": await taught(sound)}
    health = HealthRegistry()
    worker = TrialWorker(memories, FixedBudget(100), health, lambda: None)

    await worker.try_due()

    assert [memory.guidelines[0].state for memory in memories.values()] == ["pending", "used"]
    assert "unexpected error" in str(health.reason(COMPONENT, "broken"))


async def test_it_runs_until_it_is_cancelled_and_finds_what_an_earlier_run_left() -> None:
    memory = await taught(FollowingJudge())
    woken = asyncio.Event()
    worker = TrialWorker({"politeness": memory}, FixedBudget(10), HealthRegistry(), woken.set)
    running = asyncio.create_task(worker.run())

    await asyncio.wait_for(woken.wait(), 60)
    running.cancel()

    assert memory.guidelines[0].state == "used"


async def test_the_budget_is_of_a_day_in_the_digests_time_zone(database: Database) -> None:
    now = [datetime(2026, 11, 20, 22, 30, tzinfo=UTC)]

    def time_ms() -> int:
        return int(now[0].timestamp() * 1000)

    budget = DailyCallBudget(
        database.model_calls, "trials", total=100, zone=ZoneInfo("Europe/Berlin"), limit=10, time_ms=time_ms
    )
    assert [await budget.take(8), await budget.take(8)] == [8, 2]
    assert (await database.model_calls.counts("2026-11-20"))["trials"] == 10

    now[0] = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert await budget.take(8) == 8
