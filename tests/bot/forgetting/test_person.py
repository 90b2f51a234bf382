"""One person's words and votes are taken back everywhere; what others said stays."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.listeners.forget_person import person_of
from bot.sandbox import Workspace
from bot.web.local_control import ask_to_forget
from tests.bot.bot_in_workspace import Stage, staged
from tests.secrets import Searched, search

HERS = 'Answers ought to Überraschend greet "Zoë" first.'
OTHERS = "Every answer should name the next step."


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as ready:
        yield ready


async def taught(stage: Stage) -> None:
    """Ana alone on one trace, ana and ben on another, ana outvoted on a third."""
    alone, both, lost = [await stage.show(f"tr-{number}") for number in (1, 2, 3)]
    stage.react(alone, "-1")
    stage.reply(alone, HERS)
    for user, words in ((stage.ana, HERS), (stage.ben, OTHERS)):
        stage.react(both, "-1", by=user)
        stage.reply(both, words, by=user)
    stage.react(lost, "-1")
    stage.reply(lost, HERS)
    carl = stage.workspace.add_user("carl", real_name="Carl")
    stage.workspace.join(carl.id, stage.channel.id)
    for user in (stage.ben, carl):
        stage.react(lost, "+1", by=user)
    await stage.learned()


async def test_a_person_may_take_everything_back_and_others_words_stay(stage: Stage) -> None:
    await taught(stage)
    assert any("greet" in rule for rule in stage.rules())
    [answer] = await stage.asked(stage.ana, f"forget --person <@{stage.ana.id}> --yes")
    assert "on 3 verdicts is gone" in answer
    await stage.learned()
    assert stage.labels() == {"tr-2": False, "tr-3": True}
    assert not any("greet" in rule for rule in stage.rules())
    assert any("next step" in rule for rule in stage.rules())
    people = {
        said.person
        for one in stage.bot.memories["politeness"].episodes.values()
        for said in (*one.opinions, *one.minority)
    }
    assert stage.ana.id not in people
    assert await stage.bot.database.feedback.of_person(stage.ana.id) == []


async def test_no_byte_of_the_persons_words_is_left(
    stage: Stage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await taught(stage)
    assert search(tmp_path / "store", [HERS]).found
    await stage.asked(stage.ana, "forget --person me --yes")
    await stage.learned()
    searched = search(tmp_path / "store", [HERS, "greet"])
    assert searched == Searched(size=searched.size, found=())
    assert searched.size > 10_000
    assert "greet" not in caplog.text


async def test_what_threads_were_told_of_it_is_replaced(stage: Stage) -> None:
    await taught(stage)
    cards = [stage.shown(f"tr-{number}") for number in (1, 2, 3)]
    assert any("greet" in said for card in cards if card for said in stage.thread(card))
    await stage.asked(stage.ana, "forget --person me --yes")
    await stage.learned()
    told = [said for card in cards if card for said in stage.thread(card)]
    assert not any("greet" in said for said in told)
    assert any("Taken back" in said for said in told)
    assert any("next step" in said for said in told)


async def test_a_lesson_told_elsewhere_in_the_persons_words_is_replaced(stage: Stage) -> None:
    """Two say the same in their threads: the guideline is one, in the words of the first."""
    hers, his = [await stage.show(f"tr-{number}") for number in (1, 2)]
    stage.react(hers, "-1")
    stage.reply(hers, HERS)
    await stage.learned()
    stage.react(his, "-1", by=stage.ben)
    stage.reply(his, HERS.upper(), by=stage.ben)
    await stage.learned()
    [rule] = stage.bot.memories["politeness"].guidelines
    assert set(rule.people) == {stage.ana.id, stage.ben.id}
    assert any("Zoë" in said for said in stage.thread(his))
    await stage.asked(stage.ana, "forget --person me --yes")
    await stage.learned()
    assert not any("Zoë" in said for card in (hers, his) for said in stage.thread(card))


async def test_the_preview_names_what_goes_and_keeps_everything(stage: Stage) -> None:
    await taught(stage)
    [preview] = await stage.asked(stage.ana, "forget --person me")
    assert "votes and words on 3 verdicts" in preview
    assert "greet" in preview
    assert "3 cases" in preview
    before = stage.labels()
    card = stage.slack.ephemerals[-1]
    await stage.slack.click(stage.ana.id, stage.channel.id, card.ts, "forget_person_confirm")
    assert len(before) == 3
    await stage.until_async(lambda: nothing_of(stage, stage.ana.id))


async def nothing_of(stage: Stage, person: str) -> bool:
    return not await stage.bot.database.feedback.of_person(person)


async def test_only_those_named_may_take_anothers_words_back(tmp_path: Path) -> None:
    async with staged(tmp_path, access={"forget": ["U0NOBODY"]}) as stage:
        card = await stage.show("tr-1")
        stage.react(card, "-1")
        await stage.learned()
        [answer] = await stage.asked(stage.ben, f"forget --person <@{stage.ana.id}> --yes")
        assert "Only those named in the settings" in answer
        assert await stage.bot.database.feedback.of_person(stage.ana.id) != []
        [own] = await stage.asked(stage.ana, f"forget --person {stage.ana.id} --yes")
        assert "is gone" in own


async def test_whoever_said_nothing_has_nothing_to_forget(stage: Stage) -> None:
    assert "no words and no votes" in (await stage.asked(stage.ben, "forget --person me"))[0]
    assert "Whose words?" in (await stage.asked(stage.ben, "forget --person somebody else"))[0]


async def test_the_command_line_asks_the_running_bot(stage: Stage, tmp_path: Path) -> None:
    await taught(stage)
    [gone] = await ask_to_forget(tmp_path / "store", [], stage.ana.id)
    assert (gone["person"], gone["verdicts"], gone["cases"]) == (stage.ana.id, 3, 3)
    await stage.learned()
    assert stage.labels() == {"tr-2": False, "tr-3": True}


async def test_the_person_may_teach_again_afterwards(stage: Stage) -> None:
    await taught(stage)
    await stage.asked(stage.ana, "forget --person me --yes")
    await stage.learned()
    card = await stage.show("tr-9")
    stage.react(card, "-1")
    stage.reply(card, "An answer must never send people away.")
    await stage.learned()
    assert stage.labels()["tr-9"] is False


async def test_what_slack_still_shows_of_the_person_is_not_taken_in_again(tmp_path: Path) -> None:
    workspace = Workspace()
    async with staged(tmp_path, workspace=workspace) as stage:
        await taught(stage)
        await stage.asked(stage.ana, "forget --person me --yes")
        await stage.learned()
        stage.slack.redeliver_last()
        card = stage.shown("tr-2")
        assert card is not None
        stage.react(card, "shrug")
        await stage.learned()
    async with staged(tmp_path, workspace=workspace) as stage:
        await stage.until(lambda: stage.bot.reconciler.rounds)
        await stage.learned()
        said = (await stage.feedback(card))["ana"]
        assert (said.vote, said.rationale) == ("unsure", "")
        assert stage.labels() == {"tr-2": False, "tr-3": True}
    assert search(tmp_path / "store", [HERS]).found == ()


@pytest.mark.parametrize(
    ("word", "person"),
    [
        ("<@U0123ABC>", "U0123ABC"),
        ("<@W0123ABC|ana>", "W0123ABC"),
        ("@U0123ABC", "U0123ABC"),
        ("U0123ABC", "U0123ABC"),
        ("me", "U0ASKING"),
        ("@ana", None),
        ("tr-1", None),
        ("", None),
    ],
)
def test_a_person_is_named_by_mention_or_id(word: str, person: str | None) -> None:
    assert person_of(word, "U0ASKING") == person


async def test_words_taken_back_while_they_are_being_learned_are_not_learned(stage: Stage) -> None:
    card = await stage.show("tr-1")
    stage.react(card, "-1")
    stage.reply(card, HERS)
    await stage.slack.settled()
    await asyncio.gather(stage.learned(), stage.asked(stage.ana, "forget --person me --yes"))
    await stage.learned()
    assert stage.labels() == {}
    assert stage.rules() == []
