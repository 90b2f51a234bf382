"""No judge model is sent what was forgotten, not even in a prompt that was written before."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from memalign.errors import ForgottenMeanwhileError, InputError, MemAlignError
from memalign.interruptible_model import InterruptibleJudgeModel
from memalign.judge_memory import JudgeMemory
from memalign.ports import JudgeRequest, JudgeResponse
from memalign.records import Verdict
from storage.database import Database
from tests.factories import a_judge, a_memory, a_trace, a_vote
from tests.fakes import FakeJudgeModel

LLM = "openai:/gpt-5-mini"
Ask = Callable[[JudgeMemory], Awaitable[Verdict | None]]


class BusyJudgeModel(FakeJudgeModel):
    """Sends its prompts when there is a free place, as calls of a service do."""

    def __init__(self) -> None:
        super().__init__(False)
        self.place = asyncio.Event()
        self.place.set()
        self.asked = asyncio.Event()
        self.calls = 0

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        self.calls += 1
        self.asked.set()
        await self.place.wait()
        return await super().decide(request)

    def sent_cases(self) -> set[str]:
        """The cases in the prompts that were sent last."""
        return {case.episode.trace_id for each in self.requests for case in each.evidence.retrieved}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path) as opened:
        yield opened


async def taught(database: Database, model: FakeJudgeModel) -> JudgeMemory:
    memory = await a_memory(a_judge(model=LLM), judge_model=model, store=database.memories, min_similarity=-1)
    await memory.learn([a_trace("old", a_vote(False, "Curt answers are rude."))])
    await memory.learn([a_trace("newer", a_vote(False, "Name the price."))])
    return memory


async def judge(memory: JudgeMemory) -> Verdict | None:
    return await memory.judge(a_trace("new"))


async def judge_candidate(memory: JudgeMemory) -> Verdict | None:
    return await memory.judge_candidate(a_trace("new"))


async def judge_by_last_week(memory: JudgeMemory) -> Verdict | None:
    opened = await memory.other_judges.open(2)
    return await opened.judge(a_trace("new"))


@pytest.mark.parametrize("ask", [judge, judge_candidate, judge_by_last_week])
async def test_a_case_forgotten_while_a_prompt_waits_is_not_sent(database: Database, ask: Ask) -> None:
    model = BusyJudgeModel()
    memory = await taught(database, model)
    await ask(memory)
    assert "old" in model.sent_cases()
    model.requests.clear()
    model.place.clear()
    model.asked.clear()
    asked = asyncio.ensure_future(ask(memory))
    await model.asked.wait()
    await memory.forget(["old"])
    model.place.set()
    verdict = await asked
    assert "old" not in model.sent_cases()
    # what last week's memory would say is left out
    assert (verdict is None) == (ask is judge_by_last_week)


@pytest.mark.parametrize("ask", [judge, judge_candidate])
async def test_a_persons_words_are_not_sent_after_they_were_forgotten(database: Database, ask: Ask) -> None:
    model = BusyJudgeModel()
    memory = await taught(database, model)
    model.place.clear()
    asked = asyncio.ensure_future(ask(memory))
    await model.asked.wait()
    person = next(iter(memory.episodes["old"].opinions)).person
    await memory.forget_person(person, ["old", "newer"])
    model.place.set()
    assert await asked is not None
    assert model.sent_cases() == set()


@pytest.mark.parametrize("ask", [judge, judge_candidate])
async def test_a_trace_forgotten_while_its_prompt_waits_is_not_judged(database: Database, ask: Ask) -> None:
    model = BusyJudgeModel()
    memory = await taught(database, model)
    model.place.clear()
    asked = asyncio.ensure_future(ask(memory))
    await model.asked.wait()
    await memory.forget(["new"])
    model.place.set()
    with pytest.raises(InputError, match="forgotten while it was judged"):
        await asked
    assert model.requests == []


async def test_without_memory_the_prompt_of_a_forgotten_trace_is_not_sent_either(database: Database) -> None:
    model = BusyJudgeModel()
    memory = await taught(database, model)
    model.place.clear()
    asked = asyncio.ensure_future(memory.other_judges.judge_without_memory(a_trace("new")))
    await model.asked.wait()
    await memory.forget(["new"])
    model.place.set()
    with pytest.raises(MemAlignError):
        await asked
    assert model.requests == []


async def test_feedback_taken_back_ends_no_call(database: Database) -> None:
    model = BusyJudgeModel()
    memory = await taught(database, model)
    model.place.clear()
    asked = asyncio.ensure_future(memory.judge(a_trace("new")))
    await model.asked.wait()
    await memory.withdraw(["old"])
    model.place.set()
    await asked
    assert model.calls == 1


async def test_a_caller_that_gives_up_ends_its_call(database: Database) -> None:
    model = BusyJudgeModel()
    memory = await taught(database, model)
    model.place.clear()
    asked = asyncio.ensure_future(memory.judge(a_trace("new")))
    await model.asked.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    model.place.set()
    await asyncio.sleep(0)
    assert model.requests == []


async def test_an_interruption_ends_only_the_calls_under_way() -> None:
    model = BusyJudgeModel()
    interruptible = InterruptibleJudgeModel(model)
    memory = await a_memory(judge_model=interruptible)
    model.place.clear()
    asked = asyncio.ensure_future(memory.other_judges.judge_without_memory(a_trace("new")))
    await model.asked.wait()
    interruptible.interrupt(["new"])
    with pytest.raises(ForgottenMeanwhileError):
        await asked
    model.place.set()
    assert await memory.judge(a_trace("new")) is not None
