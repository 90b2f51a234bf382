"""Posting through the whole bot: at Slack's pace, once, and in the end."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from bot.app import Timing
from bot.sandbox import Message
from memalign.records import Json
from storage.verdicts import card_post_id_of, verdict_id_of
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace


def a_trace(number: int) -> Json:
    return {"trace_id": f"tr-{number}", "inputs": f"question {number}", "outputs": f"answer {number}"}


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
        yield ready


def cards(harness: BotInWorkspace) -> list[str]:
    payloads = [(message.metadata or {}).get("event_payload", {}) for message in _messages(harness)]
    return [payload["trace_id"] for payload in payloads if "trace_id" in payload]


def _messages(harness: BotInWorkspace) -> list[Message]:
    return harness.workspace.messages(harness.channel.id)


def posts(harness: BotInWorkspace) -> list[str | None]:
    """Return Slack's answers to the postings."""
    return [call.error for call in harness.slack.calls if call.method == "chat.postMessage"]


def tried(harness: BotInWorkspace) -> list[str]:
    """The traces whose cards were sent, taken by Slack or not."""
    sent = [call.params["metadata"] for call in harness.slack.calls if call.method == "chat.postMessage"]
    marks = [json.loads(mark) if isinstance(mark, str) else mark for mark in sent]
    return [mark["event_payload"]["trace_id"] for mark in marks]


async def test_a_burst_keeps_to_slacks_pace(tmp_path: Path) -> None:
    pace = Timing(post_seconds=0.06, settle_seconds=0.0, quiet_seconds=0.05)
    async with bot_in_workspace(tmp_path, pace=pace, slack={"pace": 0.05}) as harness:
        await harness.send(*(a_trace(n) for n in range(12)))
        await harness.until(lambda: len(cards(harness)) == 12)
        await harness.learned()
        assert posts(harness) == [None] * 12


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


async def are_waiting(harness: BotInWorkspace, number: int) -> bool:
    return await harness.bot.database.outbox.waiting() == number


async def test_a_lost_answer_makes_no_second_card(harness: BotInWorkspace) -> None:
    harness.slack.faults.fail_next("chat.postMessage", lost=True)
    await harness.send(a_trace(1))
    card = await harness.card("tr-1")
    await harness.learned()
    assert cards(harness) == ["tr-1"]
    harness.react(card, "-1")
    assert (await harness.feedback(card))["ana"].vote == "down"


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


async def test_a_bot_that_was_thrown_out_says_to_invite_it(harness: BotInWorkspace) -> None:
    harness.workspace.leave(harness.workspace.bot.id, harness.channel.id)
    await harness.send(a_trace(1))
    await harness.until_async(lambda: harness.tells("/invite"))
    (answer,) = await harness.asked(harness.ana, "status")
    assert "1 message to post" in answer
    harness.workspace.join(harness.workspace.bot.id, harness.channel.id)
    await harness.card("tr-1")


@pytest.mark.parametrize("author", ["another app", "a person"])
async def test_a_message_of_somebody_else_with_our_metadata_is_not_taken_for_the_card(
    harness: BotInWorkspace, author: str
) -> None:
    """The id of a post can be guessed; its author and its nonce cannot."""
    marks: Json = (
        {"is_bot": True, "bot_id": "B0OTHER", "app_id": "A0OTHER"} if author == "another app" else {}
    )
    forger = harness.workspace.add_user("forger", **marks)
    harness.workspace.join(forger.id, harness.channel.id)
    genuine = (await harness.show("tr-1")).metadata or {}
    verdict_id = verdict_id_of("politeness", "tr-2")
    guess = {"trace_id": "tr-2", "verdict_id": verdict_id, "post_id": card_post_id_of(verdict_id)}
    harness.slack.faults.fail_next("chat.postMessage", error="internal_error")
    harness.workspace.add_message(
        Message(
            ts=harness.workspace.clock.mint(),
            channel=harness.channel.id,
            user=forger.id,
            text="pass",
            metadata={**genuine, "event_payload": {**genuine["event_payload"], **guess}},
        )
    )
    await harness.send(a_trace(2))
    await harness.until_async(lambda: shown_by_the_bot(harness, "tr-2"))
    stored = (await harness.bot.database.verdicts.of_trace("tr-2"))[0]
    shown = harness.workspace.message(harness.channel.id, stored.message_ts or "")
    assert shown.user == harness.workspace.bot.id


async def shown_by_the_bot(harness: BotInWorkspace, trace_id: str) -> bool:
    verdicts = await harness.bot.database.verdicts.of_trace(trace_id)
    return bool(verdicts) and verdicts[0].message_ts is not None


async def test_each_card_carries_a_mark_of_128_random_bits(harness: BotInWorkspace) -> None:
    payloads = [(await harness.show(name)).metadata or {} for name in ("tr-1", "tr-2")]
    nonces = {payload["event_payload"]["nonce"] for payload in payloads}
    assert len(nonces) == 2
    assert {len(bytes.fromhex(nonce)) for nonce in nonces} == {16}
    assert all(payload["event_type"] == "memalign_verdict" for payload in payloads)
