"""Going back to an earlier version: what it brings back, and what does not bring it forward again."""

import asyncio
from collections.abc import Mapping

import pytest

from memalign.errors import InputError, UnknownVersionError
from memalign.judge_memory import JudgeMemory
from memalign.memory.erasure import episode_without
from memalign.models.llm_distiller import LLMDistiller
from memalign.ports import Completion, Prompt
from memalign.records import Json, PersonLabel, PersonTarget, Trace, TraceTarget
from tests.factories import a_memory, a_trace, a_vote, an_episode
from tests.fakes import FakeModel, FakeStore

GREET = "Greet people first."
PRICE = "Name the price with tax."


def said(trace_id: str, reason: str = GREET, *more: str, value: bool = False) -> Trace:
    people = ("ana", "ben", "cem")
    votes = (a_vote(value, each, person, ms=1) for person, each in zip(people, (reason, *more), strict=False))
    return a_trace(trace_id, *votes)


async def learned(store: FakeStore, *traces: Trace) -> JudgeMemory:
    memory = await a_memory(store=store)
    for trace in traces:
        await memory.learn([trace])
    return memory


def texts(memory: JudgeMemory) -> list[str]:
    return [rule.text for rule in memory.guidelines]


async def test_a_version_comes_back_and_the_way_back_is_a_version_itself() -> None:
    store = FakeStore()
    memory = await learned(store, said("tr-1"))
    first = memory.state.number
    await memory.learn([said("tr-2", PRICE)])
    second = memory.state.number

    gone = await memory.versions.roll_back(first, "zoe")

    assert (texts(memory), list(memory.episodes)) == ([GREET], ["tr-1"])
    assert [rule.text for rule in gone.went] == [PRICE]
    assert [case.trace_id for case in gone.cases_went] == ["tr-2"]
    assert memory.state.number > second
    await memory.versions.roll_back(second, "zoe")
    assert (texts(memory), list(memory.episodes)) == ([GREET, PRICE], ["tr-1", "tr-2"])


async def test_a_preview_changes_nothing() -> None:
    memory = await learned(FakeStore(), said("tr-1"))
    before = memory.state
    assert [rule.text for rule in (await memory.versions.preview(0)).went] == [GREET]
    assert memory.state is before


async def test_it_refuses_what_there_is_not_and_what_changes_nothing() -> None:
    memory = await learned(FakeStore(), said("tr-1"))
    with pytest.raises(UnknownVersionError):
        await memory.versions.roll_back(memory.state.number + 1, "zoe")
    with pytest.raises(InputError, match="nothing was changed"):
        await memory.versions.roll_back(memory.state.number, "zoe")
    with pytest.raises(UnknownVersionError, match="without a store"):
        await (await a_memory()).versions.preview(0)


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_the_same_feedback_again_teaches_nothing_after_a_roll_back(is_restarted: bool) -> None:
    store = FakeStore()
    memory = await learned(store, said("tr-1"))
    await memory.versions.roll_back(0, "zoe")
    if is_restarted:
        memory = await a_memory(store=store)

    lesson = await memory.learn([said("tr-1")])
    await memory.remember([said("tr-1")])

    assert lesson.unchanged == ("tr-1",)
    assert (texts(memory), list(memory.episodes)) == ([], [])


@pytest.mark.parametrize(
    "changed",
    [
        said("tr-1", PRICE),
        said("tr-1", GREET, value=True),
        said("tr-1", GREET, PRICE),
        a_trace("tr-1", a_vote(False, GREET, "dora", ms=1)),
    ],
)
async def test_changed_feedback_teaches_again(changed: Trace) -> None:
    memory = await learned(FakeStore(), said("tr-1"))
    await memory.versions.roll_back(0, "zoe")
    await memory.learn([changed])
    assert list(memory.episodes) == ["tr-1"]
    assert texts(memory) != []
    assert memory.state.rolled_back == {}


async def test_feedback_taken_back_and_given_again_teaches_again() -> None:
    memory = await learned(FakeStore(), said("tr-1"))
    await memory.versions.roll_back(0, "zoe")
    await memory.learn([a_trace("tr-1")])
    await memory.learn([said("tr-1")])
    assert texts(memory) == [GREET]


async def test_feedback_withdrawn_before_a_roll_back_stays_as_it_was_then() -> None:
    memory = await learned(FakeStore(), said("tr-1"))
    first = memory.state.number
    await memory.withdraw(["tr-1"])
    await memory.versions.roll_back(first, "zoe")
    # nobody says anything on it, as before
    await memory.withdraw(["tr-1"])
    await memory.learn([a_trace("tr-1")])
    assert texts(memory) == [GREET]
    await memory.learn([said("tr-1", PRICE)])
    assert texts(memory) == [PRICE]


class GatedModel(FakeModel):
    """Waits in the middle of a round."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        self.reached.set()
        await self.opened.wait()
        return await super().complete(prompt, schema)


async def test_a_round_under_way_does_not_undo_a_roll_back() -> None:
    model = GatedModel()
    memory = await a_memory(store=FakeStore(), distiller=LLMDistiller(model))
    learning = asyncio.create_task(memory.learn([said("tr-1")]))
    await model.reached.wait()
    assert list(memory.episodes) == ["tr-1"]
    await memory.versions.roll_back(0, "zoe")
    model.opened.set()
    await learning
    assert (texts(memory), list(memory.episodes), memory.pending) == ([], [], {})


async def test_a_case_that_waited_for_the_model_is_not_distilled_once_it_was_rolled_back() -> None:
    model = FakeModel()
    memory = await a_memory(store=FakeStore(), distiller=LLMDistiller(model))
    await memory.learn([said("tr-0", PRICE)])
    first = memory.state.number
    model.down = True
    await memory.learn([said("tr-1")])
    await memory.versions.roll_back(first, "zoe")
    model.down = False
    await memory.learn([said("tr-1")])
    assert texts(memory) == [PRICE]


async def test_forgetting_a_person_keeps_what_others_said_on_a_case_that_was_rolled_back() -> None:
    memory = await learned(FakeStore(), said("tr-1", GREET, PRICE))
    first = memory.state.number
    await memory.learn([said("tr-1", GREET, "Say goodbye.")])
    await memory.versions.roll_back(first, "zoe")
    await memory.forget_person("ana", ["tr-1"])
    (opinion,) = memory.episodes["tr-1"].opinions
    assert (opinion.person, opinion.rationale) == ("ben", PRICE)
    # what Ben says now is what he said before the roll-back
    await memory.learn([a_trace("tr-1", a_vote(False, "Say goodbye.", "ben", ms=1))])
    assert memory.episodes["tr-1"].opinions == (opinion,)
    assert PRICE in texts(memory)


async def test_a_forgotten_trace_is_rolled_back_no_more() -> None:
    memory = await learned(FakeStore(), said("tr-1"))
    await memory.versions.roll_back(0, "zoe")
    await memory.forget(["tr-1"])
    assert memory.state.rolled_back == {}


def label(person: str, value: bool, ms: int) -> PersonLabel:
    return PersonLabel(person=person, value=value, rationale=f"by {person}", time_ms=ms)


def test_a_case_without_a_person_has_the_label_of_those_who_are_left() -> None:
    case = an_episode("tr-1", False, label("ana", False, 1), label("ben", False, 2))
    outvoted = an_episode("tr-1", True, label("ana", True, 5))
    split = episode_without(case, PersonTarget(person="ana"))
    assert split is not None
    assert [each.person for each in split.opinions] == ["ben"]
    assert episode_without(outvoted, PersonTarget(person="ana")) is None
    assert episode_without(case, PersonTarget(person="cem")) is case
    assert episode_without(case, TraceTarget(trace_id="tr-1")) is None
    assert episode_without(case, TraceTarget(trace_id="tr-2")) is case
