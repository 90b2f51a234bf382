"""The thread of the vote that leaves a guideline in doubt tells of it, and no other thread does."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from storage.database import Database
from tests.bot.learning.learning_flow import LearningFlow, learning_flow
from tests.factories import a_trace, a_vote
from tests.storage.records import NOON_MS

RULE = "The answer should never send people away."
TOLD = f"❓ In doubt: “{RULE}” – 5 of 5 votes were against verdicts that rested on it. I don't use it until"


@pytest.fixture
async def flow(database: Database) -> LearningFlow:
    return await learning_flow(database)


async def doubted(flow: LearningFlow, numbers: Sequence[int]) -> list[str]:
    """Cards whose verdicts rest on the one rule, with a vote against each; their ts."""
    rule_id = flow.memory.guidelines[0].id
    cards = []
    for number in numbers:
        ts = await flow.card(f"tr-{number}", guideline_ids=(rule_id,))
        await flow.react(ts, "-1", "ben")
        await flow.learn()
        await flow.post_all()
        cards.append(ts)
    return cards


async def test_a_guideline_in_doubt_is_told_in_the_thread_of_the_vote_and_its_own_until_somebody_decides(
    flow: LearningFlow,
) -> None:
    own = await flow.taught(RULE)
    cards = await doubted(flow, range(2, 8))

    told = [TOLD.replace("5 of 5", "6 of 6") in await flow.thread(ts) for ts in cards]
    assert told == [False, False, False, False, True, False]
    assert "Not used for now: 6 of 6 votes were against verdicts that rested on it." in await flow.thread(own)

    await flow.memory.editor.approve(flow.memory.guidelines[0].id, "zoe")
    assert "In doubt" not in await flow.thread(cards[4])
    assert "I'll use this from now on." in await flow.thread(own)


async def test_a_guideline_in_doubt_is_told_where_the_vote_is_learned_again_after_a_crash(
    flow: LearningFlow,
) -> None:
    await flow.taught(RULE)
    await doubted(flow, range(2, 6))
    rule_id = flow.memory.guidelines[0].id
    ts = await flow.card("tr-6", guideline_ids=(rule_id,))
    await flow.react(ts, "-1", "ben")
    # all that the worker had done when it was killed: the memory has the vote, the thread does not tell of it
    verdict = a_vote(True, "It thanks.", "memalign", ms=NOON_MS, source_type="LLM_JUDGE")
    vote = a_vote(False, None, "ben", ms=NOON_MS)
    await flow.memory.learn([a_trace("tr-6", vote, replace(verdict, guideline_ids=(rule_id,)))])
    assert flow.memory.guidelines[0].doubtful

    await flow.learn()

    assert TOLD in await flow.thread(ts)


async def test_the_words_of_a_guideline_in_doubt_leave_the_thread_when_what_it_rests_on_is_forgotten(
    flow: LearningFlow,
) -> None:
    await flow.taught(RULE)
    cards = await doubted(flow, range(2, 7))
    assert RULE in await flow.thread(cards[-1])

    await flow.memory.forget(["tr-1"])

    assert RULE not in await flow.thread(cards[-1])
