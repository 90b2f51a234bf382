"""The same bot over Slack's signed HTTP, without an app token."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.sandbox import Message
from memalign.records import Json
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace

RULE = "The answer should never send people away."


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path, http=True) as ready:
        yield ready


async def test_the_three_flows_over_http(harness: BotInWorkspace) -> None:
    assert await harness.slack.verify_address()
    card = await harness.show("tr-1")
    harness.react(card, "-1")
    harness.reply(card, RULE)
    await harness.learned()
    assert harness.rules() == [RULE]
    assert any(RULE in text for text in harness.thread(card))
    assert RULE in (await harness.asked(harness.ben, "guidelines"))[0]
    await harness.press(card, "vote_down", by=harness.ben)
    view = (await harness.until(lambda: harness.slack.views(harness.ben.id)))[-1]
    await harness.slack.modals.submit(harness.ben.id, view.id, {"reason": "It is curt."})
    harness.workspace.open_home(harness.ana.id)
    await harness.until(lambda: harness.slack.home(harness.ana.id))
    await harness.asked(harness.ana, "forget tr-1")
    asking = harness.slack.ephemerals[-1]
    done = await harness.ephemeral_answer(
        harness.slack.interactions.click(harness.ana.id, asking.channel, asking.ts, "forget_confirm")
    )
    assert "is forgotten" in done
    await harness.until(lambda: harness.shown("tr-1") is None)
    assert harness.rules() == []
    assert all(delivery.acked for delivery in harness.slack.deliveries)


async def test_repeated_deliveries_change_nothing(harness: BotInWorkspace) -> None:
    card = await harness.show("tr-1")
    harness.slack.faults.drop_acks(2)
    harness.react(card, "-1")
    await harness.slack.settled()
    harness.slack.faults.redeliver_last()
    await harness.learned()
    assert (await harness.feedback(card))["ana"].vote == "down"
    assert len(harness.thread(card)) == 1


async def test_ready_without_a_socket(harness: BotInWorkspace) -> None:
    await harness.until_async(lambda: _ready(harness))
    assert (await harness.get("/readyz"))[0] == 200
    assert [call.method for call in harness.slack.calls if call.method == "apps.connections.open"] == []


async def _ready(harness: BotInWorkspace) -> bool:
    return (await harness.get("/readyz"))[0] == 200


async def posted(harness: BotInWorkspace, body: str, headers: dict[str, str]) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{harness.bot.url}/slack/events",
            data=body,
            headers={"Content-Type": "application/json", **headers},
        ) as answer,
    ):
        return answer.status


def signed(body: str, secret: str, at: float) -> dict[str, str]:
    stamp = str(int(at))
    mark = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mark}"}


def enveloped(harness: BotInWorkspace, event: Json) -> str:
    return json.dumps(
        {
            "type": "event_callback",
            "event_id": f"Ev{event['event_ts']}",
            "team_id": harness.workspace.team_id,
            "api_app_id": harness.workspace.app_id,
            "event": event,
        }
    )


def a_reaction(harness: BotInWorkspace, card: Message, kind: str, name: str, at: float) -> Json:
    item = {"type": "message", "channel": card.channel, "ts": card.ts}
    return {"type": kind, "user": harness.ana.id, "reaction": name, "item": item, "event_ts": f"{at:.6f}"}


def a_message(harness: BotInWorkspace, card: Message, ts: float, text: str) -> Json:
    return {"user": harness.ana.id, "ts": f"{ts:.6f}", "thread_ts": card.ts, "text": text}


async def test_events_may_come_in_any_order(harness: BotInWorkspace) -> None:
    card = await harness.show("tr-1")
    now = time.time()
    written = {**a_message(harness, card, now, "first"), "type": "message", "event_ts": f"{now:.6f}"}
    edited = {**a_message(harness, card, now, "second"), "edited": {"ts": f"{now + 2:.6f}"}}
    deleted = a_message(harness, card, now + 1, "never mind")
    changes: list[Json] = [
        {"subtype": "message_changed", "message": edited, "previous_message": {**edited, "text": "first"}},
        {"subtype": "message_deleted", "deleted_ts": deleted["ts"], "previous_message": deleted},
    ]
    events = [
        *(
            {"type": "message", "event_ts": f"{now + 3 + n:.6f}", **change}
            for n, change in enumerate(changes)
        ),
        written,
        {**deleted, "type": "message", "event_ts": deleted["ts"]},
        a_reaction(harness, card, "reaction_removed", "+1", now + 6),
        a_reaction(harness, card, "reaction_added", "-1", now + 7),
        a_reaction(harness, card, "reaction_added", "+1", now + 5),
    ]
    for event in ({"channel": card.channel, **event} for event in events):
        body = enveloped(harness, event)
        assert await posted(harness, body, signed(body, harness.slack.signing_secret, time.time())) == 200
    feedback = (await harness.feedback(card))["ana"]
    assert (feedback.vote, feedback.rationale) == ("down", "second")


async def test_only_what_slack_signed_just_now_is_taken(harness: BotInWorkspace) -> None:
    card = await harness.show("tr-1")
    body = enveloped(harness, a_reaction(harness, card, "reaction_added", "+1", time.time()))
    secret, now = harness.slack.signing_secret, time.time()
    assert await posted(harness, body, {}) == 401
    assert await posted(harness, body, signed(body, "another secret", now)) == 401
    assert await posted(harness, body, signed(body, secret, now - 600)) == 401
    assert await posted(harness, body, signed(body + " ", secret, now)) == 401
    assert await harness.feedback(card) == {}
    assert await posted(harness, body, signed(body, secret, now)) == 200
    assert (await harness.feedback(card))["ana"].vote == "up"


async def test_a_small_limit_for_traces_does_not_keep_slack_out(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, http=True, ingest={"max_body_mb": 0.0005}) as harness:
        card = await harness.show("tr-1")
        await harness.press(card, "vote_up")
        assert (await harness.feedback(card))["ana"].vote == "up"


async def test_socket_mode_says_that_http_is_not_its_way(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        assert await posted(harness, "{}", {}) == 404
