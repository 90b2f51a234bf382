"""The one message of a thread: posted once, edited when anything it shows changes, whatever happens meanwhile."""

import pytest

from bot.learning.thread_status_reader import ThreadStatusReader
from bot.learning.thread_updater import ThreadUpdater
from bot.runtime.clock import now_ms
from storage.database import Database
from storage.open_modals import MODAL_MINUTES
from storage.records import NoteContent, Post
from tests.bot.fakes import Lost, refusal
from tests.bot.learning.learning_flow import CHANNEL, LATER_MS, LearningFlow, card_ts, learning_flow
from tests.storage.records import lesson

RULE = "The answer should never send people away."
QUESTION = "What made it fail? One sentence here is enough."


@pytest.fixture
async def flow(database: Database) -> LearningFlow:
    return await learning_flow(database)


async def verdict_id_of_card(flow: LearningFlow, ts: str) -> str:
    verdict = await flow.database.verdicts.by_card(CHANNEL, ts)
    assert verdict is not None
    return verdict.verdict_id


def updater_of(flow: LearningFlow, *, show_votes: bool = True) -> ThreadUpdater:
    """Another updater on the same store and Slack, as after a restart."""
    reader = ThreadStatusReader(flow.database, flow.memories, flow.people, show_votes=show_votes)
    return ThreadUpdater(flow.slack, flow.database, reader, flow.health, flow.posting)


# --- answers to reasons


async def test_a_second_reason_that_gives_no_rule_is_answered_beside_the_rule_of_the_first(
    flow: LearningFlow,
) -> None:
    ts = await flow.taught(RULE, "tr-1")
    await flow.react(ts, "-1", "ben")
    await flow.reply(ts, "Bad day for parcels.", "ben")
    flow.model.answers.append({"guidelines": [], "supports": [], "contradicts": [], "same": []})
    await flow.learn()
    await flow.post_all()
    thread = await flow.thread(ts)
    assert RULE in thread
    assert "Thanks, Ben. I couldn't turn that into a rule." in thread


async def test_a_second_reason_that_says_the_same_makes_its_author_one_of_the_rule(
    flow: LearningFlow,
) -> None:
    ts = await flow.taught(RULE, "tr-1", ("ana", "ben"))
    thread = await flow.thread(ts)
    assert "from Ana and Ben" in thread
    assert "couldn't turn" not in thread


# --- questions and modals


async def test_nothing_is_asked_while_the_person_has_a_modal_open(flow: LearningFlow) -> None:
    ts = await flow.card()
    verdict_id = await verdict_id_of_card(flow, ts)
    await flow.database.open_modals.opened("ana", verdict_id, now_ms())
    await flow.react(ts, "-1")
    await flow.learn()
    assert await flow.thread(ts) == "Noted: *fail*.\nAna: fail"
    [status] = [await flow.database.thread_statuses.get(verdict_id)]
    assert status is not None
    minutes = (status.not_before_ms - now_ms()) / 60_000
    assert status.is_due
    assert MODAL_MINUTES - 1 < minutes <= MODAL_MINUTES


async def test_the_question_stands_once_the_modal_is_closed(flow: LearningFlow) -> None:
    ts = await flow.card()
    verdict_id = await verdict_id_of_card(flow, ts)
    await flow.database.open_modals.opened("ana", verdict_id, now_ms())
    await flow.react(ts, "-1")
    await flow.learn()
    assert QUESTION not in await flow.thread(ts)
    await flow.database.open_modals.closed("ana", verdict_id)
    await flow.database.thread_statuses.wake(verdict_id)
    assert QUESTION in await flow.thread(ts)


async def test_another_persons_modal_holds_no_question_back(flow: LearningFlow) -> None:
    ts = await flow.card()
    await flow.database.open_modals.opened("ben", await verdict_id_of_card(flow, ts), now_ms())
    await flow.react(ts, "-1")
    await flow.learn()
    assert QUESTION in await flow.thread(ts)


# --- changes of the memory from elsewhere


async def test_a_rule_that_goes_elsewhere_is_edited_in_each_thread_that_shows_it(flow: LearningFlow) -> None:
    first, second = await flow.taught(RULE, "tr-1"), await flow.taught(RULE, "tr-2", ["ben"])
    assert len(flow.memory.guidelines) == 1
    await flow.memory.forget(["tr-1"])
    assert "out of use until I have learned it again" in await flow.thread(second)
    assert RULE not in await flow.thread(second)
    await flow.memory.learn()
    texts = [await flow.thread(each) for each in (first, second)]
    assert flow.rules() == [RULE]
    assert [f"Learned: “{RULE}”" in text for text in texts] == [False, True]


async def test_a_change_marks_only_the_threads_that_show_it(flow: LearningFlow) -> None:
    await flow.taught(RULE, "tr-1")
    other = await flow.card("tr-2")
    await flow.react(other, "-1", "ben")
    await flow.learn()
    await flow.post_all()
    edits = len(flow.slack.of("chat.update"))
    await flow.memory.forget(["tr-1"])
    due = await flow.database.thread_statuses.due(LATER_MS)
    assert [status.trace_id for status in due] == ["tr-1"]
    await flow.post_all()
    assert len(flow.slack.of("chat.update")) == edits + 1


# --- restarts and outages


async def test_what_is_to_be_edited_survives_a_restart(flow: LearningFlow) -> None:
    ts = await flow.taught(RULE, "tr-1")
    await flow.react(ts, "-1", live=False, after=1)
    await flow.learn()
    await updater_of(flow).update_due()
    assert "taken back: Ana removed the 👎." in await flow.thread(ts)
    assert len([each for each in flow.slack.messages if each.get("thread_ts") == ts]) == 1


async def test_an_edit_that_is_known_to_stand_is_not_made_again(flow: LearningFlow) -> None:
    ts = await flow.taught(RULE, "tr-1")
    await flow.database.thread_statuses.wake(await verdict_id_of_card(flow, ts))
    await updater_of(flow).update_due()
    assert flow.slack.of("chat.update") == []


async def test_an_edit_whose_answer_was_lost_is_made_again(flow: LearningFlow) -> None:
    ts = await flow.taught(RULE, "tr-1")
    await flow.react(ts, "-1", live=False, after=1)
    await flow.learn()
    flow.slack.answers["chat.update"].append(Lost())
    await flow.updater.update_due()
    assert await flow.database.thread_statuses.waiting(LATER_MS) == 1
    await flow.database.thread_statuses.wake(await verdict_id_of_card(flow, ts))
    await updater_of(flow).update_due()
    assert [call["text"].count("taken back") for call in flow.slack.of("chat.update")] == [1, 1]
    assert await flow.database.thread_statuses.waiting(LATER_MS) == 0


async def test_a_status_that_was_deleted_in_slack_is_not_posted_again(flow: LearningFlow) -> None:
    ts = await flow.taught(RULE, "tr-1")
    flow.slack.answers["chat.update"].append(refusal("message_not_found"))
    await flow.react(ts, "-1", live=False, after=1)
    await flow.learn()
    await flow.post_all()
    assert len(flow.slack.messages) == 1
    assert await flow.database.thread_statuses.waiting(LATER_MS) == 0


async def test_other_settings_are_told_in_all_threads_after_the_next_start(flow: LearningFlow) -> None:
    await flow.taught(RULE, "tr-1")
    for show_votes in (True, True, False):
        updater = updater_of(flow, show_votes=show_votes)
        await updater.note_settings(flow.memories)
        await updater.update_due()
    assert len(flow.slack.of("chat.update")) == 1
    assert flow.slack.of("chat.update")[-1]["text"].startswith("Noted: *fail*.\n1 person answered.")


# --- messages of earlier versions


async def test_the_newest_message_of_an_earlier_version_becomes_the_status(flow: LearningFlow) -> None:
    ts = await flow.card()
    verdict_id = await verdict_id_of_card(flow, ts)
    await flow.react(ts, "-1")
    await flow.reply(ts, RULE)
    await flow.learn()
    for post_id, old_ts in (("remembered:v", "1600000009.1"), ("lesson:v", "1600000010.1")):
        content = NoteContent(text="I'll remember this case as fail ❌.")
        post = lesson(post_id, verdict_id, flow.memory.guidelines[0].id)
        if post_id.startswith("remembered"):
            post = Post(
                post_id=post_id, channel=CHANNEL, content=content, thread_ts=ts, verdict_id=verdict_id
            )
        await flow.database.outbox.add(post)
        await flow.database.outbox.start(post_id)
        await flow.database.outbox.done(post_id, old_ts)
    await flow.updater.update_due()
    [edit] = flow.slack.of("chat.update")
    assert edit["ts"] == "1600000010.1"
    assert f"Learned: “{RULE}”" in edit["text"]
    redactions = await flow.database.forgetting.redactions_due(LATER_MS)
    assert [(each.ts, each.kind) for each in redactions] == [("1600000009.1", "remove")]
    assert await flow.post_all() == []


# --- forgetting


async def test_earlier_words_of_a_rule_go_with_who_said_them(flow: LearningFlow) -> None:
    ts = await flow.taught(RULE, "tr-1")
    await flow.reply(ts, "Every answer must name the next step.", after=1)
    await flow.learn()
    assert RULE in await flow.thread(ts)
    await flow.database.forgetting.delete_person("ana", now_ms())
    await flow.memory.forget(["tr-1"])
    await flow.database.forgetting.finish_person("ana")
    text = await flow.thread(card_ts("tr-1"))
    assert text == "Nobody's vote counts here now."
