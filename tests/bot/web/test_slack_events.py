"""`POST /slack/events`: size, then signature, then shape; never 500, and nothing counts twice."""

import asyncio
import json
import time
import urllib.parse
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.blocks.correction import REASON_VIEW
from bot.sandbox import Message
from bot.web.slack_events import MAX_SLACK_BODY
from memalign.records import Json
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.bot.slack.signed_requests import (
    FORM,
    JSON,
    post_body,
    post_command,
    post_event,
    post_interaction,
    post_signed,
    signature_headers,
)


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path, http=True) as ready:
        yield ready


def a_press(harness: BotInWorkspace, channel: str, ts: str, **action: Json) -> Json:
    pressed = {"type": "button", "block_id": "b", "action_id": "vote_down", "value": "x"}
    return {
        "type": "block_actions",
        "user": {"id": harness.ana.id},
        "team": {"id": harness.workspace.team_id},
        "api_app_id": harness.workspace.app_id,
        "channel": {"id": channel},
        "message": {"ts": ts},
        "container": {"message_ts": ts, "channel_id": channel},
        "trigger_id": "1.2.a",
        "response_url": f"{harness.slack.url}/none",
        "actions": [{**pressed, "action_ts": f"{time.time():.6f}", **action}],
    }


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"hello", JSON),
        (b"[]", JSON),
        (b"payload=x", FORM),
        (b"\xff\xfe\xfd", JSON),
        (b"{}", "application/json; charset=nonsense"),
        (b"", JSON),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
    ],
)
async def test_what_is_not_signed_is_401(harness: BotInWorkspace, body: bytes, kind: str) -> None:
    assert (await post_body(harness.bot.url, body, {}, kind))[0] == 401
    stale = signature_headers(body, harness.slack.signing_secret, "1")
    assert (await post_body(harness.bot.url, body, stale, kind))[0] == 401


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"null", JSON),
        (b"5", JSON),
        (b"[" * 50_000, JSON),
        (b'{"type":' + b"[" * 50_000, "text/plain"),
        (b"\xff\xfe\xfd", JSON),
        (b"payload=x", FORM),
        (b"payload=null", FORM),
        (b"payload=" + b"%5B" * 50_000, FORM),
        (b"a=b", FORM),
        (b"", JSON),
        (b'{"type": "event_callback", "event": null}', JSON),
        (b'{"type": "event_callback", "event": {"type": "message"}}', JSON),
        (b'{"type": "event_callback", "event": {"type": "reaction_added", "reaction": "+1"}}', JSON),
        (b'{"type": "block_actions", "user": "U1", "actions": 5}', JSON),
        (b'{"type": "view_submission", "user": {"id": "U1"}, "view": {"id": 5}}', JSON),
        (b'{"type": "event_callback", "authorizations": "x", "event": {"type": "team_join"}}', JSON),
    ],
)
async def test_what_is_signed_and_malformed_is_400(harness: BotInWorkspace, body: bytes, kind: str) -> None:
    assert await post_signed(harness, body, kind) == 400


async def test_what_is_too_large_is_413(harness: BotInWorkspace) -> None:
    body = b" " * (MAX_SLACK_BODY + 1)
    assert await post_signed(harness, body) == 413
    statuses = await asyncio.gather(*(post_body(harness.bot.url, b"x" * 15_000_000, {}) for _ in range(20)))
    assert {status for status, _ in statuses} == {413}


async def test_a_wrong_signing_secret_is_told_until_slack_fits_again(harness: BotInWorkspace) -> None:
    body = b'{"type": "url_verification", "challenge": "c"}'
    wrong = signature_headers(body, "the secret of another app")
    assert (await post_body(harness.bot.url, body, wrong))[0] == 401
    assert await harness.tells("SLACK_SIGNING_SECRET")
    assert "SLACK_SIGNING_SECRET" in (await harness.get("/readyz"))[1]
    metrics = (await harness.get("/metrics"))[1]
    assert 'memalign_slack_requests_refused{reason="wrong secret"} 1.0' in metrics
    old = signature_headers(body, harness.slack.signing_secret, str(int(time.time()) - 3600))
    assert (await post_body(harness.bot.url, body, old))[0] == 401
    assert await harness.tells("clock")
    assert await post_signed(harness, body) == 200
    assert not await harness.tells("clock")
    assert not await harness.tells("SLACK_SIGNING_SECRET")


async def test_a_press_delivered_twice_counts_once(harness: BotInWorkspace) -> None:
    card = await harness.show()
    press = a_press(harness, card.channel, card.ts)
    for _ in range(3):
        assert await post_interaction(harness, press) == 200
        assert (await harness.feedback(card))["ana"].vote == "down"
    assert await post_interaction(harness, a_press(harness, card.channel, card.ts)) == 200
    assert (await harness.feedback(card))["ana"].vote == "down"
    assert await post_interaction(harness, press) == 200
    assert (await harness.feedback(card))["ana"].vote == "down"


async def test_a_press_delivered_again_after_a_restart_counts_once(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, http=True) as harness:
        card = await harness.show()
        press = a_press(harness, card.channel, card.ts)
        await post_interaction(harness, press)
        workspace = harness.workspace
    async with bot_in_workspace(tmp_path, workspace=workspace, http=True) as harness:
        assert await post_interaction(harness, press) == 200
        assert (await harness.feedback(card))["ana"].vote == "down"


async def a_submission(harness: BotInWorkspace, card: Message) -> Json:
    """The request that Slack sends as ana submits the modal that her 👎 opened."""
    await harness.press(card, "vote_down")
    view = (await harness.until(lambda: harness.slack.views(harness.ana.id)))[-1]
    return {
        "type": "view_submission",
        "user": {"id": harness.ana.id},
        "team": {"id": harness.workspace.team_id},
        "api_app_id": harness.workspace.app_id,
        "trigger_id": "1.3.b",
        "view": {
            "id": view.id,
            "type": "modal",
            "callback_id": view.content["callback_id"],
            "private_metadata": view.content["private_metadata"],
            "state": {"values": {"reason": {"reason": {"type": "plain_text_input", "value": "curt"}}}},
        },
    }


async def test_a_modal_and_a_command_sent_again_after_a_restart_change_nothing(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, http=True) as harness:
        card = await harness.show()
        submission = await a_submission(harness, card)
        assert await post_interaction(harness, submission) == 200
        await harness.press(card, "vote_up")
        fields = {
            "command": "/memalign",
            "text": "forget --person me --yes",
            "user_id": harness.ben.id,
            "channel_id": harness.channel.id,
            "team_id": harness.workspace.team_id,
            "api_app_id": harness.workspace.app_id,
            "response_url": f"{harness.slack.url}/none",
        }
        body = urllib.parse.urlencode(fields).encode()
        headers = signature_headers(body, harness.slack.signing_secret)
        assert (await post_body(harness.bot.url, body, headers, FORM))[0] == 200
        await harness.learned()
        harness.react(card, "-1", by=harness.ben)
        assert (await harness.feedback(card))["ben"].vote == "down"
        workspace = harness.workspace
    async with bot_in_workspace(tmp_path, workspace=workspace, http=True) as harness:
        assert await post_interaction(harness, submission) == 200
        assert (await post_body(harness.bot.url, body, headers, FORM))[0] == 200
        votes = {name: each.vote for name, each in (await harness.feedback(card)).items()}
        assert votes == {"ana": "up", "ben": "down"}


async def test_a_modal_submitted_twice_takes_no_later_vote_back(harness: BotInWorkspace) -> None:
    card = await harness.show()
    submission = await a_submission(harness, card)
    assert await post_interaction(harness, submission) == 200
    await harness.press(card, "vote_up")
    assert (await harness.feedback(card))["ana"].vote == "up"
    assert await post_interaction(harness, submission) == 200
    assert (await harness.feedback(card))["ana"].vote == "up"


@pytest.mark.parametrize(
    "metadata",
    [
        "",
        "{",
        "5",
        "null",
        "[]",
        "{}",
        '{"verdict_id": 5, "card_ts": "1.1"}',
        '{"verdict_id": "v"}',
        "[" * 9_000,
    ],
)
async def test_odd_private_metadata_is_400(harness: BotInWorkspace, metadata: str) -> None:
    await harness.show()
    submission = {
        "type": "view_submission",
        "user": {"id": harness.ana.id},
        "view": {
            "id": "V1",
            "callback_id": REASON_VIEW,
            "private_metadata": metadata,
            "state": {"values": {}},
        },
    }
    assert await post_interaction(harness, submission) == 400


@pytest.mark.parametrize("value", ["", "{", "null", "[1]", "NaN-", "[" * 9_000])
async def test_an_odd_value_of_a_menu_is_400_and_is_not_stored(harness: BotInWorkspace, value: str) -> None:
    card = await harness.show()
    press = a_press(
        harness, card.channel, card.ts, action_id="correct_value", selected_option={"value": value}
    )
    assert await post_interaction(harness, press) == 400
    assert await harness.feedback(card) == {}


async def test_a_reply_at_no_time_is_refused_and_the_card_goes_on(harness: BotInWorkspace) -> None:
    card = await harness.show()
    reply = {"type": "message", "channel": card.channel, "user": harness.ana.id, "thread_ts": card.ts}
    assert await post_event(harness, {**reply, "text": "why", "ts": "yesterday"}) == 400
    assert await post_event(harness, {**reply, "text": 5, "ts": "9.1"}) == 400
    harness.react(card, "-1")
    harness.reply(card, "An answer must never send people away.")
    await harness.learned()
    assert harness.rules() == ["An answer must never send people away."]


async def test_refusals_are_counted_and_fill_no_log(
    harness: BotInWorkspace, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(30):
        assert await post_signed(harness, json.dumps([number]).encode()) == 400
        assert (await post_body(harness.bot.url, b"hello", {}))[0] == 401
    metrics = (await harness.get("/metrics"))[1]
    assert 'memalign_slack_requests_refused{reason="payload"} 30.0' in metrics
    assert 'memalign_slack_requests_refused{reason="unsigned"} 30.0' in metrics
    assert len([record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]) == 1


async def test_a_command_sent_again_is_done_once_and_typed_again_twice(harness: BotInWorkspace) -> None:
    fields = {
        "command": "/memalign",
        "text": "status",
        "user_id": harness.ana.id,
        "channel_id": harness.channel.id,
        "team_id": harness.workspace.team_id,
        "api_app_id": harness.workspace.app_id,
        "response_url": f"{harness.slack.url}/none",
    }
    assert await post_command(harness, **fields) == 200
    body = urllib.parse.urlencode(fields).encode()
    headers = signature_headers(body, harness.slack.signing_secret)
    assert (await post_body(harness.bot.url, body, headers, FORM))[0] == 200
    assert (await post_body(harness.bot.url, body, headers, FORM))[0] == 200
