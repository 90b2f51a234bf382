"""Cards that ask before they show the verdict, in the embedded workspace."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox import Workspace
from bot.sandbox.web_api.context import DEFAULT_SCOPES
from bot.sandbox.workspace.records import View
from memalign.records import Json
from tests.bot.blind_cards import (
    FAIL,
    OUTPUTS,
    PASS,
    REASON,
    blind_bot,
    first_line,
    looked_at,
    opened,
    outdated,
    revealed,
    seen,
    transcript,
)
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, words
from tests.bot.cli.test_cli import memalign
from tests.bot.test_digest_in_workspace import LAST_WEEK, posted_digest
from tests.bot.test_digest_in_workspace import shown as digest_words
from tests.model_server import ModelServer, running_model_server
from tests.storage.records import FOREVER_MS, reaction_event

HIDDEN_LINE = "*Your view first* · Polite"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        yield running


# --- the answer, and the verdict after it


async def test_a_card_asks_and_shows_its_verdict_once_somebody_pressed_a_value(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        assert first_line(harness) == HIDDEN_LINE
        assert REASON not in seen(harness)
        assert card.text == "“Can you help me?” Your view first · Polite"
        metadata = card.metadata
        assert metadata is not None
        assert metadata["event_type"] == "memalign_verdict"
        assert metadata["event_payload"].keys() == {"trace_id", "judge", "verdict_id", "post_id", "nonce"}

        answer = await harness.ephemeral_answer(harness.press(card, PASS))
        assert answer == "Your answer counts: *pass*. The judge said *fail*."
        modal = words((await opened(harness)).content["blocks"])
        assert "The judge said *fail*. What did it miss?" in modal
        assert "Your answer counts even if you close this." in modal

        shown = await revealed(harness)
        assert first_line(harness) == "❌ *Fail* · Polite"
        assert "Asked before showing: Ana Ruiz said pass · " in seen(harness)
        assert "Right, it fails" in seen(harness)
        assert shown.metadata == metadata
        ana = (await harness.feedback(card))["ana"]
        assert (ana.vote, ana.value, ana.blind_value) == ("down", True, True)
        await harness.learned()
        assert harness.labels() == {"tr-1": True}


async def test_who_says_what_the_judge_said_is_told_so_and_asked_nothing(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        answer = await harness.ephemeral_answer(harness.press(card, FAIL))
        assert answer == "You and the judge agree: *fail*."
        await revealed(harness)
        assert harness.slack.views(harness.ana.id) == []
        ana = (await harness.feedback(card))["ana"]
        assert (ana.vote, ana.value, ana.blind_value) == ("up", False, False)
        await harness.learned()
        assert harness.thread(card) == []


async def test_a_thumb_means_pass_or_fail_before_and_right_or_wrong_after_the_verdict_is_shown(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        assert "👍 means pass, 👎 means fail." in seen(harness)
        harness.react(card, "+1")
        await revealed(harness)
        harness.react(card, "+1", by=harness.ben)
        feedback = await harness.feedback(card)
        assert (feedback["ana"].vote, feedback["ana"].value) == ("down", True)
        assert (feedback["ben"].vote, feedback["ben"].value) == ("up", False)
        assert (feedback["ana"].blind_value, feedback["ben"].blind_value) == (True, None)
        await looked_at(harness)
        assert "Asked before showing: Ana Ruiz said pass · " in seen(harness)
        # as after a thumb down on a card that shows its verdict
        harness.unreact(card, "+1", by=harness.ben)
        await harness.learned()
        assert "What made it pass?" in harness.thread(card)[-1]


async def test_a_value_in_a_reply_is_an_answer_and_a_reason_alone_is_none(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        asked = await harness.ephemeral_answer(_said(harness, card, "It never says sorry to anybody."))
        assert "What's your answer here?" in asked
        assert first_line(harness) == HIDDEN_LINE
        harness.reply(card, "fail, since it sends people away", by=harness.ben)
        await revealed(harness)
        ben = (await harness.feedback(card))["ben"]
        assert (ben.vote, ben.blind_value, ben.rationale) == ("up", False, "since it sends people away")
        assert "Ben Okafor said fail" in seen(harness)


async def _said(harness: BotInWorkspace, card: Json, text: str) -> None:
    harness.reply(card, text)


async def test_the_private_question_about_a_reason_takes_the_answer(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        await harness.ephemeral_answer(_said(harness, card, "It never says sorry to anybody."))
        question = harness.slack.ephemerals[-1]
        await harness.slack.interactions.click(harness.ana.id, card.channel, question.ts, "reply_value:1")
        await revealed(harness)
        ana = (await harness.feedback(card))["ana"]
        assert (ana.vote, ana.blind_value, ana.rationale) == ("up", False, "It never says sorry to anybody.")


async def test_cannot_tell_shows_nobody_the_verdict(tmp_path: Path, server: ModelServer) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        answer = await harness.ephemeral_answer(harness.press(card, "vote_unsure"))
        assert answer == "Your 🤷 counts: you can't tell. The verdict comes once somebody answers."
        harness.react(card, "shrug", by=harness.ben)
        await looked_at(harness)
        assert first_line(harness) == HIDDEN_LINE
        feedback = await harness.feedback(card)
        assert [each.vote for each in feedback.values()] == ["unsure", "unsure"]
        await harness.press(card, FAIL)
        await revealed(harness)
        assert (await harness.feedback(card))["ana"].blind_value is False


async def test_two_people_who_answer_at_once_both_answered_unseen(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        harness.react(card, "+1")
        harness.react(card, "-1", by=harness.ben)
        await revealed(harness)
        await looked_at(harness)
        feedback = await harness.feedback(card)
        assert (feedback["ana"].value, feedback["ana"].blind_value) == (True, True)
        assert (feedback["ben"].value, feedback["ben"].blind_value) == (False, False)
        assert "Ana Ruiz said pass, Ben Okafor said fail" in seen(harness)


async def test_both_thumbs_of_one_person_are_no_answer_until_one_is_gone(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        harness.react(card, "+1", "-1")
        await harness.slack.settled()
        assert (await harness.feedback(card))["ana"].vote is None
        harness.unreact(card, "-1")
        await revealed(harness)
        assert (await harness.feedback(card))["ana"].value is True


async def test_a_changed_mind_counts_and_the_first_answer_stays_known(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        await harness.press(card, PASS)
        await revealed(harness)
        await harness.press(card, "vote_up")
        ana = (await harness.feedback(card))["ana"]
        assert (ana.vote, ana.value, ana.blind_value) == ("up", False, True)
        await looked_at(harness)
        assert "Ana Ruiz said pass" in seen(harness)
        await harness.learned()
        assert harness.labels() == {"tr-1": False}


async def test_an_answer_taken_back_is_gone_and_the_verdict_stays_shown(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        harness.react(card, "+1")
        await revealed(harness)
        harness.unreact(card, "+1")
        await harness.until(lambda: "Ana Ruiz" not in seen(harness))
        assert first_line(harness) == "❌ *Fail* · Polite"
        assert (await harness.feedback(card))["ana"].vote is None
        await harness.learned()
        assert harness.labels() == {}


async def test_a_thumb_of_before_that_comes_late_says_what_it_said_then(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        harness.react(card, "-1", by=harness.ben)
        await revealed(harness)
        earlier = reaction_event(harness.ana.id, "+1", True, f"{float(card.ts) + 0.0001:.6f}")
        for _ in range(2):
            await harness.bot.database.feedback.note(card.channel, card.ts, earlier)
        feedback = await harness.feedback(card)
        assert (feedback["ana"].vote, feedback["ana"].value, feedback["ana"].blind_value) == (
            "down",
            True,
            True,
        )


async def test_names_stay_out_where_votes_are_private(tmp_path: Path, server: ModelServer) -> None:
    async with blind_bot(tmp_path, server, access={"show_votes": False}) as harness:
        card = await harness.show()
        await harness.press(card, PASS)
        await revealed(harness)
        assert "Asked before showing: 1 person answered · " in seen(harness)
        assert "Ana" not in seen(harness)


# --- whatever stops in between


async def test_a_card_answered_just_before_the_bot_stopped_shows_its_verdict_after_the_start(
    tmp_path: Path, server: ModelServer
) -> None:
    workspace = Workspace()
    async with blind_bot(tmp_path, server, workspace=workspace) as harness:
        card = await harness.show()
        harness.slack.faults.fail_next("chat.update", error="internal_error", times=1000)
        await harness.press(card, PASS)
        await harness.until_async(lambda: harness.tells("a card that was answered does not show its verdict"))
        assert first_line(harness) == HIDDEN_LINE
    async with blind_bot(tmp_path, server, workspace=workspace) as harness:
        await revealed(harness)
        assert "Ana Ruiz said pass" in seen(harness)
        assert (await harness.feedback(card))["ana"].blind_value is True


async def test_what_people_press_while_slack_takes_no_edit_is_said_of_the_question(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        harness.slack.faults.fail_next("chat.update", error="internal_error", times=3)
        harness.react(card, "-1", by=harness.ben)
        await harness.until_async(lambda: harness.tells("does not show its verdict"))
        harness.react(card, "+1")
        await revealed(harness)
        feedback = await harness.feedback(card)
        assert (feedback["ana"].value, feedback["ana"].blind_value) == (True, True)
        assert not await harness.tells("does not show its verdict")


async def test_an_edit_whose_answer_was_lost_is_made_again(tmp_path: Path, server: ModelServer) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        harness.slack.faults.fail_next("chat.update", lost=True)
        harness.react(card, "+1")
        await revealed(harness)
        assert (await harness.feedback(card))["ana"].value is True


async def test_a_forgotten_trace_is_shown_no_more_whenever_it_was_answered(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        before, after = await harness.show("tr-1"), await harness.show("tr-2")
        await harness.press(after, PASS)
        await revealed(harness, "tr-2")
        harness.slack.faults.fail_next("chat.update", error="internal_error")
        await harness.press(before, PASS)
        for trace_id in ("tr-1", "tr-2"):
            await harness.asked(harness.ana, f"forget {trace_id} --yes")
        await harness.until_async(lambda: _nothing_to_redact(harness))
        await harness.learned()
        texts = [
            words(message.blocks)
            for message in harness.workspace.messages(harness.channel.id)
            if message.ts in (before.ts, after.ts)
        ]
        assert len(texts) == 2
        assert all(OUTPUTS not in text and REASON not in text and "Polite" not in text for text in texts)
        assert not await outdated(harness)


async def _nothing_to_redact(harness: BotInWorkspace) -> bool:
    return await harness.bot.database.forgetting.redactions_due(FOREVER_MS) == []


async def test_a_forgotten_person_leaves_the_card_and_one_forgotten_in_time_never_enters_it(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        shown, hidden = await harness.show("tr-1"), await harness.show("tr-2")
        await harness.press(shown, PASS)
        await harness.press(shown, PASS, by=harness.ben)
        await harness.until(lambda: "Ana Ruiz and Ben Okafor said pass" in seen(harness, "tr-1"))
        await revealed(harness, "tr-1")
        harness.slack.faults.fail_next("chat.update", error="internal_error")
        await harness.press(hidden, PASS)
        await harness.asked(harness.ana, "forget --person me --yes")
        await harness.until(lambda: "Asked before showing: Ben Okafor said pass" in seen(harness, "tr-1"))
        await looked_at(harness)
        assert "Ana" not in seen(harness, "tr-1") + seen(harness, "tr-2")
        assert first_line(harness, "tr-2") == HIDDEN_LINE


async def test_a_paused_judge_still_takes_answers(tmp_path: Path, server: ModelServer) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        await harness.asked(harness.ana, f"pause {JUDGE}")
        await harness.press(card, PASS)
        await revealed(harness)


async def test_a_renamed_judges_cards_still_ask(tmp_path: Path, server: ModelServer) -> None:
    workspace = Workspace()
    async with blind_bot(tmp_path, server, workspace=workspace) as harness:
        card = await harness.show()
        await harness.learned()
        settings = tmp_path / "memalign.toml"
        settings.write_text(
            f'[storage]\npath = "store"\n[[judges]]\nname = "{JUDGE}"\nchannel = "{harness.channel.id}"\n'
            'model = "openai:/gpt-5-mini"\nfeedback_value_type = "bool"\n'
            'instructions = "Is the answer polite? {{ inputs }} {{ outputs }}"\n'
        )
    assert (await memalign(tmp_path, "rename-judge", JUDGE, "tone")).code == 0
    judge = {"name": "tone", "title": "Tone"}
    async with blind_bot(tmp_path, server, workspace=workspace, judge=judge) as harness:
        await harness.press(card, FAIL)
        await revealed(harness)
        assert first_line(harness) == "❌ *Fail* · Tone"


async def test_without_the_scope_of_reactions_the_buttons_do(tmp_path: Path, server: ModelServer) -> None:
    scopes = DEFAULT_SCOPES - {"reactions:read"}
    async with blind_bot(tmp_path, server, slack={"scopes": scopes}) as harness:
        card = await harness.show()
        harness.react(card, "+1")
        await harness.press(card, FAIL, by=harness.ben)
        await revealed(harness)
        assert "Ben Okafor said fail" in seen(harness)


@pytest.mark.parametrize("share", [0.0, 1.0])
async def test_none_or_all_of_the_cards_ask_first(tmp_path: Path, server: ModelServer, share: float) -> None:
    async with blind_bot(tmp_path, server, share=share) as harness:
        for number in range(3):
            await harness.show(f"tr-{number}")
        lines = {first_line(harness, f"tr-{number}") for number in range(3)}
        assert lines == {HIDDEN_LINE if share else "❌ *Fail* · Polite"}


# --- other values


async def test_a_small_range_has_buttons_and_a_thumb_is_asked_for_its_number(
    tmp_path: Path, server: ModelServer
) -> None:
    judge = {"feedback_value_type": "int", "range": [1, 5]}
    async with blind_bot(tmp_path, server, 4, judge=judge) as harness:
        card = await harness.show()
        assert "👍 means" not in seen(harness)
        asked = await harness.ephemeral_answer(_reacted(harness, card))
        assert "A thumb doesn't say which value is right" in asked
        assert first_line(harness) == HIDDEN_LINE
        answer = await harness.ephemeral_answer(harness.press(card, "blind_answer:1"))
        assert answer == "Your answer counts: *2*. The judge said *4*."
        await revealed(harness)
        ana = (await harness.feedback(card))["ana"]
        assert (ana.vote, ana.value, ana.blind_value) == ("down", 2, 2)
        assert "Ana Ruiz said 2" in seen(harness)
        await harness.learned()
        assert harness.labels() == {"tr-1": 2}


async def _reacted(harness: BotInWorkspace, card: Json) -> None:
    harness.react(card, "-1")


@pytest.mark.parametrize(
    ("typed", "answer"), [("4", "You and the judge agree: *4*."), ("12", "The judge said *4*")]
)
async def test_a_number_without_bounds_is_asked_for_in_a_modal(
    tmp_path: Path, server: ModelServer, typed: str, answer: str
) -> None:
    async with blind_bot(tmp_path, server, 4, judge={"feedback_value_type": "int"}) as harness:
        card = await harness.show()
        await harness.press(card, "blind_answer_form")
        view = await opened(harness)
        assert "The judge's verdict comes after your answer." in words(view.content["blocks"])
        told = await harness.ephemeral_answer(
            harness.slack.modals.submit(
                harness.ana.id, view.id, {"value": typed, "reason": "It lacks a step."}
            )
        )
        assert answer in told
        await revealed(harness)
        ana = (await harness.feedback(card))["ana"]
        assert (ana.value, ana.blind_value, ana.rationale) == (int(typed), int(typed), "It lacks a step.")


@pytest.mark.parametrize("count", [3, 8])
async def test_categories_are_buttons_or_a_menu(tmp_path: Path, server: ModelServer, count: int) -> None:
    kinds = ["rude", "curt", "polite", "warm", "cold", "odd", "dry", "kind"][:count]
    judge = {"feedback_value_type": kinds}
    async with blind_bot(tmp_path, server, "curt", judge=judge) as harness:
        card = await harness.show()
        if count == 3:
            await harness.press(card, "blind_answer:2")
        else:
            await harness.press(card, "blind_answer", value='"polite"')
        await revealed(harness)
        assert first_line(harness) == "*Curt* · Polite"
        ana = (await harness.feedback(card))["ana"]
        assert (ana.vote, ana.value, ana.blind_value) == ("down", "polite", "polite")


async def test_free_text_is_never_asked_for_first(tmp_path: Path, server: ModelServer) -> None:
    async with blind_bot(tmp_path, server, "curt", judge={"feedback_value_type": "str"}) as harness:
        await harness.show()
        assert first_line(harness) == "*Curt* · Polite"


# --- nothing that anybody sees before depends on the verdict


@pytest.mark.parametrize(
    ("values", "judge"),
    [
        ((True, False), {}),
        ((2, 5), {"feedback_value_type": "int", "range": [1, 5]}),
        ((20, 50), {"feedback_value_type": "int"}),
        (("rude", "kind"), {"feedback_value_type": ["rude", "curt", "kind"]}),
    ],
)
async def test_whatever_the_verdict_is_all_places_show_the_same_before_somebody_answers(
    tmp_path: Path, server: ModelServer, values: tuple[Json, Json], judge: Json
) -> None:
    transcripts = []
    for value in values:
        async with blind_bot(tmp_path / str(value), server, value, judge=judge) as harness:
            transcripts.append(await _everything_short_of_an_answer(harness))
    assert transcripts[0] == transcripts[1]
    assert REASON not in transcripts[0]


async def _everything_short_of_an_answer(harness: BotInWorkspace) -> str:
    card = await harness.show()
    interactions, ana = harness.slack.interactions, harness.ana
    await harness.asked(ana, "why tr-1")
    harness.workspace.open_home(ana.id)
    await harness.until(lambda: harness.slack.home(ana.id))
    await harness.press(card, "show_all")
    view = await opened(harness)
    await interactions.view_click(ana.id, view.id, "show_rendered")
    await interactions.shortcut(harness.ben.id, card.channel, card.ts, "correct_verdict")
    await opened(harness, harness.ben)
    for text in ("why did the judge say that?", "It never says sorry to anybody.", "3?"):
        await harness.ephemeral_answer(_said(harness, card, text))
        await looked_at(harness)
    harness.react(card, "+1", "-1")
    await looked_at(harness)
    harness.unreact(card, "+1", "-1")
    await harness.ephemeral_answer(harness.press(card, "vote_unsure"))
    await harness.press(card, "vote_unsure")
    await looked_at(harness)
    for command in ("mine", "mine file", "status", "stats", "digest", "help", f"guidelines {JUDGE}"):
        await harness.asked(ana, command)
    assert first_line(harness) == HIDDEN_LINE
    return transcript(harness)


async def test_a_digest_tells_no_verdict_that_its_card_hides(tmp_path: Path, server: ModelServer) -> None:
    async with blind_bot(tmp_path, server, digest={"timezone": "UTC"}) as harness:
        card = await harness.show()
        unsure = reaction_event(harness.ana.id, "shrug", True, f"{LAST_WEEK.timestamp():.6f}")
        await harness.bot.database.feedback.note(card.channel, card.ts, unsure)
        row = digest_words(harness, await posted_digest(harness))
        assert "not shown yet,cannot tell" in row
        assert ",fail," not in row


# --- other ways to answer, and who may not


async def test_a_value_pressed_before_the_bot_knows_where_the_card_is_counts(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        hold = harness.slack.faults.hold("chat.postMessage")
        card = await harness.show()
        await harness.press(card, FAIL)
        hold.release()
        await revealed(harness)
        assert (await harness.feedback(card))["ana"].blind_value is False


async def test_the_home_tab_asks_as_the_card_does(tmp_path: Path, server: ModelServer) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        view = await _home(harness, "_Your view first_ · Polite")
        row = next(block["block_id"] for block in view.content["blocks"] if block["type"] == "actions")
        await harness.slack.interactions.view_click(harness.ana.id, view.id, PASS, block_id=row)
        await _home(harness, "Your answer counts: *pass*. The judge said *fail*.")
        await opened(harness)
        await revealed(harness)
        assert (await harness.feedback(card))["ana"].blind_value is True


async def _home(harness: BotInWorkspace, part: str) -> View:
    harness.workspace.open_home(harness.ana.id)

    def look() -> View | None:
        view = harness.slack.home(harness.ana.id)
        return view if view is not None and part in words(view.content["blocks"]) else None

    return await harness.until(look)


async def test_what_a_guest_answers_shows_nobody_the_verdict(tmp_path: Path, server: ModelServer) -> None:
    async with blind_bot(tmp_path, server) as harness:
        guest = harness.workspace.add_user("mallory", real_name="Mallory", is_restricted=True)
        harness.workspace.join(guest.id, harness.channel.id)
        card = await harness.show()
        answer = await harness.ephemeral_answer(harness.press(card, PASS, by=guest), guest)
        assert "only members of this workspace teach" in answer
        await looked_at(harness)
        assert first_line(harness) == HIDDEN_LINE
        assert await harness.feedback(card) == {}


async def test_who_has_left_the_channel_answers_nothing(tmp_path: Path, server: ModelServer) -> None:
    async with blind_bot(tmp_path, server, 4, judge={"feedback_value_type": "int"}) as harness:
        card = await harness.show()
        await harness.press(card, "blind_answer_form")
        view = await opened(harness)
        harness.workspace.leave(harness.ana.id, harness.channel.id)
        refused = await harness.slack.modals.submit(harness.ana.id, view.id, {"value": "4"})
        assert "card's channel" in str(refused)
        await looked_at(harness)
        assert first_line(harness) == HIDDEN_LINE


async def test_a_value_pressed_on_an_old_picture_of_the_card_is_an_answer_that_saw_the_verdict(
    tmp_path: Path, server: ModelServer
) -> None:
    async with blind_bot(tmp_path, server) as harness:
        card = await harness.show()
        await harness.press(card, FAIL, by=harness.ben)
        await revealed(harness)
        harness.workspace.update_message(card)  # as on a screen that Slack has not told of the edit yet
        await harness.press(card, PASS)
        ana = (await harness.feedback(card))["ana"]
        assert (ana.vote, ana.value, ana.blind_value) == ("down", True, None)


async def test_a_card_that_slack_never_takes_holds_up_no_other(tmp_path: Path, server: ModelServer) -> None:
    async with blind_bot(tmp_path, server) as harness:
        cards = [await harness.show(f"tr-{number}") for number in range(4)]
        harness.slack.faults.fail_next("chat.update", error="msg_too_long", times=3)
        for card in cards:
            await harness.press(card, PASS)
        for number in range(4):
            await revealed(harness, f"tr-{number}")
        await harness.until_async(lambda: _is_well(harness))


async def _is_well(harness: BotInWorkspace) -> bool:
    return (await harness.bot.status.read()).troubles == ()


async def test_a_thumb_given_while_the_bot_was_down_says_what_the_card_asked_for(
    tmp_path: Path, server: ModelServer
) -> None:
    workspace = Workspace()
    async with blind_bot(tmp_path, server, workspace=workspace) as harness:
        card = await harness.show()
        harness.slack.faults.fail_next("chat.update", error="internal_error", times=1000)
        await harness.press(card, PASS)
        await harness.until_async(lambda: harness.tells("does not show its verdict"))
    workspace.react(harness.ben.id, card.channel, card.ts, "+1")
    async with blind_bot(tmp_path, server, workspace=workspace) as harness:
        await revealed(harness)
        await harness.reconciled()
        await looked_at(harness)
        ben = (await harness.feedback(card))["ben"]
        assert (ben.vote, ben.value, ben.blind_value) == ("down", True, True)
        assert "Ana Ruiz and Ben Okafor said pass" in seen(harness)
