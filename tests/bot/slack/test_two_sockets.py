"""An app may have several connections: Slack gives an event to one of them, and its repetition to another."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient

from memalign.records import Json
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace

REASON = "The answer should never send people away."


@asynccontextmanager
async def two_sockets(folder: Path, heard: list[str]) -> AsyncIterator[BotInWorkspace]:
    """The bot with a second connection of the same app; `heard` takes what comes over that one."""

    async def note(_: AsyncBaseSocketModeClient, message: Json, __: str | None) -> None:
        if message.get("type") == "events_api":
            heard.append(message["payload"]["event_id"])

    async with bot_in_workspace(folder) as harness:
        handler = AsyncSocketModeHandler(harness.bot.resources.slack.app, harness.slack.app_token)
        handler.client.message_listeners.append(note)
        await handler.connect_async()  # type: ignore[no-untyped-call] # slack_sdk gives no types here
        try:
            await harness.until(lambda: harness.slack.connections == 2)
            yield harness
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call] # slack_sdk gives no types here


async def test_an_event_that_comes_over_both_connections_is_one_vote_and_one_lesson(tmp_path: Path) -> None:
    heard: list[str] = []
    async with two_sockets(tmp_path, heard) as harness:
        card = await harness.show("tr-1")
        await harness.slack.settled()
        harness.slack.faults.drop_acks(1)
        harness.react(card, "-1")
        await harness.slack.settled()
        vote = harness.slack.deliveries[-1]
        harness.slack.faults.drop_acks(1)
        harness.reply(card, REASON)
        await harness.slack.settled()
        reason = harness.slack.deliveries[-1]
        await harness.learned()
        for delivery in (vote, reason):
            # the second connection had it once, so that the other attempt went over the first
            assert (delivery.attempts, heard.count(delivery.event_id or "")) == (2, 1)
        feedback = await harness.feedback(card)
        assert list(feedback) == ["ana"]
        assert (feedback["ana"].vote, feedback["ana"].rationale) == ("down", REASON)
        assert list(harness.labels()) == ["tr-1"]
        assert len(harness.rules()) == 1
        [lesson] = harness.thread(card)
        assert "never send people away" in lesson
