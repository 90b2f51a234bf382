"""Guests and people of connected workspaces: they neither teach nor forget, unless everybody may."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.reports.export import export_lines
from bot.sandbox import User, Workspace
from memalign.records import Json
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace

RULE = "An answer must always be in Klingon."
OUTSIDERS: Mapping[str, Json] = {
    "guest": {"is_restricted": True},
    "guest of one channel": {"is_restricted": True, "is_ultra_restricted": True},
    "stranger": {"team_id": "T0000OTHER"},
}


def joined(harness: BotInWorkspace, standing: Json) -> User:
    """Add somebody of that standing to the judge's channel."""
    user = harness.workspace.add_user("mallory", real_name="Mallory", **standing)
    harness.workspace.join(user.id, harness.channel.id)
    return user


async def people_exported(harness: BotInWorkspace) -> set[str]:
    """The people whose feedback `memalign export` shows."""
    settings = harness.bot.resources.settings
    lines = [line async for line in export_lines(harness.bot.database, settings.judges, "jsonl")]
    return {line["annotator"] for line in lines if line["type"] == "feedback"}


@pytest.mark.parametrize("standing", OUTSIDERS.values(), ids=OUTSIDERS)
async def test_what_an_outsider_does_teaches_nothing_and_counts_nowhere(
    tmp_path: Path, standing: Json
) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        mallory = joined(harness, standing)
        card = await harness.show()
        harness.react(card, "-1", by=mallory)
        harness.reply(card, RULE, by=mallory)
        await harness.learned()
        assert (harness.labels(), harness.rules()) == ({}, [])
        assert await harness.feedback(card) == {}
        assert await people_exported(harness) == set()
        assert "a quiet week" in (await harness.asked(harness.ana, "digest"))[0]
        harness.react(card, "-1")
        harness.reply(card, "The answer should never send people away.")
        await harness.learned()
        assert harness.rules() == ["The answer should never send people away."]
        assert await people_exported(harness) == {harness.ana.id}


@pytest.mark.parametrize("standing", OUTSIDERS.values(), ids=OUTSIDERS)
async def test_an_outsider_forgets_no_trace_but_their_own_words(tmp_path: Path, standing: Json) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        mallory = joined(harness, standing)
        card = await harness.show()
        harness.react(card, "-1")
        harness.reply(card, "The answer should never send people away.")
        await harness.learned()
        await harness.until(harness.rules)
        for text in ("forget tr-1", "forget tr-1 --yes"):
            assert "can forget this trace; please ask one of them" in (await harness.asked(mallory, text))[0]
        assert len(harness.rules()) == 1
        harness.reply(card, "And I say so, too.", by=mallory)
        await harness.learned()
        assert "is gone" in (await harness.asked(mallory, "forget --person me --yes"))[0]
        assert len(harness.rules()) == 1


async def test_a_press_of_an_outsider_is_answered_kindly_and_opens_nothing(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        mallory = joined(harness, OUTSIDERS["guest"])
        card = await harness.show()
        answer = await harness.ephemeral_answer(harness.press(card, "vote_down", by=mallory), mallory)
        assert "only members of this workspace teach" in answer
        assert harness.slack.views(mallory.id) == []
        shortcut = harness.slack.interactions.shortcut(mallory.id, card.channel, card.ts, "correct_verdict")
        assert "only members of this workspace teach" in await harness.ephemeral_answer(shortcut, mallory)


@pytest.mark.parametrize("standing", OUTSIDERS.values(), ids=OUTSIDERS)
async def test_where_everybody_teaches_outsiders_do(tmp_path: Path, standing: Json) -> None:
    async with bot_in_workspace(tmp_path, access={"teach": "everybody"}) as harness:
        mallory = joined(harness, standing)
        card = await harness.show()
        harness.react(card, "-1", by=mallory)
        harness.reply(card, RULE, by=mallory)
        await harness.learned()
        assert harness.rules() == [RULE]
        assert "is forgotten" in (await harness.asked(mallory, "forget tr-1 --yes"))[0]


async def test_another_setting_counts_what_was_said_before_and_leaves_it_out_again(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        mallory = joined(harness, OUTSIDERS["stranger"])
        card = await harness.show()
        harness.react(card, "-1", by=mallory)
        harness.reply(card, RULE, by=mallory)
        await harness.learned()
        workspace = harness.workspace
    async with bot_in_workspace(tmp_path, workspace=workspace, access={"teach": "everybody"}) as harness:
        await harness.until(lambda: harness.rules() == [RULE])
        await harness.learned()
        assert await people_exported(harness) == {mallory.id}
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await harness.until(lambda: harness.rules() == [])
        await harness.learned()
        assert await people_exported(harness) == set()


async def test_a_guest_who_becomes_a_member_teaches_with_what_they_said_before(tmp_path: Path) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        mallory = joined(harness, OUTSIDERS["guest"])
        card = await harness.show()
        harness.react(card, "-1", by=mallory)
        await harness.learned()
        assert harness.labels() == {}
        workspace.users[mallory.id] = User(id=mallory.id, name="mallory", real_name="Mallory")
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await harness.until(lambda: harness.labels() == {"tr-1": False})


async def test_feedback_waits_while_slack_does_not_say_who_gave_it(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        mallory = joined(harness, OUTSIDERS["guest"])
        card = await harness.show()
        harness.slack.faults.fail_next("users.info", error="fatal_error", times=2)
        harness.react(card, "-1", by=mallory)
        await harness.until_async(lambda: harness.tells("Slack does not say who gave feedback"))
        await harness.learned()
        assert harness.labels() == {}
