"""Going back to a version in the bot: it is told, feedback stays stored, and nothing brings it forward silently."""

from dataclasses import replace

import pytest

from bot.learning.rollback_service import RollbackService
from memalign.errors import InputError, SettingsError, UnknownVersionError
from memalign.ports import ChangeCause
from memalign.records import GuidelineTrial
from storage.database import Database
from storage.records import NoticeContent
from tests.bot.learning.learning_flow import CHANNEL, JUDGE, LearningFlow, learning_flow

RULE = "The answer should never send people away."
NEXT_STEP = "Answers must offer a next step to everybody."


@pytest.fixture
async def flow(database: Database) -> LearningFlow:
    return await learning_flow(database)


def service_of(flow: LearningFlow) -> RollbackService:
    return RollbackService(
        flow.database, {JUDGE: flow.memory}, {JUDGE: CHANNEL}, flow.updater.wake, lambda: None
    )


async def test_the_thread_and_the_channel_are_told_and_nothing_brings_it_back(flow: LearningFlow) -> None:
    ts = await flow.taught(RULE)
    await service_of(flow).roll_back(JUDGE, 0, "ben", by="ben")
    await flow.learn()

    assert (flow.labels(), flow.rules()) == ({}, [])
    notices = [post.content for post in await flow.database.outbox.next_due(10**15)]
    assert notices == [NoticeContent(notice="rolled_back", judge=JUDGE, person="ben", version=0)]
    text = await flow.thread(ts)
    assert f"~“{RULE}”~ taken back" in text
    assert "doesn't count for now" in text
    (verdict,) = await flow.database.verdicts.of_trace("tr-1")
    assert set(await flow.database.feedback.of(verdict.verdict_id)) == {"ana"}

    # another start, and each card is read again
    again = await learning_flow(flow.database)
    await again.learn()
    assert (again.labels(), again.rules()) == ({}, [])


async def test_thanks_in_the_thread_bring_nothing_back_and_another_reason_does(flow: LearningFlow) -> None:
    ts = await flow.taught(RULE)
    await service_of(flow).roll_back(JUDGE, 0, "ben", by="ben")
    await flow.react(ts, "shrug", "ben", after=2)
    await flow.learn()
    assert flow.rules() == []
    await flow.reply(ts, NEXT_STEP, after=3)
    await flow.learn()
    assert (flow.labels(), flow.rules()) == ({"tr-1": False}, [NEXT_STEP])
    assert "doesn't count" not in await flow.thread(ts)


async def test_the_same_vote_taken_back_and_given_again_counts(flow: LearningFlow) -> None:
    ts = await flow.taught(RULE)
    await service_of(flow).roll_back(JUDGE, 0, "ben", by="ben")
    await flow.react(ts, "-1", live=False, after=2)
    await flow.learn()
    await flow.react(ts, "-1", after=3)
    await flow.learn()
    assert (flow.labels(), flow.rules()) == ({"tr-1": False}, [RULE])


async def test_another_card_teaches_the_rule_again(flow: LearningFlow) -> None:
    await flow.taught(RULE)
    await service_of(flow).roll_back(JUDGE, 0, "ben", by="ben")
    await flow.taught(RULE, "tr-2")
    assert (list(flow.labels()), flow.rules()) == (["tr-2"], [RULE])


async def test_forgetting_somebody_else_on_the_card_does_not_bring_it_forward(flow: LearningFlow) -> None:
    ts = await flow.card()
    for person in ("ana", "ben"):
        await flow.react(ts, "-1", person)
    await flow.reply(ts, RULE, "ana")
    await flow.learn()
    await service_of(flow).roll_back(JUDGE, 0, "ben", by="ben")
    await flow.database.forgetting.delete_person("ben", 10**15)
    await flow.memory.forget_person("ben", ["tr-1"])
    await flow.learn()
    assert (flow.labels(), flow.rules()) == ({}, [])


async def test_the_last_change_is_a_persons_whatever_trials_and_settings_followed_from_it(
    flow: LearningFlow,
) -> None:
    await flow.taught(RULE)
    tried = flow.memory.state.with_guidelines(
        replace(rule, trial=GuidelineTrial(fixed=1, broke=0, tried=3)) for rule in flow.memory.guidelines
    )
    trial = replace(tried.change_from(flow.memory.state), from_version=await stored_version(flow))
    await flow.database.memories.save(JUDGE, replace(trial, cause=ChangeCause(kind="trial")))
    memories = flow.database.memories
    await flow.database.store.write(
        lambda: memories.add_settings_version(JUDGE, "The instructions were changed.", 7)
    )

    assert (await memories.load(JUDGE)).number == 3
    assert await service_of(flow).version_before_last(JUDGE) == 0


async def stored_version(flow: LearningFlow) -> int:
    return (await flow.database.memories.load(JUDGE)).version


async def test_what_cannot_be_done_changes_nothing(flow: LearningFlow) -> None:
    service = service_of(flow)
    with pytest.raises(InputError, match="nothing to undo"):
        await service.version_before_last(JUDGE)
    await flow.taught(RULE)
    assert await service.version_before_last(JUDGE) == 0
    with pytest.raises(SettingsError, match="no judge"):
        await service.preview("tact", 0)
    with pytest.raises(UnknownVersionError, match="its versions are 0 to 1"):
        await service.roll_back(JUDGE, 7, "ben", by="ben")
    with pytest.raises(InputError, match="nothing was changed"):
        await service.roll_back(JUDGE, 1, "ben", by="ben")
    assert flow.rules() == [RULE]
