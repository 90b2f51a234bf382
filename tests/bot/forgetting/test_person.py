"""One person's words and votes are taken back everywhere; what others said stays."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox import Workspace
from bot.web.local_control import ask_to_forget
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.secrets import SearchResult, search

HERS = 'Answers ought to Überraschend greet "Zoë" first.'
OTHERS = "Every answer should name the next step."


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
        yield ready


async def taught(harness: BotInWorkspace) -> None:
    """Ana alone on one trace, ana and ben on another, ana outvoted on a third."""
    alone, both, lost = [await harness.show(f"tr-{number}") for number in (1, 2, 3)]
    harness.react(alone, "-1")
    harness.reply(alone, HERS)
    for user, words in ((harness.ana, HERS), (harness.ben, OTHERS)):
        harness.react(both, "-1", by=user)
        harness.reply(both, words, by=user)
    harness.react(lost, "-1")
    harness.reply(lost, HERS)
    carl = harness.workspace.add_user("carl", real_name="Carl")
    harness.workspace.join(carl.id, harness.channel.id)
    for user in (harness.ben, carl):
        harness.react(lost, "+1", by=user)
    await harness.learned()


async def test_a_person_may_take_everything_back_and_others_words_stay(harness: BotInWorkspace) -> None:
    await taught(harness)
    assert any("greet" in rule for rule in harness.rules())
    [answer] = await harness.asked(harness.ana, f"forget --person <@{harness.ana.id}> --yes")
    assert "on 3 cards is gone" in answer
    await harness.learned()
    assert harness.labels() == {"tr-2": False, "tr-3": True}
    assert not any("greet" in rule for rule in harness.rules())
    assert any("next step" in rule for rule in harness.rules())
    people = {
        label.person
        for episode in harness.bot.memories["politeness"].episodes.values()
        for label in (*episode.opinions, *episode.minority)
    }
    assert harness.ana.id not in people
    assert await harness.bot.database.feedback.of_person(harness.ana.id) == []


async def test_no_byte_of_the_persons_words_is_left(
    harness: BotInWorkspace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await taught(harness)
    assert search(tmp_path / "store", [HERS]).found
    await harness.asked(harness.ana, "forget --person me --yes")
    await harness.learned()
    searched = search(tmp_path / "store", [HERS, "greet"])
    assert searched == SearchResult(size=searched.size, found=())
    assert searched.size > 10_000
    assert "greet" not in caplog.text


async def test_what_threads_were_told_of_it_is_replaced(harness: BotInWorkspace) -> None:
    await taught(harness)
    cards = [harness.shown(f"tr-{number}") for number in (1, 2, 3)]
    assert any("greet" in text for card in cards if card for text in harness.thread(card))
    await harness.asked(harness.ana, "forget --person me --yes")
    await harness.learned()
    texts = [text for card in cards if card for text in harness.thread(card)]
    assert not any("greet" in text for text in texts)
    assert any("Nobody's vote counts here now." in text for text in texts)
    assert any("next step" in text for text in texts)


async def test_a_lesson_told_elsewhere_in_the_persons_words_is_replaced(harness: BotInWorkspace) -> None:
    """Two say the same in their threads: the guideline is one, in the words of the first."""
    hers, his = [await harness.show(f"tr-{number}") for number in (1, 2)]
    harness.react(hers, "-1")
    harness.reply(hers, HERS)
    await harness.learned()
    harness.react(his, "-1", by=harness.ben)
    harness.reply(his, HERS.upper(), by=harness.ben)
    await harness.learned()
    [rule] = harness.bot.memories["politeness"].guidelines
    assert set(rule.people) == {harness.ana.id, harness.ben.id}
    assert any("Zoë" in text for text in harness.thread(his))
    await harness.asked(harness.ana, "forget --person me --yes")
    await harness.learned()
    assert not any("Zoë" in text for card in (hers, his) for text in harness.thread(card))


async def test_the_preview_names_what_goes_and_keeps_everything(harness: BotInWorkspace) -> None:
    await taught(harness)
    [preview] = await harness.asked(harness.ana, "forget --person me")
    assert "your votes and reasons on 3 cards" in preview
    assert "greet" in preview
    assert "3 cases" in preview
    before = harness.labels()
    card = harness.slack.ephemerals[-1]
    await harness.slack.interactions.click(
        harness.ana.id, harness.channel.id, card.ts, "forget_person_confirm"
    )
    assert len(before) == 3
    await harness.until_async(lambda: nothing_of(harness, harness.ana.id))


async def nothing_of(harness: BotInWorkspace, person: str) -> bool:
    return not await harness.bot.database.feedback.of_person(person)


async def test_only_those_named_may_take_anothers_words_back(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, access={"forget": ["U0NOBODY"]}) as harness:
        card = await harness.show("tr-1")
        harness.react(card, "-1")
        await harness.learned()
        [answer] = await harness.asked(harness.ben, f"forget --person <@{harness.ana.id}> --yes")
        assert "Only those named in the settings" in answer
        assert await harness.bot.database.feedback.of_person(harness.ana.id) != []
        [own] = await harness.asked(harness.ana, f"forget --person {harness.ana.id} --yes")
        assert "is gone" in own


async def test_whoever_said_nothing_has_nothing_to_forget(harness: BotInWorkspace) -> None:
    assert "no words and no votes" in (await harness.asked(harness.ben, "forget --person me"))[0]
    assert "Whose words?" in (await harness.asked(harness.ben, "forget --person somebody else"))[0]


async def test_the_command_line_asks_the_running_bot(harness: BotInWorkspace, tmp_path: Path) -> None:
    await taught(harness)
    [result] = await ask_to_forget(tmp_path / "store", [], harness.ana.id)
    assert (result["person"], result["verdicts"], result["cases"]) == (harness.ana.id, 3, 3)
    await harness.learned()
    assert harness.labels() == {"tr-2": False, "tr-3": True}


async def test_the_person_may_teach_again_afterwards(harness: BotInWorkspace) -> None:
    await taught(harness)
    await harness.asked(harness.ana, "forget --person me --yes")
    await harness.learned()
    card = await harness.show("tr-9")
    harness.react(card, "-1")
    harness.reply(card, "An answer must never send people away.")
    await harness.learned()
    assert harness.labels()["tr-9"] is False


async def test_what_slack_still_shows_of_the_person_is_not_taken_in_again(tmp_path: Path) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await taught(harness)
        await harness.asked(harness.ana, "forget --person me --yes")
        await harness.learned()
        harness.slack.faults.redeliver_last()
        card = harness.shown("tr-2")
        assert card is not None
        harness.react(card, "shrug")
        await harness.learned()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await harness.reconciled()
        await harness.learned()
        feedback = (await harness.feedback(card))["ana"]
        assert (feedback.vote, feedback.rationale) == ("unsure", "")
        assert harness.labels() == {"tr-2": False, "tr-3": True}
    assert search(tmp_path / "store", [HERS]).found == ()


async def test_words_taken_back_while_they_are_being_learned_are_not_learned(harness: BotInWorkspace) -> None:
    card = await harness.show("tr-1")
    harness.react(card, "-1")
    harness.reply(card, HERS)
    await harness.slack.settled()
    await asyncio.gather(harness.learned(), harness.asked(harness.ana, "forget --person me --yes"))
    await harness.learned()
    assert harness.labels() == {}
    assert harness.rules() == []
