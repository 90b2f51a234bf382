"""What people did while the bot was away is taken in when it is back, and only once."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.learning.card_snapshot import moment_of
from bot.sandbox import Message, Workspace
from memalign.records import Json
from tests.bot.bot_in_workspace import JUDGE, Stage, staged

REASON = "The answer should never send people away."


@asynccontextmanager
async def caught_up(folder: Path, workspace: Workspace) -> AsyncIterator[Stage]:
    """The bot back at work in the workspace, once it has asked for what it missed."""
    async with staged(folder, workspace=workspace) as stage:
        await stage.until(lambda: stage.bot.reconciler.rounds)
        await stage.learned()
        yield stage


async def shown(folder: Path, workspace: Workspace) -> Message:
    async with staged(folder, workspace=workspace) as stage:
        card = await stage.show("tr-1")
        await stage.learned()  # the store knows the card by now, not only the workspace
        return card


async def test_thumbs_and_replies_given_meanwhile_are_learned(tmp_path: Path) -> None:
    workspace = Workspace()
    card = await shown(tmp_path, workspace)
    ana = next(user for user in workspace.users.values() if user.name == "ana")
    workspace.react(ana.id, card.channel, card.ts, "-1::skin-tone-4")
    workspace.post(ana.id, card.channel, REASON, thread_ts=card.ts)
    async with caught_up(tmp_path, workspace) as stage:
        said = (await stage.feedback(card))["ana"]
        assert (said.vote, said.rationale) == ("down", REASON)
        assert any("never send people away" in rule for rule in stage.rules())


async def test_what_was_taken_back_meanwhile_is_taken_back(tmp_path: Path) -> None:
    workspace = Workspace()
    async with staged(tmp_path, workspace=workspace) as stage:
        card = await stage.show("tr-1")
        stage.react(card, "shrug", by=stage.ben)
        stage.react(card, "-1")
        reply = stage.reply(card, REASON)
        await stage.learned()
        assert stage.rules() != []
    workspace.unreact(stage.ana.id, card.channel, card.ts, "-1")
    workspace.delete(stage.ana.id, card.channel, reply)
    async with caught_up(tmp_path, workspace) as stage:
        feedback = await stage.feedback(card)
        assert (feedback["ana"].vote, feedback["ana"].rationale) == (None, "")
        assert feedback["ben"].vote == "unsure"
        assert stage.rules() == []


async def test_an_edit_made_meanwhile_counts(tmp_path: Path) -> None:
    workspace = Workspace()
    async with staged(tmp_path, workspace=workspace) as stage:
        card = await stage.show("tr-1")
        stage.react(card, "-1")
        reply = stage.reply(card, REASON)
        await stage.learned()
    workspace.edit(stage.ana.id, card.channel, reply, "Every answer should name the next step.")
    async with caught_up(tmp_path, workspace) as stage:
        assert (await stage.feedback(card))["ana"].rationale == "Every answer should name the next step."
        assert all("send people away" not in rule for rule in stage.rules())


async def test_a_modals_reason_is_no_reply_that_could_be_missing(tmp_path: Path) -> None:
    workspace = Workspace()
    async with staged(tmp_path, workspace=workspace) as stage:
        card = await stage.show("tr-1")
        stage.react(card, "-1")
        at = f"{float(card.ts) + 1:.6f}"
        feedback = stage.bot.database.feedback
        await feedback.note_reply(card.channel, card.ts, stage.ana.id, card.ts, REASON, at)
    async with caught_up(tmp_path, workspace) as stage:
        assert (await stage.feedback(card))["ana"].rationale == REASON


async def test_catching_up_with_nothing_new_changes_nothing(tmp_path: Path) -> None:
    workspace = Workspace()
    async with staged(tmp_path, workspace=workspace) as stage:
        card = await stage.show("tr-1")
        stage.react(card, "-1")
        stage.reply(card, REASON)
        await stage.learned()
        stored = await stage.bot.database.verdicts.by_card(card.channel, card.ts)
        thread = stage.thread(card)
    for _ in range(2):
        async with caught_up(tmp_path, workspace) as stage:
            assert await stage.bot.database.verdicts.by_card(card.channel, card.ts) == stored
            assert stage.thread(card) == thread


async def test_a_gap_in_the_connection_is_caught_up_with(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        card = await stage.show("tr-1")
        await stage.until(lambda: stage.bot.reconciler.rounds == 1)
        await unheard(stage, lambda: stage.react(card, "-1"))
        await stage.until_async(lambda: has_voted(stage, card))
        assert (await stage.feedback(card))["ana"].vote == "down"


async def has_voted(stage: Stage, card: Message, name: str = "ana") -> bool:
    stored = await stage.bot.database.verdicts.by_card(card.channel, card.ts)
    people = await stage.bot.database.feedback.of(stored.verdict_id) if stored else {}
    return name in {stage.workspace.users[person].name for person in people}


async def test_slack_is_asked_again_while_it_is_down_and_status_says_so(tmp_path: Path) -> None:
    workspace = Workspace()
    card = await shown(tmp_path, workspace)
    ana = next(user for user in workspace.users.values() if user.name == "ana")
    workspace.react(ana.id, card.channel, card.ts, "-1")
    async with staged(tmp_path, workspace=workspace) as stage:
        stage.slack.fail_next("conversations.replies", status=503, times=3)
        await stage.until(lambda: stage.bot.reconciler.rounds)
        assert (await stage.feedback(card))["ana"].vote == "down"
        assert stage.bot.reconciler.trouble == {}


def card_in(stage: Stage, channel: str) -> Message | None:
    """The card in a channel that has one only."""
    return next((one for one in stage.workspace.messages(channel) if one.metadata), None)


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
    async with staged(tmp_path, workspace=workspace, judges=judges) as stage:
        shut = await stage.show("tr-1")
        beside = await stage.until(lambda: card_in(stage, other))
        await stage.learned()  # the store knows both cards by now, not only the workspace
    bot = workspace.bot.id
    workspace.leave(bot, shut.channel)
    for card in (shut, beside):
        workspace.react(stage.ana.id, card.channel, card.ts, "-1")
    async with staged(tmp_path, workspace=workspace, judges=judges) as stage:
        await stage.until_async(lambda: has_voted(stage, beside))
        await stage.until(lambda: stage.bot.reconciler.trouble)
        [(judge, reason)] = stage.bot.reconciler.trouble.items()
        assert (judge, "invite" in reason, stage.bot.reconciler.rounds) == (JUDGE, True, 0)
        await unheard(stage, lambda: stage.react(beside, "shrug", by=stage.ben))
        await stage.until_async(lambda: has_voted(stage, beside, "ben"))
        assert (list(stage.bot.reconciler.trouble), await has_voted(stage, shut)) == ([JUDGE], False)
        workspace.join(bot, shut.channel)
        await stage.until(lambda: stage.bot.reconciler.rounds)
        assert (await stage.feedback(shut))["ana"].vote == "down"
        assert stage.bot.reconciler.trouble == {}


async def test_a_card_in_a_channel_that_its_judge_has_left_is_not_waited_for(tmp_path: Path) -> None:
    workspace, other, _ = two_channels()
    card = await shown(tmp_path, workspace)
    workspace.leave(workspace.bot.id, card.channel)
    async with staged(tmp_path, workspace=workspace, judge={"channel": other}) as stage:
        await stage.until(lambda: stage.bot.reconciler.rounds)
        assert stage.bot.reconciler.trouble == {}
        assert not await has_voted(stage, card)


async def test_a_card_that_cannot_be_asked_about_holds_up_no_other_of_its_judge(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        older, newer = await stage.show("tr-1"), await stage.show("tr-2")
        await stage.learned()
        await stage.until(lambda: stage.bot.reconciler.rounds)
        stage.slack.fail_next("reactions.get", error="internal_error")
        await unheard(stage, lambda: stage.react(older, "-1"), lambda: stage.react(newer, "-1"))
        await stage.until_async(lambda: has_voted(stage, older))
        await stage.until_async(lambda: has_voted(stage, newer))
        assert (await stage.feedback(newer))["ana"].vote == "down"
        await stage.until(lambda: not stage.bot.reconciler.trouble)


async def unheard(stage: Stage, *acts: Callable[[], None]) -> None:
    """Do something of which Slack never tells, and cut the connection for some seconds."""
    assert stage.slack._unlisten is not None
    stage.slack._unlisten()
    stage.slack._unlisten = None
    for act in acts:
        act()
    stage.slack.fail_next("apps.connections.open", error="internal_error")
    await stage.slack.disconnect(announce=False)


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


def test_the_moment_of_reading_is_slacks_not_that_of_a_wrong_clock() -> None:
    """2026-11-20 12:00:00 UTC is 1795176000."""
    date, noon = "Fri, 20 Nov 2026 12:00:00 GMT", 1795176000
    assert moment_of(answer_at(date), noon + 0.4, 0.2) == f"{noon + 0.4:.6f}"
    assert moment_of(answer_at(date), noon + 300, 0.2) == f"{noon + 1:.6f}"
    assert moment_of(answer_at(date), noon - 300, 0.2) == f"{noon - 0.2:.6f}"
    assert moment_of(answer_at(None), noon + 7, 0.2) == f"{noon + 7:.6f}"
