"""From feedback to lessons, and what the thread is told of it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.sandbox import Message
from memalign.records import Label
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace, words
from tests.model_server import ModelServer, overloaded, running_model_server

RULE = "The answer should never send people away."


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
        yield ready


def told(harness: BotInWorkspace, card: Message) -> list[str]:
    """The bot's messages in a card's thread as they read now, all blocks of them."""
    replies = harness.workspace.thread(card.channel, card.ts)
    return [words(one.blocks, one.text) for one in replies if one.user == harness.workspace.bot.id][1:]


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
    (said,) = told(harness, card)
    assert RULE in said
    assert "Ana Ruiz" in said
    assert harness.ana.id not in said
    assert harness.workspace.mentions == []


async def test_a_thumb_down_without_a_reason_is_asked_why_once(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.react(card, "-1")
    await harness.learned()
    harness.unreact(card, "-1")
    await harness.learned()
    harness.react(card, "-1")
    await harness.learned()
    harness.react(card, "-1", by=harness.ben)
    await harness.learned()
    (said,) = told(harness, card)
    assert "Why is that?" in said


async def test_a_thumb_up_is_learned_without_a_word(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.react(card, "+1")
    await harness.learned()
    assert harness.labels().keys() == {"tr-1"}
    assert told(harness, card) == []


async def test_a_shrug_teaches_nothing(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.react(card, "shrug")
    harness.reply(card, RULE)
    await harness.learned()
    assert (harness.labels(), harness.rules()) == ({}, [])


@pytest.mark.parametrize("how", ["thumb", "both thumbs"])
async def test_withdrawn_feedback_takes_the_lesson_back_and_can_come_again(
    harness: BotInWorkspace, how: str
) -> None:
    card = await harness.show()
    harness.react(card, "-1")
    harness.reply(card, RULE)
    await harness.learned()
    if how == "thumb":
        harness.unreact(card, "-1")
    else:
        harness.react(card, "+1")
    await harness.learned()
    assert (harness.labels(), harness.rules()) == ({}, [])
    (said,) = told(harness, card)
    assert "Taken back" in said
    assert RULE not in said
    if how == "thumb":
        harness.react(card, "-1")
    else:
        harness.unreact(card, "+1")
    await harness.learned()
    assert harness.rules() == [RULE]
    (said,) = told(harness, card)
    assert RULE in said


async def test_a_deleted_reason_takes_its_guideline_back_and_leaves_the_case(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.react(card, "-1")
    reason = harness.reply(card, RULE)
    await harness.learned()
    harness.workspace.delete(harness.ana.id, card.channel, reason)
    await harness.learned()
    assert harness.rules() == []
    assert harness.labels().keys() == {"tr-1"}
    assert "Taken back" in told(harness, card)[0]


async def test_an_edited_reason_teaches_what_it_says_now(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.react(card, "-1")
    reason = harness.reply(card, RULE)
    await harness.learned()
    harness.workspace.edit(
        harness.ana.id, card.channel, reason, "Answers must offer a next step to everybody."
    )
    await harness.learned()
    assert harness.rules() == ["Answers must offer a next step to everybody."]
    assert any("next step" in said for said in told(harness, card))


async def test_two_people_who_say_the_same_are_both_authors(harness: BotInWorkspace) -> None:
    card = await harness.show()
    for person in (harness.ana, harness.ben):
        harness.react(card, "-1", by=person)
        harness.reply(card, RULE, by=person)
    await harness.learned()
    (rule,) = harness.bot.memories[JUDGE].guidelines
    assert set(rule.people) == {harness.ana.id, harness.ben.id}
    harness.unreact(card, "-1", by=harness.ana)
    harness.unreact(card, "-1", by=harness.ben)
    await harness.learned()
    assert harness.rules() == []


async def test_the_majority_labels_the_case_and_the_newest_vote_breaks_a_tie(harness: BotInWorkspace) -> None:
    cleo = harness.workspace.add_user("cleo")
    harness.workspace.join(cleo.id, harness.channel.id)
    card = await harness.show()
    judged = card.metadata is not None and await _judged(harness, card)
    harness.react(card, "+1")
    harness.react(card, "-1", by=harness.ben)
    await harness.learned()
    assert harness.labels() == {"tr-1": not judged}
    harness.react(card, "+1", by=cleo)
    await harness.learned()
    assert harness.labels() == {"tr-1": judged}


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
        assert "Which value is right?" in told(harness, card)[0]
        harness.react(card, "thumbsdown::skin-tone-3")
        await harness.learned()
        assert len(told(harness, card)) == 1
        harness.reply(card, reply)
        await harness.learned()
        assert harness.labels() == {"tr-1": label}


async def test_the_menu_gives_the_right_value(tmp_path: Path) -> None:
    async with bot_in_workspace(
        tmp_path, judge={"feedback_value_type": ["polite", "curt", "rude"]}
    ) as harness:
        card = await harness.show()
        harness.react(card, "-1")
        await harness.learned()
        asking = harness.workspace.thread(card.channel, card.ts)[-1]
        judged = await _judged(harness, card)
        right = "rude" if judged != "rude" else "curt"
        assert f'"{judged}"' not in [str(one) for one in _options(asking)]
        said = await harness.whispered(harness.press(asking, "correct_value", value=f'"{right}"'))
        assert right in said
        await harness.learned()
        assert harness.labels() == {"tr-1": right}


def _options(message: Message) -> list[str]:
    return [
        option["value"]
        for block in message.blocks or []
        for element in block.get("elements", [])
        for option in element.get("options", [])
    ]


async def test_the_modal_asks_for_the_value_and_says_what_is_expected(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judge={"feedback_value_type": "float"}) as harness:
        card = await harness.show()
        await harness.press(card, "vote_down")
        view = (await harness.until(lambda: harness.slack.views(harness.ana.id)))[-1]
        answer = await harness.slack.modals.submit(
            harness.ana.id, view.id, {"value": "high", "reason": "It is curt."}
        )
        assert "a number" in answer["errors"]["value"]
        await harness.slack.modals.submit(harness.ana.id, view.id, {"value": "0.25", "reason": "It is curt."})
        await harness.learned()
        assert harness.labels() == {"tr-1": 0.25}
        said = (await harness.feedback(card))["ana"]
        assert (said.vote, said.rationale) == ("down", "It is curt.")


async def test_correcting_after_a_thumb_up_asks_for_the_value(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judge={"feedback_value_type": "int"}) as harness:
        card = await harness.show()
        await harness.press(card, "vote_up")
        await harness.slack.interactions.shortcut(harness.ana.id, card.channel, card.ts, "correct_verdict")
        view = (await harness.until(lambda: harness.slack.views(harness.ana.id)))[-1]
        judged = await _judged(harness, card)
        right = next(value for value in ("1", "2") if value != str(judged))
        element = next(block for block in view.content["blocks"] if block.get("block_id") == "value")
        typed = element["element"]["type"] == "plain_text_input"
        assert typed or right in _values(element)
        await harness.slack.modals.submit(harness.ana.id, view.id, {"value": right, "reason": ""})
        await harness.learned()
        assert harness.labels() == {"tr-1": int(right)}


def _values(field: dict[str, dict[str, list[dict[str, str]]]]) -> list[str]:
    return [option["value"] for option in field["element"]["options"]]


@pytest.mark.parametrize("values", [["x" * 300, "good"], [f"category {n}" for n in range(150)]])
async def test_values_that_no_menu_takes_can_be_typed(tmp_path: Path, values: list[str]) -> None:
    async with bot_in_workspace(tmp_path, judge={"feedback_value_type": values}) as harness:
        card = await harness.show()
        harness.react(card, "-1")
        await harness.learned()
        assert "Which value is right?" in told(harness, card)[0]
        judged = await _judged(harness, card)
        other = next(value for value in reversed(values) if value != judged)
        if len(other) < 100:
            harness.reply(card, f"{other}: because")
            await harness.learned()
            assert harness.labels() == {"tr-1": other}


# --- when something is down


async def test_a_lesson_is_marked_as_taken_back_once_slack_is_there_again(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.react(card, "-1")
    harness.reply(card, RULE)
    await harness.learned()
    harness.slack.faults.fail_next("chat.update", status=503, times=3)
    harness.unreact(card, "-1")
    await harness.learned()
    assert "Taken back" in told(harness, card)[0]


async def troubled(harness: BotInWorkspace) -> bool:
    return any(JUDGE in trouble for trouble in (await harness.bot.status.read()).troubles)


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
    async with bot_in_workspace(tmp_path, memory=memory) as harness:
        card = await harness.show()
        down = models.faults
        down.extend([overloaded(503)] * 1000)
        harness.react(card, "-1")
        harness.reply(card, RULE)
        await harness.until_async(lambda: troubled(harness))
        (said,) = await harness.asked(harness.ana, "status")
        assert "Something needs a look" in said
        assert "feedback on 1 verdict to learn from" in said
        down.clear()
        await harness.learned()
        assert harness.rules()
        assert any("Learned" in one for one in told(harness, card))
        assert "All is well" in (await harness.asked(harness.ana, "status"))[0]
