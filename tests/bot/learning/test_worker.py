"""From feedback to lessons, and what the thread is told of it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.sandbox import Message
from memalign.records import Label
from tests.bot.bot_in_workspace import JUDGE, Stage, staged, words
from tests.model_server import ModelServer, overloaded, running_model_server

RULE = "The answer should never send people away."


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as ready:
        yield ready


def told(stage: Stage, card: Message) -> list[str]:
    """The bot's messages in a card's thread as they read now, all blocks of them."""
    replies = stage.workspace.thread(card.channel, card.ts)
    return [words(one.blocks, one.text) for one in replies if one.user == stage.workspace.bot.id][1:]


async def test_a_guideline_is_told_once_with_its_authors_name_and_pings_nobody(stage: Stage) -> None:
    card = await stage.show()
    stage.react(card, "-1")
    stage.reply(card, RULE)
    await stage.learned()
    stage.react(card, "thumbsdown::skin-tone-2")
    stage.react(card, "shrug", by=stage.ben)
    await stage.learned()
    (said,) = told(stage, card)
    assert RULE in said
    assert "Ana Ruiz" in said
    assert stage.ana.id not in said
    assert stage.workspace.pings == []


async def test_a_thumb_down_without_a_reason_is_asked_why_once(stage: Stage) -> None:
    card = await stage.show()
    stage.react(card, "-1")
    await stage.learned()
    stage.unreact(card, "-1")
    await stage.learned()
    stage.react(card, "-1")
    await stage.learned()
    stage.react(card, "-1", by=stage.ben)
    await stage.learned()
    (said,) = told(stage, card)
    assert "Why is that?" in said


async def test_a_thumb_up_is_learned_without_a_word(stage: Stage) -> None:
    card = await stage.show()
    stage.react(card, "+1")
    await stage.learned()
    assert stage.labels().keys() == {"tr-1"}
    assert told(stage, card) == []


async def test_a_shrug_teaches_nothing(stage: Stage) -> None:
    card = await stage.show()
    stage.react(card, "shrug")
    stage.reply(card, RULE)
    await stage.learned()
    assert (stage.labels(), stage.rules()) == ({}, [])


@pytest.mark.parametrize("how", ["thumb", "both thumbs"])
async def test_withdrawn_feedback_takes_the_lesson_back_and_can_come_again(stage: Stage, how: str) -> None:
    card = await stage.show()
    stage.react(card, "-1")
    stage.reply(card, RULE)
    await stage.learned()
    if how == "thumb":
        stage.unreact(card, "-1")
    else:
        stage.react(card, "+1")
    await stage.learned()
    assert (stage.labels(), stage.rules()) == ({}, [])
    (said,) = told(stage, card)
    assert "Taken back" in said
    assert RULE not in said
    if how == "thumb":
        stage.react(card, "-1")
    else:
        stage.unreact(card, "+1")
    await stage.learned()
    assert stage.rules() == [RULE]
    (said,) = told(stage, card)
    assert RULE in said


async def test_a_deleted_reason_takes_its_guideline_back_and_leaves_the_case(stage: Stage) -> None:
    card = await stage.show()
    stage.react(card, "-1")
    reason = stage.reply(card, RULE)
    await stage.learned()
    stage.workspace.delete(stage.ana.id, card.channel, reason)
    await stage.learned()
    assert stage.rules() == []
    assert stage.labels().keys() == {"tr-1"}
    assert "Taken back" in told(stage, card)[0]


async def test_an_edited_reason_teaches_what_it_says_now(stage: Stage) -> None:
    card = await stage.show()
    stage.react(card, "-1")
    reason = stage.reply(card, RULE)
    await stage.learned()
    stage.workspace.edit(stage.ana.id, card.channel, reason, "Answers must offer a next step to everybody.")
    await stage.learned()
    assert stage.rules() == ["Answers must offer a next step to everybody."]
    assert any("next step" in said for said in told(stage, card))


async def test_two_people_who_say_the_same_are_both_authors(stage: Stage) -> None:
    card = await stage.show()
    for person in (stage.ana, stage.ben):
        stage.react(card, "-1", by=person)
        stage.reply(card, RULE, by=person)
    await stage.learned()
    (rule,) = stage.bot.memories[JUDGE].guidelines
    assert set(rule.people) == {stage.ana.id, stage.ben.id}
    stage.unreact(card, "-1", by=stage.ana)
    stage.unreact(card, "-1", by=stage.ben)
    await stage.learned()
    assert stage.rules() == []


async def test_the_majority_labels_the_case_and_the_newest_vote_breaks_a_tie(stage: Stage) -> None:
    cleo = stage.workspace.add_user("cleo")
    stage.workspace.join(cleo.id, stage.channel.id)
    card = await stage.show()
    judged = card.metadata is not None and await _judged(stage, card)
    stage.react(card, "+1")
    stage.react(card, "-1", by=stage.ben)
    await stage.learned()
    assert stage.labels() == {"tr-1": not judged}
    stage.react(card, "+1", by=cleo)
    await stage.learned()
    assert stage.labels() == {"tr-1": judged}


async def _judged(stage: Stage, card: Message) -> Label:
    await stage.feedback(card)  # waits until the store knows the card
    stored = await stage.bot.database.verdicts.by_card(card.channel, card.ts)
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
    async with staged(tmp_path, judge={"feedback_value_type": values}) as stage:
        card = await stage.show()
        stage.react(card, "-1")
        await stage.learned()
        assert stage.labels() == {}
        assert "Which value is right?" in told(stage, card)[0]
        stage.react(card, "thumbsdown::skin-tone-3")
        await stage.learned()
        assert len(told(stage, card)) == 1
        stage.reply(card, reply)
        await stage.learned()
        assert stage.labels() == {"tr-1": label}


async def test_the_menu_gives_the_right_value(tmp_path: Path) -> None:
    async with staged(tmp_path, judge={"feedback_value_type": ["polite", "curt", "rude"]}) as stage:
        card = await stage.show()
        stage.react(card, "-1")
        await stage.learned()
        asking = stage.workspace.thread(card.channel, card.ts)[-1]
        judged = await _judged(stage, card)
        right = "rude" if judged != "rude" else "curt"
        assert f'"{judged}"' not in [str(one) for one in _options(asking)]
        said = await stage.whispered(stage.press(asking, "correct_value", value=f'"{right}"'))
        assert right in said
        await stage.learned()
        assert stage.labels() == {"tr-1": right}


def _options(message: Message) -> list[str]:
    return [
        option["value"]
        for block in message.blocks or []
        for element in block.get("elements", [])
        for option in element.get("options", [])
    ]


async def test_the_modal_asks_for_the_value_and_says_what_is_expected(tmp_path: Path) -> None:
    async with staged(tmp_path, judge={"feedback_value_type": "float"}) as stage:
        card = await stage.show()
        await stage.press(card, "vote_down")
        view = (await stage.until(lambda: stage.slack.views(stage.ana.id)))[-1]
        answer = await stage.slack.submit(stage.ana.id, view.id, {"value": "high", "reason": "It is curt."})
        assert "a number" in answer["errors"]["value"]
        await stage.slack.submit(stage.ana.id, view.id, {"value": "0.25", "reason": "It is curt."})
        await stage.learned()
        assert stage.labels() == {"tr-1": 0.25}
        said = (await stage.feedback(card))["ana"]
        assert (said.vote, said.rationale) == ("down", "It is curt.")


async def test_correcting_after_a_thumb_up_asks_for_the_value(tmp_path: Path) -> None:
    async with staged(tmp_path, judge={"feedback_value_type": "int"}) as stage:
        card = await stage.show()
        await stage.press(card, "vote_up")
        await stage.slack.shortcut(stage.ana.id, card.channel, card.ts, "correct_verdict")
        view = (await stage.until(lambda: stage.slack.views(stage.ana.id)))[-1]
        judged = await _judged(stage, card)
        right = next(value for value in ("1", "2") if value != str(judged))
        element = next(block for block in view.content["blocks"] if block.get("block_id") == "value")
        typed = element["element"]["type"] == "plain_text_input"
        assert typed or right in _values(element)
        await stage.slack.submit(stage.ana.id, view.id, {"value": right, "reason": ""})
        await stage.learned()
        assert stage.labels() == {"tr-1": int(right)}


def _values(field: dict[str, dict[str, list[dict[str, str]]]]) -> list[str]:
    return [option["value"] for option in field["element"]["options"]]


@pytest.mark.parametrize("values", [["x" * 300, "good"], [f"category {n}" for n in range(150)]])
async def test_values_that_no_menu_takes_can_be_typed(tmp_path: Path, values: list[str]) -> None:
    async with staged(tmp_path, judge={"feedback_value_type": values}) as stage:
        card = await stage.show()
        stage.react(card, "-1")
        await stage.learned()
        assert "Which value is right?" in told(stage, card)[0]
        judged = await _judged(stage, card)
        other = next(value for value in reversed(values) if value != judged)
        if len(other) < 100:
            stage.reply(card, f"{other}: because")
            await stage.learned()
            assert stage.labels() == {"tr-1": other}


# --- when something is down


async def test_a_lesson_is_marked_as_taken_back_once_slack_is_there_again(stage: Stage) -> None:
    card = await stage.show()
    stage.react(card, "-1")
    stage.reply(card, RULE)
    await stage.learned()
    stage.slack.fail_next("chat.update", status=503, times=3)
    stage.unreact(card, "-1")
    await stage.learned()
    assert "Taken back" in told(stage, card)[0]


async def troubled(stage: Stage) -> bool:
    return any(JUDGE in trouble for trouble in (await stage.bot.status.read()).troubles)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with running_model_server() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        yield server


async def test_feedback_waits_while_the_model_is_down_and_is_learned_when_it_is_back(
    tmp_path: Path, models: ModelServer
) -> None:
    memory = {"reflection_lm": "openai:/gpt-5-mini", "embedding_model": "local:/wordllama"}
    async with staged(tmp_path, memory=memory) as stage:
        card = await stage.show()
        down = models.faults
        down.extend([overloaded(503)] * 1000)
        stage.react(card, "-1")
        stage.reply(card, RULE)
        await stage.until_async(lambda: troubled(stage))
        (said,) = await stage.asked(stage.ana, "status")
        assert "Something needs a look" in said
        assert "feedback on 1 verdict to learn from" in said
        down.clear()
        await stage.learned()
        assert stage.rules()
        assert any("Learned" in one for one in told(stage, card))
        assert "All is well" in (await stage.asked(stage.ana, "status"))[0]
