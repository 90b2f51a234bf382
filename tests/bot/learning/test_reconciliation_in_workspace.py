"""Acts of people while the bot was away are taken in when it is back, and only once."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.sandbox import Message, Workspace
from bot.slack.answer_time import answer_time
from memalign.records import Json
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace

REASON = "The answer should never send people away."


@asynccontextmanager
async def caught_up(folder: Path, workspace: Workspace) -> AsyncIterator[BotInWorkspace]:
    """The bot back at work in the workspace, once it has asked for what it missed."""
    async with bot_in_workspace(folder, workspace=workspace) as harness:
        await harness.reconciled()
        await harness.learned()
        yield harness


async def shown(folder: Path, workspace: Workspace) -> Message:
    async with bot_in_workspace(folder, workspace=workspace) as harness:
        card = await harness.show("tr-1")
        await harness.learned()  # the store knows the card by now, not only the workspace
        return card


async def test_thumbs_and_replies_given_meanwhile_are_learned(tmp_path: Path) -> None:
    workspace = Workspace()
    card = await shown(tmp_path, workspace)
    ana = next(user for user in workspace.users.values() if user.name == "ana")
    workspace.react(ana.id, card.channel, card.ts, "-1::skin-tone-4")
    workspace.post(ana.id, card.channel, REASON, thread_ts=card.ts)
    async with caught_up(tmp_path, workspace) as harness:
        feedback = (await harness.feedback(card))["ana"]
        assert (feedback.vote, feedback.rationale) == ("down", REASON)
        assert any("never send people away" in rule for rule in harness.rules())


async def test_what_was_taken_back_meanwhile_is_taken_back(tmp_path: Path) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        card = await harness.show("tr-1")
        harness.react(card, "shrug", by=harness.ben)
        harness.react(card, "-1")
        reply = harness.reply(card, REASON)
        await harness.learned()
        assert harness.rules() != []
    workspace.unreact(harness.ana.id, card.channel, card.ts, "-1")
    workspace.delete(harness.ana.id, card.channel, reply)
    async with caught_up(tmp_path, workspace) as harness:
        feedback = await harness.feedback(card)
        assert (feedback["ana"].vote, feedback["ana"].rationale) == (None, "")
        assert feedback["ben"].vote == "unsure"
        assert harness.rules() == []


async def test_catching_up_with_nothing_new_changes_nothing(tmp_path: Path) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        card = await harness.show("tr-1")
        harness.react(card, "-1")
        harness.reply(card, REASON)
        await harness.learned()
        stored = await harness.bot.database.verdicts.by_card(card.channel, card.ts)
        thread = harness.thread(card)
    for _ in range(2):
        async with caught_up(tmp_path, workspace) as harness:
            assert await harness.bot.database.verdicts.by_card(card.channel, card.ts) == stored
            assert harness.thread(card) == thread


async def test_a_gap_in_the_connection_is_caught_up_with(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show("tr-1")
        await harness.reconciled()
        await unheard(harness, lambda: harness.react(card, "-1"))
        await harness.until_async(lambda: has_voted(harness, card))
        assert (await harness.feedback(card))["ana"].vote == "down"


async def has_voted(harness: BotInWorkspace, card: Message, name: str = "ana") -> bool:
    stored = await harness.bot.database.verdicts.by_card(card.channel, card.ts)
    people = await harness.bot.database.feedback.of(stored.verdict_id) if stored else {}
    return name in {harness.workspace.users[person].name for person in people}


def card_in(harness: BotInWorkspace, channel: str) -> Message | None:
    """The card in a channel that has one only."""
    return next((message for message in harness.workspace.messages(channel) if message.metadata), None)


def two_channels(*, private: bool = False) -> tuple[Workspace, str, list[Json]]:
    """A workspace, the channel of its second judge, and both judges."""
    workspace = Workspace()
    people = [workspace.add_user(name).id for name in ("ana", "ben")]
    workspace.add_channel(JUDGE, members=people, private=private)
    other = workspace.add_channel("brevity", members=people).id
    return workspace, other, [{}, {"name": "brevity", "channel": other}]


@pytest.mark.parametrize("private", [False, True])
async def test_a_channel_without_the_bot_holds_up_no_other_and_is_asked_once_it_is_back(
    tmp_path: Path, private: bool
) -> None:
    workspace, other, judges = two_channels(private=private)
    async with bot_in_workspace(tmp_path, workspace=workspace, judges=judges) as harness:
        shut = await harness.show("tr-1")
        beside = await harness.until(lambda: card_in(harness, other))
        await harness.learned()  # the store knows both cards by now, not only the workspace
    bot = workspace.bot.id
    workspace.leave(bot, shut.channel)
    for card in (shut, beside):
        workspace.react(harness.ana.id, card.channel, card.ts, "-1")
    async with bot_in_workspace(tmp_path, workspace=workspace, judges=judges) as harness:
        await harness.until_async(lambda: has_voted(harness, beside))
        await harness.until(lambda: waiting(harness))
        assert "invite" in (harness.bot.health.reason("reading cards", JUDGE) or "")
        assert not await harness.bot.reconciler.is_up_to_date()
        await unheard(harness, lambda: harness.react(beside, "shrug", by=harness.ben))
        await harness.until_async(lambda: has_voted(harness, beside, "ben"))
        assert (waiting(harness), await has_voted(harness, shut)) == ({JUDGE}, False)
        workspace.join(bot, shut.channel)
        await harness.reconciled()
        assert (await harness.feedback(shut))["ana"].vote == "down"
        assert waiting(harness) == set()


def waiting(harness: BotInWorkspace) -> set[str]:
    """The judges whose cards cannot be read."""
    return set(harness.bot.health.subjects("reading cards"))


async def unheard(harness: BotInWorkspace, *acts: Callable[[], None]) -> None:
    """Do something of which Slack never tells, and cut the connection for some seconds."""
    harness.slack.faults.withhold_events()
    for act in acts:
        act()
    harness.slack.faults.fail_next("apps.connections.open", error="internal_error")
    await harness.slack.faults.disconnect(announce=False)


def answer_at(date: str | None) -> AsyncSlackResponse:
    return AsyncSlackResponse(
        client=AsyncWebClient(),
        http_verb="POST",
        api_url="",
        req_args={},
        data={},
        headers={"Date": date} if date else {},
        status_code=200,
    )


def test_the_reading_time_reading_is_slacks_not_that_of_a_wrong_clock() -> None:
    """2026-11-20 12:00:00 UTC is 1795176000."""
    date, noon = "Fri, 20 Nov 2026 12:00:00 GMT", 1795176000
    assert answer_time(answer_at(date), noon + 0.4, 0.2) == f"{noon + 0.4:.6f}"
    assert answer_time(answer_at(date), noon + 300, 0.2) == f"{noon + 1:.6f}"
    assert answer_time(answer_at(date), noon - 300, 0.2) == f"{noon - 0.2:.6f}"
    assert answer_time(answer_at(None), noon + 7, 0.2) == f"{noon + 7:.6f}"
