"""Private answers to replies, through the whole bot: what one person sees and presses in the thread."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox import Ephemeral, Message, User, Workspace
from memalign.records import Json, Label
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace, words
from tests.secrets import search

REASON = "An answer should never send people away."


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
        yield ready


async def answered(harness: BotInWorkspace) -> list[Ephemeral]:
    """Wait until no reply waits; all private messages up to now."""
    await harness.learned()
    await harness.until_async(lambda: _nobody_waits(harness))
    return harness.slack.ephemerals


async def _nobody_waits(harness: BotInWorkspace) -> bool:
    return not await harness.bot.database.replies.waiting()


def shown(harness: BotInWorkspace, user: User) -> list[Message]:
    """The private messages that somebody still sees."""
    return harness.workspace.person_views.ephemerals(user.id)


def texts(harness: BotInWorkspace, user: User) -> list[str]:
    return [words(each.blocks, each.text) for each in shown(harness, user)]


def buttons(message: Message) -> dict[str, str]:
    """The buttons of a message: their texts, and their action ids."""
    return {
        element["text"]["text"]: element["action_id"]
        for block in message.blocks or []
        for element in block.get("elements", [])
        if element["type"] == "button"
    }


async def press(harness: BotInWorkspace, text: str, by: User | None = None) -> None:
    """Press the button with that text, in the private message that came last."""
    user = by or harness.ana
    message = shown(harness, user)[-1]
    await harness.press(message, buttons(message)[text], by=user)


async def judged(harness: BotInWorkspace, card: Message) -> Label:
    await harness.feedback(card)
    stored = await harness.bot.database.verdicts.by_card(card.channel, card.ts)
    assert stored is not None
    return stored.verdict.value


async def test_a_reason_without_a_vote_is_asked_about_in_the_thread_and_a_press_teaches_it(
    harness: BotInWorkspace,
) -> None:
    card = await harness.show()
    harness.reply(card, REASON)
    await answered(harness)
    [question] = shown(harness, harness.ana)
    assert question.thread_ts == card.ts
    assert "Is the judge right here?" in words(question.blocks)
    passes = await judged(harness, card) is True
    assert list(buttons(question)) == [
        f"👍 Right, it {'passes' if passes else 'fails'}",
        f"👎 No, it {'fails' if passes else 'passes'}",
        "🤷 Can't tell",
    ]
    assert shown(harness, harness.ben) == []
    await press(harness, f"👎 No, it {'fails' if passes else 'passes'}")
    await answered(harness)
    assert harness.labels() == {"tr-1": not passes}
    assert harness.rules() == [REASON]
    [confirmation] = texts(harness, harness.ana)
    assert confirmation == f"Noted: *{'fail ❌' if passes else 'pass ✅'}*. I'll learn from your reason, too."


@pytest.mark.parametrize("thanks", ["thanks!", "ok", ":tada:", "👍", "danke dir"])
async def test_thanks_are_met_with_silence(harness: BotInWorkspace, thanks: str) -> None:
    card = await harness.show()
    harness.reply(card, thanks)
    assert await answered(harness) == []


@pytest.mark.parametrize("thumb", [None, "+1"])
async def test_a_value_that_agrees_with_the_judge_is_noted_in_the_thread(
    harness: BotInWorkspace, thumb: str | None
) -> None:
    card = await harness.show()
    word = "pass" if await judged(harness, card) else "fail"
    if thumb:
        harness.react(card, thumb)
        await answered(harness)
        assert harness.thread(card) == []
    harness.reply(card, word)
    await answered(harness)
    [status] = harness.thread(card)
    assert status.splitlines()[0] == f"Noted: *{word}*."


async def test_a_reply_beside_a_thumb_is_not_asked_about(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.react(card, "-1")
    harness.reply(card, REASON)
    assert await answered(harness) == []


@pytest.mark.parametrize(
    ("judge", "reply", "choices"),
    [
        ({"feedback_value_type": "int", "range": [1, 5]}, "2? or 3?", ["1", "2", "3", "4", "5"]),
        ({"feedback_value_type": ["polite", "curt", "rude"]}, "rude? or curt?", ["polite", "curt", "rude"]),
        ({}, "it should pass, or maybe not", ["pass ✅", "fail ❌"]),
    ],
)
async def test_an_unclear_value_is_asked_back_with_buttons_of_the_values(
    tmp_path: Path, judge: Json, reply: str, choices: list[str]
) -> None:
    async with bot_in_workspace(tmp_path, judge=judge) as harness:
        card = await harness.show()
        harness.reply(card, reply)
        await answered(harness)
        [question] = shown(harness, harness.ana)
        assert list(buttons(question)) == choices
        await press(harness, choices[1])
        await answered(harness)
        assert f"Noted: *{choices[1]}*." in texts(harness, harness.ana)[0]
        assert harness.labels() == {"tr-1": False if not judge else (2 if reply == "2? or 3?" else "curt")}


async def test_many_values_are_a_menu(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judge={"feedback_value_type": "int", "range": [1, 20]}) as harness:
        card = await harness.show()
        harness.reply(card, "17? or 18?")
        await answered(harness)
        [question] = shown(harness, harness.ana)
        await harness.press(question, "reply_value", value="17")
        await answered(harness)
        assert harness.labels() == {"tr-1": 17}
        assert texts(harness, harness.ana) == ["Noted: *17*."]


async def test_a_thumb_down_and_a_reason_without_the_value_are_asked_for_it(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judge={"feedback_value_type": "int", "range": [1, 5]}) as harness:
        card = await harness.show()
        harness.react(card, "-1")
        harness.reply(card, REASON)
        await answered(harness)
        assert "What should it have been?" in texts(harness, harness.ana)[0]
        right = 2 if await judged(harness, card) != 2 else 3
        await press(harness, str(right))
        await answered(harness)
        assert harness.labels() == {"tr-1": right}
        assert harness.rules() == [REASON]


async def test_no_to_a_judge_of_numbers_leads_to_the_question_for_the_value(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judge={"feedback_value_type": "int", "range": [1, 5]}) as harness:
        card = await harness.show()
        harness.reply(card, REASON)
        await answered(harness)
        await press(harness, "👎 No")
        await answered(harness)
        assert texts(harness, harness.ana)[0] == "Noted: the judge is wrong here."
        assert "What should it have been?" in texts(harness, harness.ana)[1]


async def test_two_people_are_each_asked_what_they_left_open(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.reply(card, REASON)
    harness.reply(card, "It should greet people.", by=harness.ben)
    await answered(harness)
    assert [len(shown(harness, user)) for user in (harness.ana, harness.ben)] == [1, 1]
    no = next(text for text in buttons(shown(harness, harness.ben)[0]) if text.startswith("👎"))
    await press(harness, no, by=harness.ben)
    await answered(harness)
    assert "Is the judge right here?" in texts(harness, harness.ana)[0]
    assert "Noted:" in texts(harness, harness.ben)[0]
    assert {name for name, each in (await harness.feedback(card)).items() if each.vote} == {"ben"}


async def test_no_direct_message_is_ever_opened(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.reply(card, REASON)
    harness.reply(card, "pass or fail?", by=harness.ben)
    messages = await answered(harness)
    assert {each.channel for each in messages} == {card.channel}
    assert all(channel.kind != "im" for channel in harness.workspace.channels.values())


async def test_a_guest_is_told_once_a_card_that_replies_do_not_count(harness: BotInWorkspace) -> None:
    guest = harness.workspace.add_user("gus", real_name="Gus", is_restricted=True)
    harness.workspace.join(guest.id, harness.channel.id)
    card = await harness.show()
    harness.reply(card, REASON, by=guest)
    await answered(harness)
    harness.reply(card, "And it should greet people.", by=guest)
    await answered(harness)
    [text] = texts(harness, guest)
    assert "only members of this workspace teach" in text


async def test_a_reply_under_a_forgotten_card_is_answered_once(harness: BotInWorkspace) -> None:
    card = await harness.show()
    await judged(harness, card)
    await harness.asked(harness.ana, "forget tr-1 --yes")
    harness.reply(card, "What became of this?", by=harness.ben)
    await answered(harness)
    harness.reply(card, REASON, by=harness.ben)
    await answered(harness)
    assert texts(harness, harness.ben) == ["This card was forgotten, so I learn nothing from replies here."]


async def test_a_question_is_answered_and_teaches_nothing(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.react(card, "-1")
    harness.reply(card, "Why did the judge say that? Which guideline decided?")
    await answered(harness)
    [text] = texts(harness, harness.ana)
    assert "without a language model" in text
    assert "Similar cases" in text
    assert harness.rules() == []


async def test_a_press_on_a_forgotten_card_says_so(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.reply(card, REASON)
    await answered(harness)
    await harness.asked(harness.ben, "forget tr-1 --yes")
    await press(harness, "🤷 Can't tell")
    await harness.until(lambda: "was forgotten" in texts(harness, harness.ana)[0])


async def test_whoever_is_muted_gets_answers_and_no_questions(harness: BotInWorkspace) -> None:
    card = await harness.show()
    await judged(harness, card)
    await harness.asked(harness.ana, "mute")
    before = len(harness.slack.ephemerals)
    harness.reply(card, REASON)
    assert len(await answered(harness)) == before
    harness.reply(card, "Which guideline decided?")
    assert len(await answered(harness)) == before + 1


async def test_a_call_for_help_is_answered_with_help_alone(harness: BotInWorkspace) -> None:
    card = await harness.show()
    await judged(harness, card)
    harness.reply(card, f"<@{harness.workspace.bot.id}> help")
    await harness.until(lambda: len(harness.slack.ephemerals) == 1)
    assert len(await answered(harness)) == 1
    harness.reply(card, f"<@{harness.workspace.bot.id}> {REASON}")
    await answered(harness)
    assert "Is the judge right here?" in texts(harness, harness.ana)[-1]


async def test_a_delivery_that_comes_again_asks_nobody_again(harness: BotInWorkspace) -> None:
    card = await harness.show()
    await judged(harness, card)
    harness.reply(card, REASON)
    await answered(harness)
    for _ in range(2):
        harness.slack.faults.redeliver_last()
        await answered(harness)
    assert len(shown(harness, harness.ana)) == 1


async def test_over_a_restart_everybody_is_asked_once(tmp_path: Path) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        card = await harness.show()
        harness.reply(card, REASON)
        await answered(harness)
        ana, ben = harness.ana, harness.ben
    workspace.post(ben.id, card.channel, "could pass", thread_ts=card.ts)
    for _ in range(2):
        async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
            await harness.reconciled()
            await answered(harness)
    assert [len(shown(harness, user)) for user in (ana, ben)] == [1, 1]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 429, "retry_after": 1},
        {"error": "internal_error"},
        {"error": "ratelimited"},
    ],
    ids=str,
)
async def test_an_answer_waits_until_slack_works_again(harness: BotInWorkspace, fault: Json) -> None:
    card = await harness.show()
    await judged(harness, card)
    harness.slack.faults.fail_next("chat.postEphemeral", times=2, **fault)
    harness.reply(card, REASON)
    await answered(harness)
    assert len(shown(harness, harness.ana)) == 1
    assert harness.rules() == []
    assert not (await harness.bot.status.read()).troubles


async def test_an_edit_that_says_the_value_is_learned_and_not_asked_about(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judge={"feedback_value_type": "int", "range": [1, 5]}) as harness:
        card = await harness.show()
        ts = harness.reply(card, "2 or 3")
        await answered(harness)
        assert "which value" in texts(harness, harness.ana)[0]
        harness.workspace.edit(harness.ana.id, card.channel, ts, "3, because it sends people away")
        await answered(harness)
        assert harness.labels() == {"tr-1": 3}
        assert len(shown(harness, harness.ana)) == 1


async def test_a_reply_that_is_deleted_leaves_nothing_to_ask(harness: BotInWorkspace) -> None:
    card = await harness.show()
    await judged(harness, card)
    harness.slack.faults.fail_next("chat.postEphemeral", status=503, times=1)
    ts = harness.reply(card, REASON)
    await harness.until_async(lambda: _somebody_waits(harness))
    harness.workspace.delete(harness.ana.id, card.channel, ts)
    await answered(harness)
    assert shown(harness, harness.ana) == []


async def _somebody_waits(harness: BotInWorkspace) -> bool:
    return bool(await harness.bot.database.replies.waiting())


async def test_no_byte_of_a_forgotten_persons_replies_is_left_with_their_receipts(
    harness: BotInWorkspace, tmp_path: Path
) -> None:
    card = await harness.show()
    harness.reply(card, "Überraschend could pass")
    harness.reply(card, REASON, by=harness.ben)
    await answered(harness)
    assert search(tmp_path / "store", ["Überraschend"]).found
    await harness.asked(harness.ana, "forget --person me --yes")
    await answered(harness)
    assert search(tmp_path / "store", ["Überraschend"]).found == ()
    stored = await harness.bot.database.verdicts.by_card(card.channel, card.ts)
    assert stored is not None
    receipts = harness.bot.database.replies.receipts
    assert await receipts(stored.verdict_id, harness.ana.id) == set()
    assert len(await receipts(stored.verdict_id, harness.ben.id)) == 1


async def test_no_byte_of_a_forgotten_trace_is_left_with_its_receipts(
    harness: BotInWorkspace, tmp_path: Path
) -> None:
    card = await harness.show()
    harness.reply(card, REASON)
    await answered(harness)
    stored = await harness.bot.database.verdicts.by_card(card.channel, card.ts)
    assert stored is not None
    await harness.asked(harness.ana, "forget tr-1 --yes")
    await answered(harness)
    assert search(tmp_path / "store", [REASON, stored.verdict_id]).found == ()
