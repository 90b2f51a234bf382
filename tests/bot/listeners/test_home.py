"""The Home tab: what waits for one's vote, voting there, and what one's feedback changed."""

import time
from pathlib import Path

import pytest

from bot.sandbox import Workspace
from bot.sandbox.workspace.records import View
from memalign.records import Json
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace, words

RULE = "An answer should never send people away."


async def home(harness: BotInWorkspace, part: str) -> View:
    """Open the tab until it shows some words."""
    harness.workspace.open_home(harness.ana.id)
    return await shown(harness, part)


async def shown(harness: BotInWorkspace, part: str) -> View:
    def look() -> View | None:
        view = harness.slack.home(harness.ana.id)
        return view if view is not None and part in words(view.content["blocks"]) else None

    return await harness.until(look)


async def press(harness: BotInWorkspace, view: View, action: str) -> None:
    rows: list[Json] = [block for block in view.content["blocks"] if block["type"] == "actions"]
    await harness.slack.interactions.view_click(harness.ana.id, view.id, action, block_id=rows[0]["block_id"])


async def test_a_vote_on_home_is_stored_as_one_on_the_card_and_the_tab_shows_it(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show()
        view = await home(harness, "Waiting for your vote (1)")
        text = words(view.content["blocks"])
        assert all(part in text for part in ("Can you help me?", "Right, it", "Open the card", "just now"))
        assert "no votes this week yet" in text
        await press(harness, view, "vote_up")
        after = words((await shown(harness, "all caught up")).content["blocks"])
        assert "Your last votes" in after
        assert (await harness.feedback(card))["ana"].vote == "up"
        await harness.learned()
        assert list(harness.labels()) == ["tr-1"]
        assert "right on 1 of 1 verdicts this week ·" in words(
            (await home(harness, "right on 1")).content["blocks"]
        )


async def test_a_card_answered_in_words_waits_for_ones_vote_no_more(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show()
        await home(harness, "Waiting for your vote (1)")
        harness.reply(card, "It should fail, for it sends people away.")
        await harness.learned()
        text = words((await home(harness, "Your last votes")).content["blocks"])
        assert "Waiting for your vote" not in text


async def test_home_asks_about_no_card_of_more_than_three_days_ago_and_a_late_vote_counts(
    tmp_path: Path,
) -> None:
    workspace = Workspace(now=lambda: time.time() - 4 * 24 * 3600)
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        card = await harness.show()
        assert await harness.feedback(card) == {}
        assert "Waiting for your vote" not in words((await home(harness, "caught up")).content["blocks"])
        harness.react(card, "+1")
        await harness.learned()
        assert list(harness.labels()) == ["tr-1"]


async def test_a_thumb_down_on_home_asks_why_in_the_modal_and_home_tells_what_it_changed(
    tmp_path: Path,
) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show()
        await press(harness, await home(harness, "Waiting"), "vote_down")
        await harness.until(lambda: harness.slack.views(harness.ana.id))
        assert (await harness.feedback(card))["ana"].vote == "down"
        harness.reply(card, RULE)
        await harness.learned()
        text = words((await home(harness, "What your feedback changed")).content["blocks"])
        assert "1 rule from your words" in text
        assert RULE in text


@pytest.mark.parametrize(
    ("reaction", "action"), [("+1", "vote_down"), ("-1", "vote_up"), ("shrug", "vote_up")]
)
async def test_a_vote_on_home_against_ones_own_thumb_counts_for_nothing_and_is_asked_about(
    tmp_path: Path, reaction: str, action: str
) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show()
        view = await home(harness, "Waiting")
        harness.react(card, reaction)
        await harness.slack.settled()
        question = await harness.ephemeral_answer(press(harness, view, action))
        assert "so neither counts. Which one?" in question
        await shown(harness, "so neither counts")
        assert (await harness.feedback(card))["ana"].vote is None
        assert harness.slack.views(harness.ana.id) == []
        vote = action.removeprefix("vote_")
        await harness.slack.interactions.click(
            harness.ana.id, card.channel, harness.slack.ephemerals[-1].ts, f"keep_vote:{vote}"
        )
        await harness.learned()
        assert (await harness.feedback(card))["ana"].vote == vote


async def test_a_press_for_a_forgotten_card_is_told_on_the_tab(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        await harness.show()
        view = await home(harness, "Waiting")
        await harness.asked(harness.ana, "forget tr-1 --yes")
        await press(harness, view, "vote_up")
        await shown(harness, "forgotten, so there is nothing left to vote on")


async def test_home_names_a_pause_and_lists_nothing_for_who_muted_the_bot(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        await harness.show()
        await harness.asked(harness.ana, "pause")
        await harness.asked(harness.ana, "mute")
        text = words((await home(harness, "You muted me")).content["blocks"])
        assert "Paused: nothing is judged or shown" in text
        assert "Waiting for your vote" not in text
