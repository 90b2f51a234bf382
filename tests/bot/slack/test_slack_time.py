"""A machine whose clock is wrong: Slack's requests are judged by Slack's clock, and old ones stay refused."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path

import pytest

from bot.runtime.reference_clock import ReferenceClock
from bot.slack.slack_time import REFRESH_SECONDS, SlackTime
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.bot.fakes import CUT, Answer, FakeSlack
from tests.bot.slack.signed_requests import post_body, post_signed, signature_headers

BODY = b'{"type": "url_verification", "challenge": "c"}'
HOUR_MS = 3_600_000


@asynccontextmanager
async def bot_on_a_machine_that_is_off(
    folder: Path, off_ms: int, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BotInWorkspace]:
    """Start the bot where the machine's clock is off by that much; the workspace's is right."""
    right_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: right_ns() + off_ms * 1_000_000)
    async with bot_in_workspace(folder, http=True) as harness:
        yield harness


@pytest.mark.parametrize("off_ms", [-HOUR_MS, HOUR_MS, 6 * 60_000, -400_000, 365 * 24 * HOUR_MS])
async def test_with_a_clock_that_is_off_nothing_of_slacks_is_lost_and_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, off_ms: int
) -> None:
    async with bot_on_a_machine_that_is_off(tmp_path, off_ms, monkeypatch) as harness:
        assert await post_signed(harness, BODY) == 200
        assert "This machine's clock is" in (await harness.get("/readyz"))[1]
        card = await harness.show()
        harness.react(card, "-1")
        assert (await harness.feedback(card))["ana"].vote == "down"


@pytest.mark.parametrize("off_ms", [-HOUR_MS, 0, HOUR_MS])
async def test_a_request_that_is_old_by_slacks_clock_is_refused_whatever_the_machine_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, off_ms: int
) -> None:
    async with bot_on_a_machine_that_is_off(tmp_path, off_ms, monkeypatch) as harness:
        for timestamp in (time.time() - 3600, time.time() + 3600):
            old = signature_headers(BODY, harness.slack.signing_secret, str(int(timestamp)))
            assert (await post_body(harness.bot.url, BODY, old))[0] == 401
        assert await harness.tells("somebody sends old requests again")


@pytest.mark.parametrize("off_ms", [-HOUR_MS, HOUR_MS])
async def test_the_time_is_asked_for_where_no_answer_has_told_it_yet(off_ms: int) -> None:
    slack = FakeSlack()
    slack.clock = ReferenceClock(own_ms=lambda: time.time_ns() // 1_000_000 + off_ms)
    slack.answers["auth.test"].append(Answer(data={"ok": True}, date=formatdate(time.time(), usegmt=True)))
    slack_time = SlackTime(slack)
    assert abs(slack_time.now_seconds() - time.time()) > 3000
    assert await slack_time.refresh()
    assert abs(slack_time.now_seconds() - time.time()) < 60


async def test_slack_is_asked_for_the_time_once_a_minute_however_many_old_requests_come() -> None:
    slack, seconds = FakeSlack(), [1000.0]
    slack_time = SlackTime(slack, lambda: seconds[0])
    assert [await slack_time.refresh() for _ in range(20)] == [True] + [False] * 19
    assert len(slack.of("auth.test")) == 1
    seconds[0] += REFRESH_SECONDS
    slack.answers["auth.test"].append(CUT)
    assert not await slack_time.refresh()
    assert len(slack.of("auth.test")) == 2
