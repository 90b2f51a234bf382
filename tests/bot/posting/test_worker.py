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
from memalign.records import Json, TraceTarget
from storage.database import Database
from storage.records import CardContent
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace


def a_trace(number: int) -> Json:
    return {"trace_id": f"tr-{number}", "inputs": f"question {number}", "outputs": f"answer {number}"}


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
        yield ready


def cards(harness: BotInWorkspace) -> list[str]:
    payloads = [(one.metadata or {}).get("event_payload", {}) for one in _messages(harness)]
    return [payload["trace_id"] for payload in payloads if "trace_id" in payload]


def _messages(harness: BotInWorkspace) -> list[Message]:
    return harness.workspace.messages(harness.channel.id)


def posts(harness: BotInWorkspace) -> list[str | None]:
    """How Slack answered each posting."""
    return [call.error for call in harness.slack.calls if call.method == "chat.postMessage"]


def tried(harness: BotInWorkspace) -> list[str]:
    """The traces whose cards were sent, taken by Slack or not."""
    sent = [call.params["metadata"] for call in harness.slack.calls if call.method == "chat.postMessage"]
    marks = [json.loads(mark) if isinstance(mark, str) else mark for mark in sent]
    return [mark["event_payload"]["trace_id"] for mark in marks]


async def test_a_burst_keeps_to_slacks_pace(tmp_path: Path) -> None:
    pace = Timing(post_seconds=0.06, quiet_seconds=0.05)
    async with bot_in_workspace(tmp_path, pace=pace, slack={"pace": 0.05}) as harness:
        await harness.send(*(a_trace(n) for n in range(12)))
        await harness.until(lambda: len(cards(harness)) == 12)
        await harness.learned()
        assert posts(harness) == [None] * 12


async def test_one_slow_channel_does_not_hold_up_another(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as first:
        other = first.workspace.add_channel("wit", members=[first.ana.id])
        first.workspace.archive(first.ana.id, other.id)
        workspace = first.workspace
    judges = [{}, {"name": "wit", "channel": other.id}]
    async with bot_in_workspace(tmp_path, workspace=workspace, judges=judges) as harness:
        await harness.send(a_trace(1))
        await harness.card("tr-1")
        await harness.until_async(lambda: harness.tells("the channel is archived"))
        waiting = await harness.bot.database.outbox.waiting()
        assert (cards(harness), waiting) == (["tr-1"], 1)


@pytest.mark.parametrize(
    "fault",
    [{"status": 429, "retry_after": 1}, {"status": 500}, {"status": 503}, {"error": "internal_error"}],
)
async def test_what_slack_does_not_take_is_posted_later_once(harness: BotInWorkspace, fault: Json) -> None:
    harness.slack.faults.fail_next("chat.postMessage", **fault)
    await harness.send(a_trace(1))
    await harness.card("tr-1")
    await harness.learned()
    assert cards(harness) == ["tr-1"]
    assert len(posts(harness)) == 2


async def test_slack_is_left_alone_for_as_long_as_it_asks(harness: BotInWorkspace) -> None:
    harness.slack.faults.fail_next("chat.postMessage", status=429, retry_after=30)
    await harness.send(a_trace(1))
    await harness.until_async(lambda: harness.tells("slow down"))
    assert await harness.bot.database.outbox.next_due(_in_seconds(25)) == []
    assert len(await harness.bot.database.outbox.next_due(_in_seconds(31))) == 1
    assert posts(harness) == ["ratelimited"]


@pytest.mark.parametrize("fault", [{"status": 429, "retry_after": 1}, {"status": 503}])
async def test_a_refusal_of_the_channel_changes_no_order(harness: BotInWorkspace, fault: Json) -> None:
    harness.slack.faults.fail_next("chat.postMessage", **fault)
    await harness.send(a_trace(1), a_trace(2))
    await harness.until(lambda: len(cards(harness)) == 2)
    # which of the two was judged first is open
    first, second = cards(harness)
    assert tried(harness) == [first, first, second]


async def test_a_restart_does_not_shorten_the_wait_that_slack_asked_for(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        harness.slack.faults.fail_next("chat.postMessage", status=429, retry_after=30)
        await harness.send(a_trace(1), a_trace(2))
        await harness.until_async(lambda: harness.tells("slow down"))
        await harness.until_async(lambda: are_waiting(harness, 2))
        refused, workspace = tried(harness)[0], harness.workspace
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await harness.send(a_trace(3))
        await harness.until_async(lambda: are_waiting(harness, 3))
        assert await harness.bot.database.outbox.next_due(_in_seconds(25)) == []
        (first,) = await harness.bot.database.outbox.next_due(_in_seconds(31))
        assert isinstance(first.content, CardContent)
        assert first.content.trace_id == refused
        assert posts(harness) == []


async def test_a_post_with_a_fault_of_its_own_holds_up_nobody(harness: BotInWorkspace) -> None:
    hold = harness.slack.faults.hold("chat.postMessage")
    await harness.send(a_trace(0))
    await hold.reached.wait()
    await harness.send(a_trace(1), a_trace(2))
    await harness.until_async(lambda: are_waiting(harness, 3))
    harness.slack.faults.fail_next("chat.postMessage", error="invalid_blocks")
    hold.release()
    await harness.until(lambda: len(cards(harness)) == 3)
    _, second, third = cards(harness)
    assert tried(harness) == ["tr-0", third, second, third]


async def are_waiting(harness: BotInWorkspace, number: int) -> bool:
    return await harness.bot.database.outbox.waiting() == number


def _in_seconds(seconds: int) -> int:
    return now_ms() + seconds * 1000


async def test_a_lost_answer_makes_no_second_card(harness: BotInWorkspace) -> None:
    harness.slack.faults.fail_next("chat.postMessage", lost=True)
    await harness.send(a_trace(1))
    card = await harness.card("tr-1")
    await harness.learned()
    assert cards(harness) == ["tr-1"]
    harness.react(card, "-1")
    assert (await harness.feedback(card))["ana"].vote == "down"


async def test_a_lost_answer_to_a_lesson_makes_no_second_lesson(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.slack.faults.fail_next("chat.postMessage", lost=True)
    harness.react(card, "-1")
    harness.reply(card, "The answer should never send people away.")
    await harness.learned()
    assert len(harness.thread(card)) == 1


async def test_a_lost_answer_is_looked_for_until_slack_says(harness: BotInWorkspace) -> None:
    harness.slack.faults.fail_next("conversations.history", status=503, times=2)
    harness.slack.faults.fail_next("chat.postMessage", lost=True)
    await harness.send(a_trace(1))
    await harness.card("tr-1")
    await harness.learned()
    assert cards(harness) == ["tr-1"]
    assert "All is well" in (await harness.asked(harness.ana, "status"))[0]


async def test_a_lost_card_is_found_however_much_was_said_since(harness: BotInWorkspace) -> None:
    harness.slack.faults.fail_next("conversations.history", status=503)
    harness.slack.faults.fail_next("chat.postMessage", lost=True)
    before = now_ms() / 1000
    await harness.send(a_trace(1))
    await harness.until(lambda: _looks(harness))
    for number in range(2_000):
        harness.workspace.post(harness.ana.id, harness.channel.id, f"message {number}")
    await harness.learned()
    assert cards(harness) == ["tr-1"]
    assert len(_looks(harness)) == 1 + 11
    from_when = {float(look.params["oldest"]) for look in _looks(harness)}
    assert all(before - 600 <= oldest <= before - 590 for oldest in from_when)


def _looks(harness: BotInWorkspace) -> list[Call]:
    return [call for call in harness.slack.calls if call.method == "conversations.history"]


async def test_a_stop_between_post_and_record_makes_no_second_card(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        hold = harness.slack.faults.hold("chat.postMessage")
        await harness.send(a_trace(1), a_trace(2))
        await hold.reached.wait()
        workspace = harness.workspace
    database = await Database.open(tmp_path / "store")
    (in_flight,) = await database.outbox.in_flight()
    await database.close()
    assert isinstance(in_flight.content, CardContent)
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await harness.learned()
        await harness.until(lambda: len(cards(harness)) == 2)
        assert sorted(cards(harness)) == ["tr-1", "tr-2"]


async def test_an_archived_channel_waits_says_why_and_goes_on_when_it_is_open_again(
    harness: BotInWorkspace,
) -> None:
    harness.workspace.archive(harness.ana.id, harness.channel.id)
    await harness.send(a_trace(1))
    await harness.until_async(lambda: harness.tells("the channel is archived"))
    status, text = await harness.get("/readyz")
    assert status == 200
    assert "the channel is archived" in text
    harness.workspace.unarchive(harness.ana.id, harness.channel.id)
    await harness.card("tr-1")
    await harness.learned()
    assert "All is well" in (await harness.asked(harness.ana, "status"))[0]


async def test_what_an_archived_channel_kept_waiting_comes_in_order(harness: BotInWorkspace) -> None:
    harness.workspace.archive(harness.ana.id, harness.channel.id)
    for number in (1, 2, 3):
        await harness.send(a_trace(number))
        await harness.until_async(partial(are_waiting, harness, number))
    await harness.until(lambda: len(posts(harness)) > 1)
    assert set(tried(harness)) == {"tr-1"}
    harness.workspace.unarchive(harness.ana.id, harness.channel.id)
    await harness.card("tr-3")
    assert cards(harness) == ["tr-1", "tr-2", "tr-3"]


async def test_a_trouble_ends_when_what_waited_is_forgotten(harness: BotInWorkspace) -> None:
    harness.workspace.archive(harness.ana.id, harness.channel.id)
    await harness.send(a_trace(1))
    await harness.until_async(lambda: harness.tells("the channel is archived"))
    await harness.bot.forgetting.forget(TraceTarget(trace_id="tr-1"), harness.ana.id)
    await harness.until_async(lambda: is_untroubled(harness))
    assert "All is well" in (await harness.asked(harness.ana, "status"))[0]


async def is_untroubled(harness: BotInWorkspace) -> bool:
    return (await harness.bot.status.read()).troubles == ()


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}])
async def test_an_outage_is_told_in_words_for_people(harness: BotInWorkspace, fault: Json) -> None:
    harness.slack.faults.fail_next("conversations.history", **fault, times=5)
    harness.slack.faults.fail_next("chat.postMessage", lost=True)
    await harness.send(a_trace(1))
    await harness.until_async(lambda: harness.tells("I'll try again by myself"))
    assert (await harness.bot.status.read()).troubles == (
        "the channel of politeness: Slack does not work at the moment; I'll try again by myself",
    )


async def test_a_bot_that_was_thrown_out_says_to_invite_it(harness: BotInWorkspace) -> None:
    harness.workspace.leave(harness.workspace.bot.id, harness.channel.id)
    await harness.send(a_trace(1))
    await harness.until_async(lambda: harness.tells("/invite"))
    (said,) = await harness.asked(harness.ana, "status")
    assert "1 message to post" in said
    harness.workspace.join(harness.workspace.bot.id, harness.channel.id)
    await harness.card("tr-1")


async def test_what_is_forgotten_while_it_is_posted_is_taken_down(harness: BotInWorkspace) -> None:
    hold = harness.slack.faults.hold("chat.postMessage")
    await harness.send(a_trace(1))
    await hold.reached.wait()
    asking = asyncio.create_task(harness.asked(harness.ana, "forget tr-1 --yes"))
    (said,) = await asking
    assert "is forgotten" in said
    hold.release()
    await harness.until(lambda: not cards(harness))
    await harness.learned()
    assert _messages(harness) == []


async def test_a_lesson_for_a_thread_that_is_gone_is_given_up(harness: BotInWorkspace) -> None:
    card = await harness.show("tr-1")
    harness.react(card, "-1")
    harness.workspace.delete_message(harness.workspace.message(card.channel, card.ts))
    await harness.learned()
    assert (await harness.bot.status.read()).posts_waiting == 0
    assert (await harness.bot.status.read()).troubles == ()
