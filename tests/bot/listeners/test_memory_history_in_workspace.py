"""People see in Slack who changed what a judge has learned, and go back to an earlier version."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.blocks.memory_history import CONFIRM_GO_BACK, GO_BACK, SHOW_HISTORY, STAY
from bot.sandbox import Message, Workspace
from storage.guideline_requests import GuidelineRequest
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace
from tests.bot.listeners.test_guidelines_in_workspace import (
    RULE,
    click,
    now,
    problems,
    read,
    taught,
    the_list,
)

PRICE = "Answers must always name the price with tax."


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
        yield ready


async def edited(harness: BotInWorkspace) -> Message:
    """A card from which a rule was learned, which Ben then edited."""
    card = await taught(harness)
    (rule,) = harness.bot.memories[JUDGE].guidelines
    await harness.bot.guidelines.edit(JUDGE, rule.id, PRICE, harness.ben.id)
    return card


async def test_the_history_tells_who_changed_what_and_goes_back(harness: BotInWorkspace) -> None:
    await edited(harness)
    listed = await the_list(harness, text="history")
    shown = now(harness, listed)
    assert f"edited by Ben Okafor\n~ “{PRICE}” (was: “{RULE}”)" in shown
    assert f"+ “{RULE}”" in shown
    assert "*0* · before the first of these changes" in shown

    await click(harness, listed, GO_BACK, holding="*1*")
    await read(harness, listed, "Go back to version 1")
    assert harness.rules() == [PRICE]
    await click(harness, listed, CONFIRM_GO_BACK)
    await read(harness, listed, "Back at version 1")

    assert harness.rules() == [RULE]
    await harness.until(
        lambda: [
            each
            for each in harness.workspace.messages(harness.channel.id)
            if "back to version 1" in each.text
        ]
    )
    (told,) = [
        each.text
        for each in harness.workspace.messages(harness.channel.id)
        if "back to version 1" in each.text
    ]
    assert "Ana" in told
    assert "<@" not in told
    assert await harness.bot.database.guideline_requests.unfinished() == []
    assert problems(harness) == []


async def test_a_preview_can_be_put_away(harness: BotInWorkspace) -> None:
    await edited(harness)
    listed = await the_list(harness, text=f"history {JUDGE}")
    await click(harness, listed, GO_BACK, holding="*0*")
    preview = await read(harness, listed, "Go back to version 0")
    assert f"- “{PRICE}”" in preview
    assert "1 case gone:\n• - Can you help me?" in preview
    await click(harness, listed, STAY)
    await read(harness, listed, "Nothing was changed.")
    assert harness.rules() == [PRICE]


async def test_the_list_of_guidelines_has_a_button_to_the_history(harness: BotInWorkspace) -> None:
    await edited(harness)
    listed = await the_list(harness)
    before = len(harness.slack.ephemerals)
    await click(harness, listed, SHOW_HISTORY)
    await harness.until(lambda: len(harness.slack.ephemerals) > before or None)
    assert "edited by Ben Okafor" in now(harness, harness.slack.ephemerals[-1])
    assert problems(harness) == []


async def test_without_a_change_there_is_a_sentence(harness: BotInWorkspace) -> None:
    listed = await the_list(harness, text="history")
    assert "No change of what" in now(harness, listed)


async def test_only_those_who_may_manage_go_back(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, access={"manage": ["U0000000002"]}) as harness:
        await edited(harness)
        listed = await the_list(harness, harness.ana, "history")
        assert "edited by Ben Okafor" in now(harness, listed)
        shown = harness.workspace.person_views.ephemeral(listed.user, listed.ts)
        assert shown is not None
        assert "Go back" not in str(shown.blocks)
        request = GuidelineRequest(
            request_id="r1", action="rollback", person=harness.ana.id, judge=JUDGE, version=0
        )
        await harness.bot.database.guideline_requests.put(request)
        offered = await the_list(harness, harness.ben, "history")
        assert "Go back to here" in now(harness, offered)
    async with bot_in_workspace(tmp_path, access={"manage": ["U0000000002"]}) as harness:
        await harness.until_async(lambda: finished(harness))
        assert harness.rules() == [PRICE]


async def test_a_roll_back_asked_for_before_a_crash_is_carried_out_by_the_next_run(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        await edited(harness)
        request = GuidelineRequest(
            request_id="r1", action="rollback", person=harness.ana.id, judge=JUDGE, version=1
        )
        await harness.bot.database.guideline_requests.put(request)
    async with bot_in_workspace(tmp_path) as harness:
        await harness.until_async(lambda: finished(harness))
        assert harness.rules() == [RULE]


async def finished(harness: BotInWorkspace) -> bool:
    return not await harness.bot.database.guideline_requests.unfinished()


async def test_a_roll_back_shown_before_the_judge_was_renamed_is_carried_out_after_it(tmp_path: Path) -> None:
    workspace, renamed = Workspace(), "tone"
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await edited(harness)
        shown = await the_list(harness, text="history")
        previews = [await the_list(harness, text="history") for _ in range(2)]
        for preview in previews:
            await click(harness, preview, GO_BACK, holding="*1*")
            await read(harness, preview, "Go back to version 1")
        await harness.bot.database.judges.rename(JUDGE, renamed, 1)
    async with bot_in_workspace(tmp_path, workspace=workspace, judge={"name": renamed}) as harness:
        await click(harness, previews[0], CONFIRM_GO_BACK)
        await read(harness, previews[0], "Back at version 1")
        assert harness.rules(renamed) == [RULE]
        await click(harness, previews[1], CONFIRM_GO_BACK)
        await read(harness, previews[1], "The memory is just as it was in version 1")
        await click(harness, shown, GO_BACK, holding="*0*")
        await read(harness, shown, "Go back to version 0")
        assert problems(harness) == []
