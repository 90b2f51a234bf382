"""Replies are answered privately, each once: whatever Slack, the process and the people do meanwhile."""

import pytest

from bot.blocks.primitives import SlackMessage, plain_message
from bot.learning.private_replies import COMPONENT, PrivateReplies
from bot.learning.teach_access import TeachAccess
from bot.runtime.clock import now_ms
from bot.slack.channel_members import ChannelMembers
from storage.database import Database
from storage.records import AuditLine, StoredVerdict
from storage.reply_receipts import ReplyReceipt
from tests.bot.fakes import CUT, ODD_ANSWERS, Answer, Lost, refusal
from tests.bot.learning.learning_flow import CHANNEL, LearningFlow, card_ts, learning_flow, reply_ts
from tests.storage.records import NOON_MS

REASON = "An answer should never send people away."
EXPLANATION = "Because of the guidelines."


@pytest.fixture
async def flow(database: Database) -> LearningFlow:
    return await learning_flow(database)


async def explain(_: StoredVerdict) -> SlackMessage:
    return plain_message(EXPLANATION)


def replies_of(flow: LearningFlow) -> PrivateReplies:
    """Return the private answers; another one on the same store stands for a restart."""
    access = TeachAccess("members", flow.people, ChannelMembers(flow.slack), flow.database)
    return PrivateReplies(
        flow.slack,
        flow.database,
        flow.memories,
        access,
        explain,
        flow.health,
        quiet_seconds=0.0,
    )


def sent(flow: LearningFlow) -> list[tuple[str, str]]:
    """Return person and text of each message, in the order of the calls, those that failed included."""
    return [(call["user"], call["text"]) for call in flow.slack.of("chat.postEphemeral")]


def people_asked(flow: LearningFlow) -> list[str]:
    return [person for person, _ in sent(flow)]


async def is_anybody_waiting(flow: LearningFlow) -> bool:
    return bool(await flow.database.replies.waiting())


# --- once


async def test_a_reason_without_a_vote_is_asked_about_once(flow: LearningFlow) -> None:
    replies = replies_of(flow)
    ts = await flow.card()
    await flow.reply(ts, REASON)
    for _ in range(3):
        await replies.answer_due()
    assert sent(flow) == [("ana", "Thanks. Is the judge right here?")]
    [call] = flow.slack.of("chat.postEphemeral")
    assert (call["channel"], call["thread_ts"]) == (CHANNEL, ts)


async def test_a_reply_that_is_delivered_again_is_not_answered_again(flow: LearningFlow) -> None:
    replies = replies_of(flow)
    ts = await flow.card()
    for _ in range(3):
        await flow.reply(ts, REASON)
        await replies.answer_due()
    assert people_asked(flow) == ["ana"]


async def test_a_reply_stored_before_a_restart_is_answered_after_it(flow: LearningFlow) -> None:
    ts = await flow.card()
    await flow.reply(ts, REASON)
    await replies_of(flow).answer_due()
    await replies_of(flow).answer_due()
    assert people_asked(flow) == ["ana"]


async def test_after_a_stop_between_receipt_and_sending_nobody_is_asked_twice(flow: LearningFlow) -> None:
    ts = await flow.card()
    await flow.reply(ts, REASON)
    await flow.reply(ts, REASON, "ben")
    [of_ana] = [each for each in await flow.database.replies.due(0) if each.person == "ana"]
    receipt = ReplyReceipt(reply_ts=reply_ts(ts, "ana"), reading="reason")
    assert await flow.database.replies.keep(of_ana, [receipt])
    await replies_of(flow).answer_due()
    assert people_asked(flow) == ["ben"]
    assert not await is_anybody_waiting(flow)


async def test_an_edit_is_answered_anew_only_where_it_is_read_as_something_else(flow: LearningFlow) -> None:
    replies = replies_of(flow)
    ts = await flow.card()
    for after, text in enumerate([REASON, f"{REASON}!", "Maybe a fail", "Fail, because it is rude"]):
        await flow.reply(ts, text, after=after)
        await replies.answer_due()
    assert [text for _, text in sent(flow)] == [
        "Thanks. Is the judge right here?",
        "I'm not sure which value you mean. Which one is right?",
    ]
    assert not await is_anybody_waiting(flow)


async def test_a_reply_that_is_deleted_first_is_not_answered(flow: LearningFlow) -> None:
    ts = await flow.card()
    await flow.reply(ts, REASON)
    await flow.reply(ts, None, after=1)
    await replies_of(flow).answer_due()
    assert sent(flow) == []
    assert not await is_anybody_waiting(flow)


# --- Slack does not take it


@pytest.mark.parametrize("answer", [*ODD_ANSWERS.values(), Lost()], ids=[*ODD_ANSWERS, "answer lost"])
async def test_an_answer_that_slack_did_not_confirm_goes_again(
    flow: LearningFlow, answer: Answer | Exception | Lost
) -> None:
    ts = await flow.card()
    await flow.reply(ts, REASON)
    flow.slack.answers["chat.postEphemeral"].append(answer)
    await replies_of(flow).answer_due()
    if not await is_anybody_waiting(flow):  # an odd page of a call that succeeded
        assert people_asked(flow) == ["ana"]
        return
    assert flow.health.subjects(COMPONENT) == {CHANNEL}
    for _ in range(2):
        await replies_of(flow).answer_due()
    assert people_asked(flow) == ["ana", "ana"]
    assert not await is_anybody_waiting(flow)
    assert flow.health.subjects(COMPONENT) == set()


async def test_a_channel_rests_while_slack_asks_to_slow_down(flow: LearningFlow) -> None:
    replies = replies_of(flow)
    ts = await flow.card()
    for person in ("ana", "ben"):
        await flow.reply(ts, REASON, person)
    flow.slack.answers["chat.postEphemeral"].append(refusal("ratelimited", 429, retry_after=600))
    for _ in range(3):
        await replies.answer_due()
    assert len(sent(flow)) == 1
    await replies_of(flow).answer_due()
    assert sorted(people_asked(flow)[1:]) == ["ana", "ben"]


async def test_whoever_left_the_channel_keeps_nobody_else_waiting(flow: LearningFlow) -> None:
    ts = await flow.card()
    for person in ("ana", "ben"):
        await flow.reply(ts, REASON, person)
    flow.slack.answers["chat.postEphemeral"].append(refusal("user_not_in_channel"))
    await replies_of(flow).answer_due()
    assert sorted(people_asked(flow)) == ["ana", "ben"]
    assert not await is_anybody_waiting(flow)


async def test_while_slack_does_not_say_who_replied_the_reply_waits(flow: LearningFlow) -> None:
    ts = await flow.card()
    await flow.reply(ts, REASON)
    flow.slack.answers["users.info"].extend([CUT] * 3)
    await replies_of(flow).answer_due()
    assert sent(flow) == []
    assert await is_anybody_waiting(flow)


# --- who, and what


async def test_two_people_are_each_asked_what_they_left_open(flow: LearningFlow) -> None:
    replies = replies_of(flow)
    ts = await flow.card()
    await flow.reply(ts, REASON, "ana")
    await flow.reply(ts, "could fail", "ben")
    await replies.answer_due()
    await flow.react(ts, "-1", "ana", after=1)
    await replies.answer_due()
    assert dict(sent(flow)) == {
        "ana": "Thanks. Is the judge right here?",
        "ben": "I'm not sure which value you mean. Which one is right?",
    }
    assert len(sent(flow)) == 2


async def test_a_question_is_answered_and_neither_learned_nor_asked_about(flow: LearningFlow) -> None:
    ts = await flow.card()
    await flow.react(ts, "-1")
    await flow.reply(ts, "Why did the judge say pass? Which guideline decided?")
    await replies_of(flow).answer_due()
    await flow.learn()
    assert sent(flow) == [("ana", EXPLANATION)]
    assert flow.labels() == {"tr-1": False}
    assert flow.rules() == []
    assert flow.model.prompts == []


async def test_a_guest_is_told_once_a_card_and_asked_nothing(flow: LearningFlow) -> None:
    guest = {"ok": True, "user": {"id": "gus", "real_name": "Gus", "is_restricted": True}}
    flow.slack.answers["users.info"].extend([Answer(data=guest)] * 10)
    ts = await flow.card()
    for after, text in enumerate([REASON, "could fail", REASON]):
        await flow.reply(ts, text, "gus", after)
        await replies_of(flow).answer_due()
    [(_, text)] = sent(flow)
    assert "only members of this workspace teach" in text


async def test_two_thumbs_and_a_reply_are_not_asked_about_twice(flow: LearningFlow) -> None:
    ts = await flow.card()
    await flow.react(ts, "+1")
    await flow.react(ts, "-1", after=1)
    await flow.reply(ts, REASON, after=2)
    for _ in range(2):
        await replies_of(flow).answer_due()
    [(person, text)] = sent(flow)
    assert person == "ana"
    assert "both 👍 and 👎" in text


async def test_nobody_is_asked_while_answering_in_a_modal(flow: LearningFlow) -> None:
    replies = replies_of(flow)
    ts = await flow.card()
    verdict = await flow.database.verdicts.by_card(CHANNEL, ts)
    assert verdict is not None
    await flow.database.open_modals.opened("ana", verdict.verdict_id, now_ms())
    await flow.reply(ts, REASON)
    await replies.answer_due()
    assert sent(flow) == []
    await flow.database.open_modals.closed("ana", verdict.verdict_id)
    await replies.answer_due()
    assert people_asked(flow) == ["ana"]


async def test_whoever_is_muted_is_told_and_not_asked(flow: LearningFlow) -> None:
    await flow.database.preferences.mute("ana", NOON_MS)
    ts = await flow.card()
    await flow.reply(ts, REASON)
    await replies_of(flow).answer_due()
    assert sent(flow) == []
    await flow.reply(ts, "Why?", after=1)
    await replies_of(flow).answer_due()
    assert sent(flow) == [("ana", EXPLANATION)]


async def test_under_a_forgotten_card_each_is_told_once(flow: LearningFlow) -> None:
    ts = await flow.card()
    await flow.reply(ts, REASON)
    note = AuditLine(at_ms=NOON_MS, what="forgotten", judge="politeness", person="ben", ids=("tr-1",))
    await flow.database.forgetting.delete_traces(["tr-1"], note)
    await replies_of(flow).answer_due()
    assert sent(flow) == []
    for after in (1, 2):
        await flow.reply(ts, REASON, "ana", after)
        await flow.reply(ts, "Why?", "ben", after)
        await replies_of(flow).answer_due()
    assert sorted(people_asked(flow)) == ["ana", "ben"]
    assert {text for _, text in sent(flow)} == {
        "This card was forgotten, so I learn nothing from replies here."
    }


async def test_a_bug_on_one_reply_stops_no_other_answer(flow: LearningFlow) -> None:
    async def fail(_: StoredVerdict) -> SlackMessage:
        raise ZeroDivisionError

    access = TeachAccess("members", flow.people, ChannelMembers(flow.slack), flow.database)
    replies = PrivateReplies(
        flow.slack,
        flow.database,
        flow.memories,
        access,
        fail,
        flow.health,
        quiet_seconds=0.0,
    )
    await flow.reply(await flow.card("tr-1"), "Why?", "ana")
    await flow.reply(await flow.card("tr-2"), REASON, "ben")
    await replies.answer_due()
    assert people_asked(flow) == ["ben"]
    assert await is_anybody_waiting(flow)


async def test_a_reply_under_a_message_that_is_no_card_is_left_alone(flow: LearningFlow) -> None:
    await flow.reply(card_ts("tr-7"), REASON)
    await replies_of(flow).answer_due()
    assert sent(flow) == []
