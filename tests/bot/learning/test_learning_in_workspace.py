"""Learning through the whole bot: what people see and do in the thread."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox import Message, SlackError
from memalign.records import Label
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace, words

RULE = "The answer should never send people away."


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
        yield ready


def bot_texts(harness: BotInWorkspace, card: Message) -> list[str]:
    """The bot's messages in a card's thread as they read now, all blocks of them."""
    replies = harness.workspace.thread(card.channel, card.ts)
    return [words(each.blocks, each.text) for each in replies if each.user == harness.workspace.bot.id][1:]


async def test_a_guideline_is_told_once_with_its_authors_name_and_pings_nobody(
    harness: BotInWorkspace,
) -> None:
    card = await harness.show()
    harness.react(card, "-1")
    harness.reply(card, RULE)
    await harness.learned()
    harness.react(card, "thumbsdown::skin-tone-2")
    harness.react(card, "shrug", by=harness.ben)
    await harness.learned()
    (text,) = bot_texts(harness, card)
    assert RULE in text
    assert "Ana Ruiz" in text
    assert harness.ana.id not in text
    assert harness.workspace.mentions == []


async def _judged(harness: BotInWorkspace, card: Message) -> Label:
    await harness.feedback(card)  # waits until the store knows the card
    stored = await harness.bot.database.verdicts.by_card(card.channel, card.ts)
    assert stored is not None
    return stored.verdict.value


# --- judges that do not answer yes or no


@pytest.mark.parametrize(
    ("values", "reply", "label"),
    [
        ("int", "4: because it is kind", 4),
        ("float", "0.25: because it is curt", 0.25),
        ("str", "curt: because it sends people away", "curt"),
        (["polite", "curt", "rude"], "rude: because it sends people away", "rude"),
    ],
)
async def test_a_thumb_down_asks_for_the_right_value_and_a_reply_gives_it(
    tmp_path: Path, values: str | list[str], reply: str, label: Label
) -> None:
    async with bot_in_workspace(tmp_path, judge={"feedback_value_type": values}) as harness:
        card = await harness.show()
        harness.react(card, "-1")
        await harness.learned()
        assert harness.labels() == {}
        assert "What should it have been?" in bot_texts(harness, card)[0]
        harness.react(card, "thumbsdown::skin-tone-3")
        await harness.learned()
        assert len(bot_texts(harness, card)) == 1
        harness.reply(card, reply)
        await harness.learned()
        assert harness.labels() == {"tr-1": label}


async def test_a_button_gives_the_right_value(tmp_path: Path) -> None:
    async with bot_in_workspace(
        tmp_path, judge={"feedback_value_type": ["polite", "curt", "rude"]}
    ) as harness:
        card = await harness.show()
        harness.react(card, "-1")
        await harness.learned()
        asking = harness.workspace.thread(card.channel, card.ts)[-1]
        judged = await _judged(harness, card)
        right = "rude" if judged != "rude" else "curt"
        assert f'"{judged}"' not in _buttons(asking)
        text = await harness.ephemeral_answer(harness.press(asking, _buttons(asking)[f'"{right}"']))
        assert right in text
        await harness.learned()
        assert harness.labels() == {"tr-1": right}
        assert "What should it have been?" not in bot_texts(harness, card)[0]


async def test_a_menu_gives_the_right_value_where_there_are_many(tmp_path: Path) -> None:
    values = [f"kind {number}" for number in range(8)]
    async with bot_in_workspace(tmp_path, judge={"feedback_value_type": values}) as harness:
        card = await harness.show()
        harness.react(card, "-1")
        await harness.learned()
        asking = harness.workspace.thread(card.channel, card.ts)[-1]
        judged = await _judged(harness, card)
        right = next(value for value in values if value != judged)
        await harness.ephemeral_answer(harness.press(asking, "correct_value", value=f'"{right}"'))
        await harness.learned()
        assert harness.labels() == {"tr-1": right}


def _buttons(message: Message) -> dict[str, str]:
    """The action of each button by its value."""
    return {
        element["value"]: element["action_id"]
        for block in message.blocks or []
        for element in block.get("elements", [])
        if element.get("type") == "button"
    }


async def test_the_modal_asks_for_the_value_and_says_what_is_expected(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judge={"feedback_value_type": "float"}) as harness:
        card = await harness.show()
        await harness.press(card, "vote_down")
        view = (await harness.until(lambda: harness.slack.views(harness.ana.id)))[-1]
        with pytest.raises(SlackError, match="enter a number"):
            await harness.slack.modals.submit(
                harness.ana.id, view.id, {"value": "high", "reason": "It is curt."}
            )
        await harness.slack.modals.submit(harness.ana.id, view.id, {"value": "0.25", "reason": "It is curt."})
        await harness.learned()
        assert harness.labels() == {"tr-1": 0.25}
        feedback = (await harness.feedback(card))["ana"]
        assert (feedback.vote, feedback.rationale) == ("down", "It is curt.")


async def test_correcting_after_a_thumb_up_asks_for_the_value(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judge={"feedback_value_type": "int"}) as harness:
        card = await harness.show()
        await harness.press(card, "vote_up")
        await harness.slack.interactions.shortcut(harness.ana.id, card.channel, card.ts, "correct_verdict")
        view = (await harness.until(lambda: harness.slack.views(harness.ana.id)))[-1]
        judged = await _judged(harness, card)
        right = next(value for value in ("1", "2") if value != str(judged))
        element = next(block for block in view.content["blocks"] if block.get("block_id") == "value")
        assert element["element"]["type"] == "number_input"
        await harness.slack.modals.submit(harness.ana.id, view.id, {"value": right, "reason": ""})
        await harness.learned()
        assert harness.labels() == {"tr-1": int(right)}


@pytest.mark.parametrize("values", [["x" * 300, "good"], [f"category {n}" for n in range(150)]])
async def test_values_that_no_menu_takes_can_be_typed(tmp_path: Path, values: list[str]) -> None:
    async with bot_in_workspace(tmp_path, judge={"feedback_value_type": values}) as harness:
        card = await harness.show()
        harness.react(card, "-1")
        await harness.learned()
        assert "What should it have been?" in bot_texts(harness, card)[0]
        judged = await _judged(harness, card)
        other = next(value for value in reversed(values) if value != judged)
        if len(other) < 100:
            harness.reply(card, f"{other}: because")
            await harness.learned()
            assert harness.labels() == {"tr-1": other}
