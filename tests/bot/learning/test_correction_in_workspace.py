"""Correcting a verdict in the modal, through the whole bot: value, reason, guidelines, and what the thread tells."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox import Message, User
from bot.sandbox.workspace.errors import SlackError
from memalign.records import Json
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace, words
from tests.secrets import search

RULE = "The answer should never send people away."
SECOND = "The answer should always name the person who helps."


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
        yield ready


async def opened(harness: BotInWorkspace, card: Message, by: User | None = None) -> Json:
    """Press 👎 and wait for the modal."""
    user = by or harness.ana
    await harness.press(card, "vote_down", by=user)
    return (await harness.until(lambda: harness.slack.views(user.id)))[-1]


async def submit(harness: BotInWorkspace, view: Json, by: User | None = None, **fields: Json) -> Json:
    return await harness.slack.modals.submit((by or harness.ana).id, view.id, fields)


def status(harness: BotInWorkspace, card: Message) -> str:
    return "\n".join(harness.thread(card))


async def says(harness: BotInWorkspace, card: Message, text: str) -> None:
    await harness.until(lambda: text in status(harness, card) or None)


async def test_a_ticked_guideline_makes_the_person_a_source_of_it(harness: BotInWorkspace) -> None:
    card, other = await harness.show("tr-1"), await harness.show("tr-2")
    await submit(harness, await opened(harness, card), reason=RULE)
    await harness.learned()
    [rule] = harness.bot.memories[JUDGE].guidelines
    view = await opened(harness, other, harness.ben)
    assert RULE in words(view.content["blocks"])

    await submit(harness, view, harness.ben, covered_by=[rule.id])
    await harness.learned()
    assert set(harness.bot.memories[JUDGE].guidelines[0].people) == {harness.ana.id, harness.ben.id}

    await harness.slack.interactions.shortcut(harness.ben.id, other.channel, other.ts, "correct_verdict")
    again = (await harness.until(lambda: harness.slack.views(harness.ben.id)))[-1]
    assert again.content["blocks"][-2]["element"]["initial_options"][0]["value"] == rule.id
    await submit(harness, again, harness.ben, covered_by=[])
    await harness.learned()
    assert harness.bot.memories[JUDGE].guidelines[0].people == (harness.ana.id,)


async def test_the_typed_reason_is_shown_in_the_thread_edited_and_gone_when_forgotten(
    harness: BotInWorkspace, tmp_path: Path
) -> None:
    card = await harness.show("tr-1")
    await submit(harness, await opened(harness, card), reason=RULE)
    await says(harness, card, f"“{RULE}”")
    line = next(line for line in status(harness, card).splitlines() if "Ana Ruiz" in line and RULE in line)
    assert line.replace("\u2068", "").replace("\u2069", "") == f"Ana Ruiz: “{RULE}”"

    await harness.slack.interactions.shortcut(harness.ana.id, card.channel, card.ts, "correct_verdict")
    view = (await harness.until(lambda: harness.slack.views(harness.ana.id)))[-1]
    await submit(harness, view, reason=SECOND)
    await says(harness, card, f": “{SECOND}”")
    await harness.learned()
    assert f": “{RULE}”" not in status(harness, card)

    await harness.asked(harness.ana, "forget --person me --yes")
    await harness.until(lambda: SECOND not in status(harness, card) or None)
    await harness.learned()
    assert not search(tmp_path / "store", [RULE, SECOND]).found


@pytest.mark.parametrize("question", ["Why did it fail?", "Which guideline decided that?", "why"])
async def test_a_question_in_the_modal_is_no_reason_and_says_where_to_ask(
    harness: BotInWorkspace, question: str
) -> None:
    card = await harness.show("tr-1")
    view = await opened(harness, card)
    refusal = await submit(harness, view, reason=question)
    assert "ask it in the card's thread" in refusal["errors"]["reason"]
    assert await submit(harness, view, reason=f"The answer sends people away. {question}?") == {}
    assert (await harness.feedback(card))["ana"].vote == "down"


async def test_a_typed_reason_stays_private_where_the_settings_say_so(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, access={"private_reasons": True}) as harness:
        card = await harness.show("tr-1")
        await submit(harness, await opened(harness, card), reason=RULE)
        await harness.learned()
        await says(harness, card, "Noted: ")
        assert f": “{RULE}”" not in status(harness, card).replace(f"Learned: “{RULE}”", "")


@pytest.mark.parametrize("value", ["11", "-1", "4.5"])
async def test_a_number_out_of_the_judges_range_is_not_submitted(tmp_path: Path, value: str) -> None:
    judge = {"feedback_value_type": "int", "range": [0, 10]}
    async with bot_in_workspace(tmp_path, judge=judge) as harness:
        view = await opened(harness, await harness.show("tr-1"))
        with pytest.raises(SlackError, match="number in the range"):
            await submit(harness, view, value=value)


async def test_a_value_that_the_judge_does_not_know_is_refused_in_its_field(tmp_path: Path) -> None:
    long = (
        "a category that is far too long for an option of one of the menus of Slack, and is typed therefore"
    )
    async with bot_in_workspace(tmp_path, judge={"feedback_value_type": ["rude", "kind", long]}) as harness:
        card = await harness.show("tr-1")
        view = await opened(harness, card)
        refusal = await submit(harness, view, value="so-so")
        assert "“so-so” is not a value of this judge" in refusal["errors"]["value"]
        assert await submit(harness, view, value="KIND") == {}
        assert (await harness.feedback(card))["ana"].value == "kind"


async def test_nobody_is_asked_in_the_thread_while_the_modal_is_open_but_once_it_is_closed(
    harness: BotInWorkspace,
) -> None:
    card = await harness.show("tr-1")
    view = await opened(harness, card)
    await harness.until(lambda: harness.labels() or None)
    await says(harness, card, "Noted: ")
    assert "One sentence here is enough" not in status(harness, card)
    await harness.slack.modals.close(harness.ana.id, view.id)
    await says(harness, card, "One sentence here is enough")


@pytest.mark.parametrize("names", [("+1", "-1"), ("-1", "+1")])
async def test_both_thumbs_by_reaction_are_asked_about_once_privately(
    harness: BotInWorkspace, names: tuple[str, str]
) -> None:
    card = await harness.show("tr-1")
    for name in names:
        harness.react(card, name)
        await harness.slack.settled()
    await harness.until(lambda: harness.slack.ephemerals or None)
    [question] = harness.slack.ephemerals
    assert question.user == harness.ana.id
    assert "both 👍 and 👎, so neither counts. Which one?" in words(question.blocks)

    await harness.slack.interactions.click(harness.ana.id, card.channel, question.ts, "keep_vote:down")
    await harness.learned()
    assert (await harness.feedback(card))["ana"].vote == "down"
    asked = [each for each in harness.slack.ephemerals if "Which one?" in words(each.blocks)]
    assert len(asked) == 1


async def test_a_reaction_against_ones_own_button_is_asked_about(harness: BotInWorkspace) -> None:
    card = await harness.show("tr-1")
    assert "counts" in await harness.ephemeral_answer(harness.press(card, "vote_up"))
    before = len(harness.slack.ephemerals)
    harness.react(card, "-1")
    await harness.until(lambda: len(harness.slack.ephemerals) > before or None)
    assert "Which one?" in words(harness.slack.ephemerals[-1].blocks)


async def test_a_receipt_is_in_the_thread_once_somebody_has_replied_there(harness: BotInWorkspace) -> None:
    card = await harness.show("tr-1")
    await harness.ephemeral_answer(harness.press(card, "vote_up"))
    assert harness.slack.ephemerals[-1].thread_ts is None
    harness.reply(card, "Thanks!", by=harness.ben)
    await harness.slack.settled()
    await harness.ephemeral_answer(harness.press(card, "vote_unsure"))
    assert harness.slack.ephemerals[-1].thread_ts == card.ts
