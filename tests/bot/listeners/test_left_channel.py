"""Buttons, modals and shortcuts of somebody who is not in the card's channel any more."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace

RULE = "The answer should never send people away."


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
        yield ready


async def test_a_modal_submitted_after_leaving_stores_nothing(harness: BotInWorkspace) -> None:
    card = await harness.show()
    shortcut = harness.slack.interactions.shortcut(harness.ben.id, card.channel, card.ts, "correct_verdict")
    await shortcut
    view = (await harness.until(lambda: harness.slack.views(harness.ben.id)))[-1]
    harness.workspace.leave(harness.ben.id, harness.channel.id)
    answer = await harness.slack.modals.submit(harness.ben.id, view.id, {"reason": RULE})
    assert "card's channel" in str(answer)
    await harness.learned()
    assert "ben" not in await harness.feedback(card)
    assert harness.rules() == []


async def test_a_modal_is_kept_for_another_try_while_slack_does_not_say_who_is_there(
    harness: BotInWorkspace,
) -> None:
    card = await harness.show()
    await harness.slack.interactions.shortcut(harness.ben.id, card.channel, card.ts, "correct_verdict")
    view = (await harness.until(lambda: harness.slack.views(harness.ben.id)))[-1]
    harness.slack.faults.fail_next("conversations.members", error="fatal_error")
    assert "submit it again" in str(
        await harness.slack.modals.submit(harness.ben.id, view.id, {"reason": RULE})
    )
    await harness.slack.modals.submit(harness.ben.id, view.id, {"reason": RULE})
    await harness.learned()
    assert (await harness.feedback(card))["ben"].rationale == RULE


async def test_the_button_of_a_preview_does_nothing_after_leaving(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.react(card, "-1")
    harness.reply(card, RULE)
    await harness.learned()
    place = harness.workspace.direct_message(harness.ben.id).id
    await harness.ephemeral_answer(
        harness.slack.interactions.command(harness.ben.id, place, "/memalign", "forget tr-1"), harness.ben
    )
    preview = harness.slack.ephemerals[-1]
    harness.workspace.leave(harness.ben.id, harness.channel.id)
    press = harness.slack.interactions.click(harness.ben.id, place, preview.ts, "forget_confirm")
    assert "I don't know a trace" in await harness.ephemeral_answer(press, harness.ben)
    assert harness.rules() == [RULE]
