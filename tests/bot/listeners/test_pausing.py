"""Pausing a judge, and muting the bot."""

import asyncio
from pathlib import Path

from bot.sandbox import Workspace
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace, peopled


def told(harness: BotInWorkspace) -> list[str]:
    return [message.text for message in harness.workspace.messages(harness.channel.id)]


async def test_while_a_judge_is_paused_traces_are_stored_and_never_judged(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        [answer] = await harness.asked(harness.ana, "pause")
        assert "is paused" in answer
        await harness.learned()
        assert any("Ana Ruiz paused *Politeness*" in text for text in told(harness))
        await harness.send({"trace_id": "during", "inputs": "hi", "outputs": "no"})
        assert await harness.bot.database.traces.contains("during")
        [status] = await harness.asked(harness.ben, "status")
        assert "*Politeness* is paused" in status
        assert "paused already" in (await harness.asked(harness.ben, "pause politeness"))[0]
    async with bot_in_workspace(tmp_path, workspace=harness.workspace) as again:
        assert "politeness" in await again.bot.database.preferences.pauses()
        [answer] = await again.asked(again.ben, "resume politeness")
        assert "judges again" in answer
        await again.show("after")
        assert any("Ben Okafor resumed *Politeness*" in text for text in told(again))
        assert await again.bot.database.verdicts.of_trace("during") == []
        assert await again.bot.database.traces.waiting() == 0
        assert "isn't paused" in (await again.asked(again.ben, "resume"))[0]


async def test_a_card_that_waits_for_slack_is_not_shown_while_its_judge_is_paused(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        harness.slack.faults.fail_next("chat.postMessage", status=429, retry_after=1)
        await harness.send({"trace_id": "waiting", "inputs": "hi", "outputs": "no"})
        await harness.until_async(lambda: judged(harness, "waiting"))
        await harness.asked(harness.ana, "pause")
        await asyncio.sleep(1.5)
        assert harness.shown("waiting") is None
        assert not await harness.tells("paused")


async def judged(harness: BotInWorkspace, trace_id: str) -> bool:
    return bool(await harness.bot.database.verdicts.of_trace(trace_id))


async def test_only_those_who_may_manage_a_judge_pause_it(tmp_path: Path) -> None:
    workspace, _, ben, _ = peopled(Workspace())
    async with bot_in_workspace(tmp_path, workspace=workspace, access={"manage": [ben.id]}) as harness:
        for command in ("pause politeness", "resume politeness"):
            [answer] = await harness.asked(harness.ana, command)
            assert answer == "Only Ben Okafor may pause or resume *Politeness*; please ask."
        assert not await harness.bot.database.preferences.pauses()


async def test_a_judge_of_another_channel_does_not_exist_and_a_typo_is_guessed(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        [answer] = await harness.asked(harness.ana, "pause politenes")
        assert "Did you mean “politeness”?" in answer
        outsider = harness.workspace.add_user("cleo")
        lounge = harness.workspace.add_channel("lounge", members=[outsider.id])
        before = len(harness.slack.ephemerals)
        await harness.slack.interactions.command(outsider.id, lounge.id, "/memalign", "pause politenes")
        await harness.until(lambda: len(harness.slack.ephemerals) > before)
        assert "Did you mean" not in harness.slack.ephemerals[-1].text


async def test_who_mutes_the_bot_stays_muted_until_they_say_otherwise_or_are_forgotten(
    tmp_path: Path,
) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        preferences = harness.bot.database.preferences
        await harness.asked(harness.ana, "mute")
        await harness.asked(harness.ben, "mute")
        await harness.asked(harness.ben, "unmute")
        assert (await preferences.is_muted(harness.ana.id), await preferences.is_muted(harness.ben.id)) == (
            True,
            False,
        )
        card = await harness.show()
        harness.react(card, "-1")
        await harness.learned()
        await harness.asked(harness.ana, "forget --person me --yes")
        assert not await preferences.is_muted(harness.ana.id)


async def test_a_typo_in_a_sub_command_is_guessed(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        for typed, meant in (("guidlines", "guidelines"), ("forgett", "forget"), ("puase", "pause")):
            assert f"Did you mean “{meant}”?" in (await harness.asked(harness.ana, typed))[0]
        assert "Did you mean" not in (await harness.asked(harness.ana, "xyzzy"))[0]


async def test_who_pauses_while_slack_says_nothing_is_told_so_and_nothing_is_paused(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        hold = harness.slack.faults.hold("conversations.members")
        [answer] = await harness.asked(harness.ana, "pause")
        hold.release()
        assert answer.endswith("so nothing was changed. Please try again in a minute.")
        assert await harness.bot.database.preferences.pauses() == {}
