"""The verdict that people answered on a card, as the reflection model is told it."""

import json

import pytest

from memalign.records import CaseVerdict, Json
from storage.database import Database
from tests.bot.learning.learning_flow import LearningFlow, learning_flow
from tests.fakes import DOWN, section

RULE = "The answer should never send people away."


@pytest.fixture
async def flow(database: Database) -> LearningFlow:
    return await learning_flow(database)


def overruled(flow: LearningFlow) -> list[Json]:
    """Of the records in the last prompt, what the judge had said of each."""
    return [json.loads(line).get("overruled") for line in section(flow.model.prompts[-1].changing, "records")]


async def reason_of_verdict(flow: LearningFlow) -> str:
    [stored] = await flow.database.verdicts.of_trace("tr-1")
    return stored.verdict.rationale


async def test_a_thumb_down_tells_what_was_overruled_and_a_thumb_up_nothing(flow: LearningFlow) -> None:
    for trace_id, thumb in (("tr-1", "-1"), ("tr-2", "+1")):
        ts = await flow.card(trace_id)
        await flow.react(ts, thumb)
        await flow.reply(ts, f"{RULE} {thumb}")

    await flow.learn()

    assert overruled(flow) == [{"value": True, "reason": await reason_of_verdict(flow)}, None]
    assert {trace_id: episode.verdict for trace_id, episode in flow.memory.episodes.items()} == {
        trace_id: CaseVerdict(value=True, judged_ms=stored.judged_ms)
        for trace_id in ("tr-1", "tr-2")
        for stored in await flow.database.verdicts.of_trace(trace_id)
    }


async def test_a_lesson_tried_again_reads_the_reason_as_the_store_has_it_by_then(flow: LearningFlow) -> None:
    flow.model.answers.append(DOWN)
    ts = await flow.card()
    await flow.react(ts, "-1")
    await flow.reply(ts, RULE)
    await flow.learn()
    first = overruled(flow)
    [stored] = await flow.database.verdicts.of_trace("tr-1")

    await flow.database.verdicts.redact(stored.verdict_id, "Taken out.")
    await flow.react(ts, "heart", after=1)
    await flow.reply(ts, f"{RULE} Really.", after=2)
    flow.worker = flow.worker_of(flow.memories)
    await flow.learn()

    assert first == [{"value": True, "reason": stored.verdict.rationale}]
    assert overruled(flow) == [{"value": True, "reason": "Taken out."}]


async def test_a_thumb_taken_back_leaves_no_case_though_the_verdict_stands(flow: LearningFlow) -> None:
    ts = await flow.card()
    await flow.react(ts, "-1")
    await flow.learn()

    await flow.react(ts, "-1", live=False, after=1)
    await flow.learn()

    assert flow.labels() == {}
