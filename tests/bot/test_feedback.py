"""From what people do on cards to what it says of the verdict."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.feedback import all_feedback, feedback_of, split_correction, vote_of_reaction
from bot.listeners.rationales import reply_of
from bot.sandbox import User
from memalign.records import Feedback, Json, Label, Verdict, Vote
from memalign.value_types import value_type_of
from storage.records import PersonFeedback, Reply, StoredVerdict, Timestamped
from tests.bot.bot_in_workspace import Stage, staged

CARD = "1700000000.000000"


def facts(
    *reactions: str,
    gone: tuple[str, ...] = (),
    button: Vote | None = None,
    correction: Label | None = None,
    replies: dict[int, str | None] | None = None,
    modal: str | None = None,
) -> PersonFeedback:
    """Facts a second after one another: live reactions, those taken off, the button, replies by second."""
    marks = {name: Timestamped(value=True, at="1700000001.0") for name in reactions}
    marks |= {name: Timestamped(value=False, at="1700000002.0") for name in gone}
    said = {
        f"17000000{second:02}.000000": Reply(text=text, at=f"17000000{second:02}.0")
        for second, text in (replies or {}).items()
    }
    if modal is not None:
        said[CARD] = Reply(text=modal, at="1700000009.0")
    return PersonFeedback(
        reactions=marks,
        button=Timestamped(value=button, at="1700000003.0") if button else None,
        correction=None if correction is None else Timestamped(value=correction, at="1700000005.0"),
        replies=said,
    )


def derived(done: PersonFeedback, judged: Label = True, values: object = bool) -> Feedback:
    verdict = Verdict(judge="politeness", trace_id="tr-1", value=judged, rationale="so")
    stored = StoredVerdict(verdict_id="v-1", verdict=verdict, judged_ms=0, channel="C1", message_ts=CARD)
    return feedback_of(stored, "U1", done, value_type_of(values))


@pytest.mark.parametrize(
    ("name", "vote"),
    [
        ("+1", "up"),
        ("thumbsup", "up"),
        ("-1", "down"),
        ("thumbsdown", "down"),
        ("shrug", "unsure"),
        ("person_shrugging", "unsure"),
        ("man-shrugging", "unsure"),
        ("woman-shrugging", "unsure"),
        *((f"{alias}::skin-tone-{tone}", "up") for alias in ("+1", "thumbsup") for tone in range(2, 7)),
        ("-1::skin-tone-6", "down"),
        ("person_shrugging::skin-tone-2", "unsure"),
        ("heart", None),
        ("thumbsup_all", None),
        ("", None),
    ],
)
def test_each_alias_in_each_skin_tone_is_a_vote_and_nothing_else_is(name: str, vote: Vote | None) -> None:
    assert vote_of_reaction(name) == vote


@pytest.mark.parametrize(
    ("done", "vote", "label"),
    [
        (facts(), None, None),
        (facts("+1"), "up", True),
        (facts("-1"), "down", False),
        (facts("shrug"), "unsure", None),
        (facts("+1", "thumbsup::skin-tone-4"), "up", True),
        (facts("+1", "-1"), None, None),
        (facts("+1", "shrug"), None, None),
        (facts("+1", gone=("-1",)), "up", True),
        (facts(gone=("+1",)), None, None),
        (facts("heart"), None, None),
        (facts(button="down"), "down", False),
        (facts("-1", button="down"), "down", False),
        (facts("+1", button="down"), None, None),
        (facts(replies={4: "It is curt."}), None, None),
    ],
)
def test_one_person_has_one_vote_on_a_yes_or_no_verdict(
    done: PersonFeedback, vote: Vote | None, label: Label | None
) -> None:
    said = derived(done)
    assert (said.vote, said.value) == (vote, label)


def test_a_thumb_down_on_fail_says_pass() -> None:
    assert derived(facts("-1"), judged=False).value is True


@pytest.mark.parametrize(
    ("values", "judged", "done", "label"),
    [
        ("int", 3, facts("+1"), 3),
        ("int", 3, facts("-1"), None),
        ("int", 3, facts("-1", replies={4: "4: because it is kind"}), 4),
        ("int", 3, facts("-1", replies={4: "2: no", 6: "5: yes"}), 5),
        ("int", 3, facts("-1", correction=4, replies={4: "2: older than the menu's 4"}), 4),
        ("int", 3, facts("-1", correction=4, replies={6: "2: newer than the menu's 4"}), 2),
        ("int", 3, facts("-1", replies={4: "4: gone", 5: None}), 4),
        ("int", 3, facts("-1", replies={4: None}), None),
        ("int", 3, facts("-1", replies={4: "I counted 4 errors"}), None),
        ("int", 3, facts("shrug", replies={4: "4: perhaps"}), None),
        ("int", 3, facts(replies={4: "4: without a thumb"}), None),
        ("int", 0, facts("+1"), 0),
        ("float", 0.5, facts("-1", replies={4: "0.75: closer"}), 0.75),
        ("float", 0.5, facts("-1", replies={4: "1"}), 1.0),
        ("str", "kind", facts("-1", replies={4: "curt: it says go away"}), "curt"),
        ("str", "kind", facts("-1", replies={4: "It says go away"}), None),
        ("str", "kind", facts("-1", correction="curt", modal="Note: it says go away"), "curt"),
        (["good", "fair", "poor"], "good", facts("-1"), None),
        (["good", "fair", "poor"], "good", facts("-1", replies={4: "*Poor*: rude"}), "poor"),
        (["good", "poor"], "good", facts("-1", replies={4: "poor"}), "poor"),
        (["good", "poor"], "good", facts("-1", replies={4: "awful: rude"}), None),
    ],
)
def test_other_judges_learn_the_value_people_give(
    values: object, judged: Label, done: PersonFeedback, label: Label | None
) -> None:
    value = derived(done, judged, values).value
    assert value == label
    assert type(value) is type(label)


@pytest.mark.parametrize(
    ("values", "text", "parts"),
    [
        ("int", "4: because", (4, "because")),
        ("int", "4", (4, "")),
        ("int", "  4 : because\nof two things", (4, "because\nof two things")),
        ("int", "`4`: because", (4, "because")),
        ("int", "4 — because", (4, "because")),
        ("int", "4\nbecause", (4, "because")),
        ("int", "-1: because", (-1, "because")),
        ("int", "10:30 is no time to answer", (None, "10:30 is no time to answer")),
        ("int", "4 errors: all grave", (None, "4 errors: all grave")),
        ("int", "true: because", (None, "true: because")),
        ("float", "nan: because", (None, "nan: because")),
        ("str", "“blunt”: so", ("blunt", "so")),
        ("str", "https://example.com says so", (None, "https://example.com says so")),
        ("str", "It is\nrude", (None, "It is\nrude")),
        ("bool", "fail: because", (None, "fail: because")),
        (["very good", "bad"], "Very  Good: so", ("very good", "so")),
    ],
)
def test_a_reply_may_begin_with_the_right_value(
    values: str, text: str, parts: tuple[Label | None, str]
) -> None:
    assert split_correction(text, value_type_of(values)) == parts


def test_replies_are_one_rationale_in_the_order_they_were_written() -> None:
    done = facts(
        "-1", replies={12: "Second.", 11: "First &amp; foremost.", 13: None, 10: "  "}, modal="Modal."
    )
    assert derived(done).rationale == "Modal.\nFirst & foremost.\nSecond."


def test_everybody_says_something_of_their_own() -> None:
    verdict = Verdict(judge="politeness", trace_id="tr-1", value=True, rationale="so")
    stored = StoredVerdict(verdict_id="v-1", verdict=verdict, judged_ms=0, channel="C1", message_ts=CARD)
    said = all_feedback(stored, {"U1": facts("+1"), "U2": facts("-1")}, value_type_of(bool))
    assert {one.person: one.value for one in said} == {"U1": True, "U2": False}


BASE: Json = {"channel": "C1", "ts": "3.0", "event_ts": "3.0"}
MESSAGE: Json = {"user": "U1", "ts": "2.0", "thread_ts": "1.0", "text": "new"}


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({**BASE, **MESSAGE}, "new"),
        ({**BASE, **MESSAGE, "subtype": "thread_broadcast"}, "new"),
        ({**BASE, **MESSAGE, "subtype": "file_share"}, "new"),
        (
            {**BASE, "subtype": "message_changed", "message": MESSAGE, "previous_message": {"text": "old"}},
            "new",
        ),
    ],
)
def test_a_persons_words_in_a_thread_count(event: Json, text: str) -> None:
    reply = reply_of(event)
    assert reply is not None
    assert (reply.person, reply.card_ts, reply.ts, reply.text) == (
        "U1",
        "1.0",
        event.get("ts") if "message" not in event else "2.0",
        text,
    )


@pytest.mark.parametrize(
    "event",
    [
        {**BASE, "user": "U1", "ts": "2.0", "text": "not in a thread"},
        {**BASE, **MESSAGE, "ts": "1.0"},
        {**BASE, **MESSAGE, "bot_id": "B1"},
        {**BASE, **MESSAGE, "subtype": "bot_message"},
        {**BASE, **MESSAGE, "subtype": "channel_join"},
        {**BASE, **MESSAGE, "subtype": "message_replied"},
        {**BASE, "subtype": "message_changed", "message": MESSAGE, "previous_message": MESSAGE},
        {
            **BASE,
            "subtype": "message_changed",
            "message": {**MESSAGE, "bot_id": "B1"},
            "previous_message": {},
        },
        {**BASE, "subtype": "message_deleted", "deleted_ts": "2.0", "previous_message": {"user": "U1"}},
        {**BASE, "subtype": "message_deleted", "deleted_ts": "2.0"},
        {"channel": "C1", "subtype": "channel_topic"},
    ],
)
def test_what_is_no_persons_reply_says_nothing(event: Json) -> None:
    assert reply_of(event) is None


def test_a_preview_after_an_edit_is_the_edit_over_again() -> None:
    edited = {**MESSAGE, "edited": {"user": "U1", "ts": "2.5"}}
    event = {**BASE, "subtype": "message_changed", "message": edited, "previous_message": edited}
    reply = reply_of(event)
    assert reply is not None
    assert (reply.text, reply.at) == ("new", "2.5")


# --- through the workspace


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as ready:
        yield ready


@pytest.mark.parametrize(
    ("put", "taken", "vote"),
    [
        (["+1"], [], "up"),
        (["-1::skin-tone-5"], [], "down"),
        (["+1", "-1"], [], None),
        (["+1", "-1"], ["+1"], "down"),
        (["+1", "thumbsup::skin-tone-2"], ["+1"], "up"),
        (["shrug"], [], "unsure"),
        (["-1"], ["-1"], None),
        (["heart"], [], "nothing"),
    ],
)
async def test_reactions_that_come_and_go(
    stage: Stage, put: list[str], taken: list[str], vote: Vote | None
) -> None:
    card = await stage.show()
    stage.react(card, *put)
    stage.unreact(card, *taken)
    said = await stage.feedback(card)
    assert (said["ana"].vote if "ana" in said else "nothing") == vote


async def test_replies_written_edited_and_deleted(stage: Stage) -> None:
    card = await stage.show()
    first, second = stage.reply(card, "It is curt."), stage.reply(card, "It is <b> & short.")
    stage.workspace.unfurl(card.channel, first)
    assert (await stage.feedback(card))["ana"].rationale == "It is curt.\nIt is <b> & short."
    stage.workspace.edit(stage.ana.id, card.channel, first, "It is rude.")
    assert (await stage.feedback(card))["ana"].rationale == "It is rude.\nIt is <b> & short."
    stage.workspace.delete(stage.ana.id, card.channel, second)
    assert (await stage.feedback(card))["ana"].rationale == "It is rude."


async def test_people_speak_for_themselves(stage: Stage) -> None:
    card = await stage.show()
    stage.react(card, "-1")
    stage.react(card, "+1", by=stage.ben)
    stage.reply(card, "I like it.", by=stage.ben)
    said = await stage.feedback(card)
    assert {name: (one.vote, one.rationale) for name, one in said.items()} == {
        "ana": ("down", ""),
        "ben": ("up", "I like it."),
    }


async def test_repeated_and_lost_acknowledgements_change_nothing(stage: Stage) -> None:
    card = await stage.show()
    stage.slack.drop_acks(2)
    stage.react(card, "-1")
    await stage.slack.settled()
    stage.slack.redeliver_last()
    stage.reply(card, "It is curt.")
    await stage.slack.settled()
    stage.slack.redeliver_last()
    await stage.learned()
    before = stage.bot.memories["politeness"].version
    stage.slack.redeliver_last()
    await stage.learned()
    said = (await stage.feedback(card))["ana"]
    assert (said.vote, said.rationale) == ("down", "It is curt.")
    assert stage.bot.memories["politeness"].version == before
    assert all(delivery.acked for delivery in stage.slack.deliveries)


async def test_what_comes_before_slacks_answer_to_the_card_counts(stage: Stage) -> None:
    hold = stage.slack.hold("chat.postMessage")
    await stage.send({"trace_id": "tr-1", "inputs": "Hello?", "outputs": "Go away."})
    card = await stage.card("tr-1")
    stage.react(card, "-1")
    stage.reply(card, "An answer should never send people away.")
    await stage.press(card, "vote_up", by=stage.ben)
    await stage.slack.settled()
    hold.release()
    said = await stage.feedback(card)
    assert (said["ana"].vote, said["ana"].rationale) == ("down", "An answer should never send people away.")
    assert said["ben"].vote == "up"


async def test_a_reason_may_come_before_its_thumb(stage: Stage) -> None:
    card = await stage.show()
    stage.reply(card, "An answer should never send people away.")
    await stage.learned()
    assert stage.labels() == {}
    stage.react(card, "-1")
    await stage.learned()
    assert stage.labels().keys() == {"tr-1"}
    assert stage.rules() == ["An answer should never send people away."]


async def test_programs_have_no_vote(stage: Stage) -> None:
    card = await stage.show()
    robot = stage.workspace.add_user("robot")
    stage.workspace.join(robot.id, card.channel)
    stage.workspace.users[robot.id] = User(**{**_fields(robot), "is_bot": True})
    stage.react(card, "-1", by=robot)
    await stage.learned()
    assert stage.labels() == {}
    assert (await stage.feedback(card))["robot"].vote is None


def _fields(user: User) -> Json:
    return {name: getattr(user, name) for name in user.__slots__}


async def test_the_bots_own_words_teach_nothing(stage: Stage) -> None:
    card = await stage.show()
    stage.react(card, "-1")
    await stage.learned()
    assert stage.thread(card)
    assert (await stage.feedback(card)).keys() == {"ana"}


async def test_other_messages_and_their_reactions_are_let_be(stage: Stage) -> None:
    card = await stage.show()
    ts = stage.workspace.post(stage.ana.id, card.channel, "Lunch?")
    stage.workspace.post(stage.ben.id, card.channel, "4: because", thread_ts=ts)
    stage.workspace.react(stage.ben.id, card.channel, ts, "+1")
    assert await stage.feedback(card) == {}
    assert all(delivery.acked for delivery in stage.slack.deliveries)


# --- buttons, menus, modals


async def test_a_button_counts_once_and_pressed_again_is_taken_back(stage: Stage) -> None:
    card = await stage.show()
    assert "Counted" in await stage.whispered(stage.press(card, "vote_up"))
    assert (await stage.feedback(card))["ana"].vote == "up"
    assert "can't tell" in await stage.whispered(stage.press(card, "vote_unsure"))
    assert (await stage.feedback(card))["ana"].vote == "unsure"
    assert "taken back" in await stage.whispered(stage.press(card, "vote_unsure"))
    assert (await stage.feedback(card))["ana"].vote is None


async def test_button_and_reaction_that_differ_cancel_each_other_and_the_person_is_told(stage: Stage) -> None:
    card = await stage.show()
    stage.react(card, "+1")
    await stage.slack.settled()
    assert "neither counts" in await stage.whispered(stage.press(card, "vote_down"))
    assert (await stage.feedback(card))["ana"].vote is None
    stage.unreact(card, "+1")
    assert (await stage.feedback(card))["ana"].vote == "down"


async def test_the_wrong_button_asks_for_a_reason_which_can_be_changed_later(stage: Stage) -> None:
    card = await stage.show()
    await stage.press(card, "vote_down")
    view = (await stage.until(lambda: stage.slack.views(stage.ana.id)))[-1]
    await stage.slack.submit(stage.ana.id, view.id, {"reason": "An answer should never send people away."})
    said = (await stage.feedback(card))["ana"]
    assert (said.vote, said.rationale) == ("down", "An answer should never send people away.")
    await stage.slack.shortcut(stage.ana.id, card.channel, card.ts, "correct_verdict")
    again = (await stage.until(lambda: stage.slack.views(stage.ana.id)))[-1]
    assert "never send people away" in str(again.content)
    await stage.slack.submit(stage.ana.id, again.id, {"reason": "It is curt."})
    assert (await stage.feedback(card))["ana"].rationale == "It is curt."


async def test_correcting_a_verdict_turns_an_earlier_thumb_up(stage: Stage) -> None:
    card = await stage.show()
    await stage.press(card, "vote_up")
    await stage.slack.shortcut(stage.ana.id, card.channel, card.ts, "correct_verdict")
    view = (await stage.until(lambda: stage.slack.views(stage.ana.id)))[-1]
    await stage.slack.submit(stage.ana.id, view.id, {"reason": "It is curt."})
    assert (await stage.feedback(card))["ana"].vote == "down"


async def test_correcting_against_ones_own_reaction_is_told(stage: Stage) -> None:
    card = await stage.show()
    stage.react(card, "+1")
    await stage.slack.shortcut(stage.ana.id, card.channel, card.ts, "correct_verdict")
    view = (await stage.until(lambda: stage.slack.views(stage.ana.id)))[-1]
    submitted = stage.slack.submit(stage.ana.id, view.id, {"reason": "It is curt."})
    assert "neither counts" in await stage.whispered(submitted)


async def test_a_shortcut_elsewhere_says_where_it_works(stage: Stage) -> None:
    ts = stage.workspace.post(stage.ana.id, stage.channel.id, "Lunch?")
    for shortcut in ("correct_verdict", "forget_trace"):
        said = await stage.whispered(stage.slack.shortcut(stage.ana.id, stage.channel.id, ts, shortcut))
        assert "not one of my cards" in said


async def test_a_deleted_card_leaves_what_was_said_and_stops_nothing(stage: Stage) -> None:
    card, other = await stage.show("tr-1"), await stage.show("tr-2")
    stage.react(card, "-1")
    stage.reply(card, "An answer should never send people away.")
    stage.workspace.withdraw(stage.workspace.message(card.channel, card.ts))
    await stage.learned()
    assert stage.rules() == ["An answer should never send people away."]
    stage.react(other, "-1")
    await stage.learned()
    assert stage.thread(other)
