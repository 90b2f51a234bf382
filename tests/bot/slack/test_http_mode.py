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
from tests.bot.bot_in_workspace import Stage, staged

RULE = "The answer should never send people away."


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, http=True) as ready:
        yield ready


async def test_the_three_flows_over_http(stage: Stage) -> None:
    assert await stage.slack.verify_address()
    card = await stage.show("tr-1")
    stage.react(card, "-1")
    stage.reply(card, RULE)
    await stage.learned()
    assert stage.rules() == [RULE]
    assert any(RULE in said for said in stage.thread(card))
    assert RULE in (await stage.asked(stage.ben, "guidelines"))[0]
    await stage.press(card, "vote_down", by=stage.ben)
    view = (await stage.until(lambda: stage.slack.views(stage.ben.id)))[-1]
    await stage.slack.submit(stage.ben.id, view.id, {"reason": "It is curt."})
    await stage.slack.open_home(stage.ana.id)
    await stage.until(lambda: stage.slack.home(stage.ana.id))
    await stage.asked(stage.ana, "forget tr-1")
    asking = stage.slack.ephemerals[-1]
    done = await stage.whispered(stage.slack.click(stage.ana.id, asking.channel, asking.ts, "forget_confirm"))
    assert "is forgotten" in done
    await stage.until(lambda: stage.shown("tr-1") is None)
    assert stage.rules() == []
    assert all(delivery.acked for delivery in stage.slack.deliveries)


async def test_repeated_deliveries_change_nothing(stage: Stage) -> None:
    card = await stage.show("tr-1")
    stage.slack.drop_acks(2)
    stage.react(card, "-1")
    await stage.slack.settled()
    stage.slack.redeliver_last()
    await stage.learned()
    assert (await stage.feedback(card))["ana"].vote == "down"
    assert len(stage.thread(card)) == 1


async def test_ready_without_a_socket(stage: Stage) -> None:
    await stage.until_async(lambda: _ready(stage))


async def _ready(stage: Stage) -> bool:
    return (await stage.get("/readyz"))[0] == 200


async def posted(stage: Stage, body: str, headers: dict[str, str]) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{stage.bot.url}/slack/events",
            data=body,
            headers={"Content-Type": "application/json", **headers},
        ) as answer,
    ):
        return answer.status


def signed(body: str, secret: str, at: float) -> dict[str, str]:
    stamp = str(int(at))
    mark = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mark}"}


def enveloped(stage: Stage, event: Json) -> str:
    return json.dumps(
        {
            "type": "event_callback",
            "event_id": f"Ev{event['event_ts']}",
            "team_id": stage.workspace.team_id,
            "api_app_id": stage.workspace.app_id,
            "event": event,
        }
    )


def a_reaction(stage: Stage, card: Message, kind: str, name: str, at: float) -> Json:
    item = {"type": "message", "channel": card.channel, "ts": card.ts}
    return {"type": kind, "user": stage.ana.id, "reaction": name, "item": item, "event_ts": f"{at:.6f}"}


def a_message(stage: Stage, card: Message, ts: float, text: str) -> Json:
    return {"user": stage.ana.id, "ts": f"{ts:.6f}", "thread_ts": card.ts, "text": text}


async def test_events_may_come_in_any_order(stage: Stage) -> None:
    card = await stage.show("tr-1")
    now = time.time()
    written = {**a_message(stage, card, now, "first"), "type": "message", "event_ts": f"{now:.6f}"}
    edited = {**a_message(stage, card, now, "second"), "edited": {"ts": f"{now + 2:.6f}"}}
    gone = a_message(stage, card, now + 1, "never mind")
    changes: list[Json] = [
        {"subtype": "message_changed", "message": edited, "previous_message": {**edited, "text": "first"}},
        {"subtype": "message_deleted", "deleted_ts": gone["ts"], "previous_message": gone},
    ]
    events = [
        *(
            {"type": "message", "event_ts": f"{now + 3 + n:.6f}", **change}
            for n, change in enumerate(changes)
        ),
        written,
        {**gone, "type": "message", "event_ts": gone["ts"]},
        a_reaction(stage, card, "reaction_removed", "+1", now + 6),
        a_reaction(stage, card, "reaction_added", "-1", now + 7),
        a_reaction(stage, card, "reaction_added", "+1", now + 5),
    ]
    for event in ({"channel": card.channel, **event} for event in events):
        body = enveloped(stage, event)
        assert await posted(stage, body, signed(body, stage.slack.signing_secret, time.time())) == 200
    said = (await stage.feedback(card))["ana"]
    assert (said.vote, said.rationale) == ("down", "second")


async def test_only_what_slack_signed_just_now_is_taken(stage: Stage) -> None:
    card = await stage.show("tr-1")
    body = enveloped(stage, a_reaction(stage, card, "reaction_added", "+1", time.time()))
    secret, now = stage.slack.signing_secret, time.time()
    assert await posted(stage, body, {}) == 401
    assert await posted(stage, body, signed(body, "another secret", now)) == 401
    assert await posted(stage, body, signed(body, secret, now - 600)) == 401
    assert await posted(stage, body, signed(body + " ", secret, now)) == 401
    assert await stage.feedback(card) == {}
    assert await posted(stage, body, signed(body, secret, now)) == 200
    assert (await stage.feedback(card))["ana"].vote == "up"


async def test_a_small_limit_for_traces_does_not_keep_slack_out(tmp_path: Path) -> None:
    async with staged(tmp_path, http=True, ingest={"max_body_mb": 0.0005}) as stage:
        card = await stage.show("tr-1")
        await stage.press(card, "vote_up")
        assert (await stage.feedback(card))["ana"].vote == "up"


async def test_socket_mode_says_that_http_is_not_its_way(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        assert await posted(stage, "{}", {}) == 404
