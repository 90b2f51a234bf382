"""Posting: at Slack's pace, once, and in the end."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from bot.app import Timing
from bot.runtime.clock import now_ms
from bot.sandbox import Call, Message
from memalign.records import Json
from storage.database import Database
from tests.bot.bot_in_workspace import Stage, staged


def a_trace(number: int) -> Json:
    return {"trace_id": f"tr-{number}", "inputs": f"question {number}", "outputs": f"answer {number}"}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as ready:
        yield ready


def cards(stage: Stage) -> list[str]:
    payloads = [(one.metadata or {}).get("event_payload", {}) for one in _messages(stage)]
    return [payload["trace_id"] for payload in payloads if "trace_id" in payload]


def _messages(stage: Stage) -> list[Message]:
    return stage.workspace.messages(stage.channel.id)


def posts(stage: Stage) -> list[str | None]:
    """How Slack answered each posting."""
    return [call.error for call in stage.slack.calls if call.method == "chat.postMessage"]


def tried(stage: Stage) -> list[str]:
    """The traces whose cards were sent, taken by Slack or not."""
    sent = [call.params["metadata"] for call in stage.slack.calls if call.method == "chat.postMessage"]
    marks = [json.loads(mark) if isinstance(mark, str) else mark for mark in sent]
    return [mark["event_payload"]["trace_id"] for mark in marks]


async def test_a_burst_keeps_to_slacks_pace(tmp_path: Path) -> None:
    pace = Timing(post_seconds=0.06, quiet_seconds=0.05)
    async with staged(tmp_path, pace=pace, slack={"pace": 0.05}) as stage:
        await stage.send(*(a_trace(n) for n in range(12)))
        await stage.until(lambda: len(cards(stage)) == 12)
        await stage.learned()
        assert posts(stage) == [None] * 12


async def test_one_slow_channel_does_not_hold_up_another(tmp_path: Path) -> None:
    async with staged(tmp_path) as first:
        other = first.workspace.add_channel("wit", members=[first.ana.id])
        first.workspace.archive(first.ana.id, other.id)
        workspace = first.workspace
    judges = [{}, {"name": "wit", "channel": other.id}]
    async with staged(tmp_path, workspace=workspace, judges=judges) as stage:
        await stage.send(a_trace(1))
        await stage.card("tr-1")


@pytest.mark.parametrize(
    "fault",
    [{"status": 429, "retry_after": 1}, {"status": 500}, {"status": 503}, {"error": "internal_error"}],
)
async def test_what_slack_does_not_take_is_posted_later_once(stage: Stage, fault: Json) -> None:
    stage.slack.fail_next("chat.postMessage", **fault)
    await stage.send(a_trace(1))
    await stage.card("tr-1")
    await stage.learned()
    assert cards(stage) == ["tr-1"]
    assert len(posts(stage)) == 2


async def test_slack_is_left_alone_for_as_long_as_it_asks(stage: Stage) -> None:
    stage.slack.fail_next("chat.postMessage", status=429, retry_after=30)
    await stage.send(a_trace(1))
    await stage.until_async(lambda: stage.tells("slow down"))
    assert await stage.bot.database.outbox.next_due(_in_seconds(25)) == []
    assert len(await stage.bot.database.outbox.next_due(_in_seconds(31))) == 1
    assert posts(stage) == ["ratelimited"]


@pytest.mark.parametrize("fault", [{"status": 429, "retry_after": 1}, {"status": 503}])
async def test_a_refusal_of_the_channel_changes_no_order(stage: Stage, fault: Json) -> None:
    stage.slack.fail_next("chat.postMessage", **fault)
    await stage.send(a_trace(1), a_trace(2))
    await stage.until(lambda: len(cards(stage)) == 2)
    # which of the two was judged first is open
    first, second = cards(stage)
    assert tried(stage) == [first, first, second]


async def test_a_restart_does_not_shorten_the_wait_that_slack_asked_for(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.slack.fail_next("chat.postMessage", status=429, retry_after=30)
        await stage.send(a_trace(1), a_trace(2))
        await stage.until_async(lambda: stage.tells("slow down"))
        await stage.until_async(lambda: are_waiting(stage, 2))
        refused, workspace = tried(stage)[0], stage.workspace
    async with staged(tmp_path, workspace=workspace) as stage:
        await stage.send(a_trace(3))
        await stage.until_async(lambda: are_waiting(stage, 3))
        assert await stage.bot.database.outbox.next_due(_in_seconds(25)) == []
        (first,) = await stage.bot.database.outbox.next_due(_in_seconds(31))
        assert first.payload["trace_id"] == refused
        assert posts(stage) == []


async def test_a_post_with_a_fault_of_its_own_holds_up_nobody(stage: Stage) -> None:
    hold = stage.slack.hold("chat.postMessage")
    await stage.send(a_trace(0))
    await hold.reached.wait()
    await stage.send(a_trace(1), a_trace(2))
    await stage.until_async(lambda: are_waiting(stage, 3))
    stage.slack.fail_next("chat.postMessage", error="invalid_blocks")
    hold.release()
    await stage.until(lambda: len(cards(stage)) == 3)
    _, second, third = cards(stage)
    assert tried(stage) == ["tr-0", third, second, third]


async def are_waiting(stage: Stage, number: int) -> bool:
    return await stage.bot.database.outbox.waiting() == number


def _in_seconds(seconds: int) -> int:
    return now_ms() + seconds * 1000


async def test_a_lost_answer_makes_no_second_card(stage: Stage) -> None:
    stage.slack.fail_next("chat.postMessage", lost=True)
    await stage.send(a_trace(1))
    card = await stage.card("tr-1")
    await stage.learned()
    assert cards(stage) == ["tr-1"]
    stage.react(card, "-1")
    assert (await stage.feedback(card))["ana"].vote == "down"


async def test_a_lost_answer_to_a_lesson_makes_no_second_lesson(stage: Stage) -> None:
    card = await stage.show()
    stage.slack.fail_next("chat.postMessage", lost=True)
    stage.react(card, "-1")
    stage.reply(card, "The answer should never send people away.")
    await stage.learned()
    assert len(stage.thread(card)) == 1


async def test_a_lost_answer_is_looked_for_until_slack_says(stage: Stage) -> None:
    stage.slack.fail_next("conversations.history", status=503, times=2)
    stage.slack.fail_next("chat.postMessage", lost=True)
    await stage.send(a_trace(1))
    await stage.card("tr-1")
    await stage.learned()
    assert cards(stage) == ["tr-1"]
    assert "All is well" in (await stage.asked(stage.ana, "status"))[0]


async def test_a_lost_card_is_found_however_much_was_said_since(stage: Stage) -> None:
    stage.slack.fail_next("conversations.history", status=503)
    stage.slack.fail_next("chat.postMessage", lost=True)
    before = now_ms() / 1000
    await stage.send(a_trace(1))
    await stage.until(lambda: _looks(stage))
    for number in range(2_000):
        stage.workspace.post(stage.ana.id, stage.channel.id, f"message {number}")
    await stage.learned()
    assert cards(stage) == ["tr-1"]
    assert len(_looks(stage)) == 1 + 11
    from_when = {float(look.params["oldest"]) for look in _looks(stage)}
    assert all(before - 600 <= oldest <= before - 590 for oldest in from_when)


def _looks(stage: Stage) -> list[Call]:
    return [call for call in stage.slack.calls if call.method == "conversations.history"]


async def test_a_stop_between_post_and_record_makes_no_second_card(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        hold = stage.slack.hold("chat.postMessage")
        await stage.send(a_trace(1), a_trace(2))
        await hold.reached.wait()
        workspace = stage.workspace
    database = await Database.open(tmp_path / "store")
    (in_flight,) = await database.outbox.in_flight()
    await database.close()
    assert in_flight.kind == "card"
    async with staged(tmp_path, workspace=workspace) as stage:
        await stage.learned()
        await stage.until(lambda: len(cards(stage)) == 2)
        assert sorted(cards(stage)) == ["tr-1", "tr-2"]


async def test_an_archived_channel_waits_says_why_and_goes_on_when_it_is_open_again(stage: Stage) -> None:
    stage.workspace.archive(stage.ana.id, stage.channel.id)
    await stage.send(a_trace(1))
    await stage.until_async(lambda: stage.tells("the channel is archived"))
    status, text = await stage.get("/readyz")
    assert status == 200
    assert "the channel is archived" in text
    stage.workspace.unarchive(stage.ana.id, stage.channel.id)
    await stage.card("tr-1")
    await stage.learned()
    assert "All is well" in (await stage.asked(stage.ana, "status"))[0]


async def test_what_an_archived_channel_kept_waiting_comes_in_order(stage: Stage) -> None:
    stage.workspace.archive(stage.ana.id, stage.channel.id)
    for number in (1, 2, 3):
        await stage.send(a_trace(number))
        await stage.until_async(partial(are_waiting, stage, number))
    await stage.until(lambda: len(posts(stage)) > 1)
    assert set(tried(stage)) == {"tr-1"}
    stage.workspace.unarchive(stage.ana.id, stage.channel.id)
    await stage.card("tr-3")
    assert cards(stage) == ["tr-1", "tr-2", "tr-3"]


async def test_a_trouble_ends_when_what_waited_is_forgotten(stage: Stage) -> None:
    stage.workspace.archive(stage.ana.id, stage.channel.id)
    await stage.send(a_trace(1))
    await stage.until_async(lambda: stage.tells("the channel is archived"))
    await stage.bot.forgetting.forget("tr-1", stage.ana.id)
    await stage.until_async(lambda: is_untroubled(stage))


async def is_untroubled(stage: Stage) -> bool:
    return (await stage.bot.status.read()).troubles == ()


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}])
async def test_an_outage_is_told_in_words_for_people(stage: Stage, fault: Json) -> None:
    stage.slack.fail_next("conversations.history", **fault, times=5)
    stage.slack.fail_next("chat.postMessage", lost=True)
    await stage.send(a_trace(1))
    await stage.until_async(lambda: stage.tells("I'll try again by myself"))
    assert (await stage.bot.status.read()).troubles == (
        "the channel of politeness: Slack does not work at the moment; I'll try again by myself",
    )


async def test_a_bot_that_was_thrown_out_says_to_invite_it(stage: Stage) -> None:
    stage.workspace.leave(stage.workspace.bot.id, stage.channel.id)
    await stage.send(a_trace(1))
    await stage.until_async(lambda: stage.tells("/invite"))
    (said,) = await stage.asked(stage.ana, "status")
    assert "1 message to post" in said
    stage.workspace.join(stage.workspace.bot.id, stage.channel.id)
    await stage.card("tr-1")


async def test_what_is_forgotten_while_it_is_posted_is_taken_down(stage: Stage) -> None:
    hold = stage.slack.hold("chat.postMessage")
    await stage.send(a_trace(1))
    await hold.reached.wait()
    asking = asyncio.create_task(stage.asked(stage.ana, "forget tr-1 --yes"))
    (said,) = await asking
    assert "is forgotten" in said
    hold.release()
    await stage.until(lambda: not cards(stage))
    await stage.learned()
    assert _messages(stage) == []


async def test_a_lesson_for_a_thread_that_is_gone_is_given_up(stage: Stage) -> None:
    card = await stage.show("tr-1")
    stage.react(card, "-1")
    stage.workspace.withdraw(stage.workspace.message(card.channel, card.ts))
    await stage.learned()
    assert (await stage.bot.status.read()).posts_waiting == 0
    assert (await stage.bot.status.read()).troubles == ()
