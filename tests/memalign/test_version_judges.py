"""Judges by other memories: by none, and by earlier versions."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from memalign.errors import UnknownVersionError
from memalign.judge_memory import JudgeMemory
from memalign.models.local.case_classifier import CaseClassifier
from storage.database import Database
from tests.factories import a_judge, a_memory, a_trace, a_vote
from tests.fakes import FakeEmbedder, FakeJudgeModel

RULE, NEWER_RULE = "Curt answers are rude.", "Name the price."
LLM = "openai:/gpt-5-mini"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path) as opened:
        yield opened


async def taught(database: Database, model: FakeJudgeModel, embedder: FakeEmbedder) -> JudgeMemory:
    """A memory of two versions, a case and a rule each."""
    memory = await a_memory(
        a_judge(model=LLM),
        judge_model=model,
        embedder=embedder,
        store=database.memories,
        min_similarity=-1,
    )
    await memory.learn([a_trace("old", a_vote(False, RULE))])
    await memory.learn([a_trace("newer", a_vote(False, NEWER_RULE))])
    return memory


def shown(model: FakeJudgeModel) -> tuple[list[str], list[str]]:
    """The guidelines and the cases that the model was shown last."""
    evidence = model.requests[-1].evidence
    return [rule.text for rule in evidence.guidelines], [case.episode.trace_id for case in evidence.retrieved]


async def test_without_memory_nothing_is_shown_and_nothing_embedded(database: Database) -> None:
    model, embedder = FakeJudgeModel(), FakeEmbedder()
    memory = await taught(database, model, embedder)
    before = len(embedder.texts)
    verdict = await memory.other_judges.judge_without_memory(a_trace("new"))
    assert shown(model) == ([], [])
    assert list(model.requests[-1].episodes) == []
    assert len(embedder.texts) == before
    assert (verdict.memory.guidelines, verdict.memory.cases) == (0, 0)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, ([], [])),
        (1, ([RULE], ["old"])),
        (2, ([RULE, NEWER_RULE], ["old", "newer"])),
    ],
)
async def test_an_earlier_version_judges_by_what_it_held(
    database: Database, number: int, expected: tuple[list[str], list[str]]
) -> None:
    model = FakeJudgeModel()
    memory = await taught(database, model, FakeEmbedder())
    opened = await memory.other_judges.open(number)
    assert await opened.judge(a_trace("new")) is not None
    rules, cases = shown(model)
    assert (rules, sorted(cases)) == (expected[0], sorted(expected[1]))
    assert len(memory.guidelines) == 2, "the memory itself stays as it is"


async def test_a_version_is_closed_when_something_is_forgotten_and_opens_without_it(
    database: Database,
) -> None:
    model = FakeJudgeModel()
    memory = await taught(database, model, FakeEmbedder())
    opened = await memory.other_judges.open(1)
    await memory.forget(["old"])
    asked = len(model.requests)
    assert opened.is_closed
    assert await opened.judge(a_trace("new")) is None
    assert len(model.requests) == asked
    again = await memory.other_judges.open(1)
    assert await again.judge(a_trace("new")) is not None
    assert shown(model) == ([], [])


async def test_feedback_taken_back_leaves_an_earlier_version_open(database: Database) -> None:
    memory = await taught(database, FakeJudgeModel(), FakeEmbedder())
    opened = await memory.other_judges.open(1)
    await memory.withdraw(["old"])
    assert not opened.is_closed
    assert set(opened.state.episodes) == {"old"}


async def test_a_model_fitted_to_cases_is_fitted_to_those_of_the_version(database: Database) -> None:
    memory = await a_memory(judge_model=CaseClassifier(), store=database.memories)
    await memory.learn([a_trace("old", a_vote(False))])
    await memory.learn([a_trace(f"tr-{number}", a_vote(True)) for number in range(2)])
    opened = await memory.other_judges.open(1, CaseClassifier())
    then, now = await opened.judge(a_trace("new")), await memory.judge(a_trace("new"))
    assert then is not None
    assert (then.value, now.value) == (False, True)


async def test_there_is_no_version_that_was_not_made(database: Database) -> None:
    memory = await taught(database, FakeJudgeModel(), FakeEmbedder())
    with pytest.raises(UnknownVersionError):
        await memory.other_judges.open(3)
    with pytest.raises(UnknownVersionError):
        await (await a_memory()).other_judges.open(0)
