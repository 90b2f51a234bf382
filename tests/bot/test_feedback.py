"""From what people do on cards to what it says of the verdict."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.feedback import Feedback, all_feedback, feedback_of, labelled_trace, new_reason
from bot.listeners.rationales import reply_of
from bot.replies.reading import read_reply
from bot.sandbox import User
from bot.vote_marks import Vote, vote_of_reaction, votes_of
from memalign.records import Json, Label, Trace, Verdict
from memalign.value_types import value_type_of
from storage.codec import feedback_body
from storage.codec import feedback_of as stored_feedback_of
from storage.feedback_events import apply
from storage.records import FeedbackEvent, PersonFeedback, Reply, StoredVerdict, Timestamped
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace

CARD = "1700000000.000000"


def person_feedback(
    *reactions: str,
    removed: tuple[str, ...] = (),
    button: Vote | None = None,
    correction: Label | None = None,
    replies: dict[int, str | None] | None = None,
    modal: str | None = None,
) -> PersonFeedback:
    """Facts a second after one another: live reactions, those taken off, the button, replies by second."""
    marks = {name: Timestamped(value=True, at="1700000001.0") for name in reactions}
    marks |= {name: Timestamped(value=False, at="1700000002.0") for name in removed}
    replies_by_ts = {
        f"17000000{second:02}.000000": Reply(text=text, at=f"17000000{second:02}.0")
        for second, text in (replies or {}).items()
    }
    if modal is not None:
        replies_by_ts[CARD] = Reply(text=modal, at="1700000009.0")
    return PersonFeedback(
        reactions=marks,
        button=Timestamped(value=button, at="1700000003.0") if button else None,
        correction=None if correction is None else Timestamped(value=correction, at="1700000005.0"),
        replies=replies_by_ts,
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
        (person_feedback(), None, None),
        (person_feedback("+1"), "up", True),
        (person_feedback("-1"), "down", False),
        (person_feedback("shrug"), "unsure", None),
        (person_feedback("+1", "thumbsup::skin-tone-4"), "up", True),
        (person_feedback("+1", "-1"), None, None),
        (person_feedback("+1", "shrug"), None, None),
        (person_feedback("+1", removed=("-1",)), "up", True),
        (person_feedback(removed=("+1",)), None, None),
        (person_feedback("heart"), None, None),
        (person_feedback(button="down"), "down", False),
        (person_feedback("-1", button="down"), "down", False),
        (person_feedback("+1", button="down"), None, None),
        (person_feedback(replies={4: "It is curt."}), None, None),
    ],
)
def test_one_person_has_one_vote_on_a_yes_or_no_verdict(
    done: PersonFeedback, vote: Vote | None, label: Label | None
) -> None:
    feedback = derived(done)
    assert (feedback.vote, feedback.value) == (vote, label)


def test_a_thumb_down_on_fail_says_pass() -> None:
    assert derived(person_feedback("-1"), judged=False).value is True


@pytest.mark.parametrize(
    ("values", "judged", "done", "label"),
    [
        ("int", 3, person_feedback("+1"), 3),
        ("int", 3, person_feedback("-1"), None),
        ("int", 3, person_feedback("-1", replies={4: "4: because it is kind"}), 4),
        ("int", 3, person_feedback("-1", replies={4: "2: no", 6: "5: yes"}), 5),
        ("int", 3, person_feedback("-1", correction=4, replies={4: "2: older than the menu's 4"}), 4),
        ("int", 3, person_feedback("-1", correction=4, replies={6: "2: newer than the menu's 4"}), 2),
        ("int", 3, person_feedback("-1", replies={4: "4: gone", 5: None}), 4),
        ("int", 3, person_feedback("-1", replies={4: None}), None),
        ("int", 3, person_feedback("-1", replies={4: "I counted 4 errors"}), None),
        ("int", 3, person_feedback("shrug", replies={4: "4: perhaps"}), None),
        ("int", 3, person_feedback(replies={4: "4: without a thumb"}), 4),
        ("int", 3, person_feedback("+1", replies={4: "no, it deserves a 2"}), 2),
        ("int", 3, person_feedback("+1", "-1", replies={4: "2: both thumbs"}), None),
        (bool, True, person_feedback(replies={4: "should fail"}), False),
        (bool, False, person_feedback("-1", replies={4: "no, should pass"}), True),
        ("str", "kind", person_feedback(replies={4: "By the way: it is curt"}), None),
        ("int", 0, person_feedback("+1"), 0),
        ("float", 0.5, person_feedback("-1", replies={4: "0.75: closer"}), 0.75),
        ("float", 0.5, person_feedback("-1", replies={4: "1"}), 1.0),
        ("str", "kind", person_feedback("-1", replies={4: "curt: it says go away"}), "curt"),
        ("str", "kind", person_feedback("-1", replies={4: "It says go away"}), None),
        ("str", "kind", person_feedback("-1", correction="curt", modal="Note: it says go away"), "curt"),
        (["good", "fair", "poor"], "good", person_feedback("-1"), None),
        (["good", "fair", "poor"], "good", person_feedback("-1", replies={4: "*Poor*: rude"}), "poor"),
        (["good", "poor"], "good", person_feedback("-1", replies={4: "poor"}), "poor"),
        (["good", "poor"], "good", person_feedback("-1", replies={4: "awful: rude"}), None),
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
        ("bool", "fail: because", (False, "because")),
        (["very good", "bad"], "Very  Good: so", ("very good", "so")),
    ],
)
def test_a_reply_may_begin_with_the_right_value(
    values: str, text: str, parts: tuple[Label | None, str]
) -> None:
    reading = read_reply(text, value_type_of(values))
    assert (reading.value, reading.reason) == parts


def test_replies_are_one_rationale_in_the_order_they_were_written() -> None:
    done = person_feedback(
        "-1", replies={12: "Second.", 11: "First &amp; foremost.", 13: None, 10: "  "}, modal="Modal."
    )
    assert derived(done).rationale == "Modal.\nFirst & foremost.\nSecond."


def test_everybody_says_something_of_their_own() -> None:
    verdict = Verdict(judge="politeness", trace_id="tr-1", value=True, rationale="so")
    stored = StoredVerdict(verdict_id="v-1", verdict=verdict, judged_ms=0, channel="C1", message_ts=CARD)
    feedback = all_feedback(
        stored, {"U1": person_feedback("+1"), "U2": person_feedback("-1")}, value_type_of(bool)
    )
    assert {entry.person: entry.value for entry in feedback} == {"U1": True, "U2": False}


@pytest.mark.parametrize(
    ("done", "assessments"),
    [
        ({"U1": person_feedback("-1")}, [("HUMAN", "U1", False, 1_000), ("LLM_JUDGE", "memalign", True, 7)]),
        ({"U1": person_feedback("+1")}, [("HUMAN", "U1", True, 1_000), ("LLM_JUDGE", "memalign", True, 7)]),
        ({"U1": person_feedback("shrug")}, []),
        ({"U1": person_feedback("+1", "-1")}, []),
        ({}, []),
    ],
)
def test_the_verdict_comes_with_the_labels_that_answer_it_and_never_alone(
    done: dict[str, PersonFeedback], assessments: list[Json]
) -> None:
    verdict = Verdict(judge="politeness", trace_id="tr-1", value=True, rationale="so")
    stored = StoredVerdict(verdict_id="v-1", verdict=verdict, judged_ms=7, channel="C1", message_ts=CARD)
    trace = Trace(trace_id="tr-1", inputs="q", outputs="a")

    labelled = labelled_trace(trace, stored, all_feedback(stored, done, value_type_of(bool)))

    told = [
        (each.source_type, each.source_id, each.value, (each.create_time_ms or 0) % 1_700_000_000_000)
        for each in labelled.assessments
    ]
    assert told == assessments
    assert all(each.name == "politeness" for each in labelled.assessments)
    assert [each.rationale for each in labelled.assessments if each.source_type == "LLM_JUDGE"] == (
        ["so"] if assessments else []
    )


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
    assert (reply.event.person, reply.card_ts, reply.event.name, reply.event.value) == (
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
    assert (reply.event.value, reply.event.at) == ("new", "2.5")


# --- through the workspace


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
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
    harness: BotInWorkspace, put: list[str], taken: list[str], vote: Vote | None
) -> None:
    card = await harness.show()
    harness.react(card, *put)
    harness.unreact(card, *taken)
    feedback = await harness.feedback(card)
    assert (feedback["ana"].vote if "ana" in feedback else "nothing") == vote


async def test_replies_written_edited_and_deleted(harness: BotInWorkspace) -> None:
    card = await harness.show()
    first, second = harness.reply(card, "It is curt."), harness.reply(card, "It is <b> & short.")
    harness.workspace.unfurl(card.channel, first)
    assert (await harness.feedback(card))["ana"].rationale == "It is curt.\nIt is <b> & short."
    harness.workspace.edit(harness.ana.id, card.channel, first, "It is rude.")
    assert (await harness.feedback(card))["ana"].rationale == "It is rude.\nIt is <b> & short."
    harness.workspace.delete(harness.ana.id, card.channel, second)
    assert (await harness.feedback(card))["ana"].rationale == "It is rude."


async def test_people_speak_for_themselves(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.react(card, "-1")
    harness.react(card, "+1", by=harness.ben)
    harness.reply(card, "I like it.", by=harness.ben)
    feedback = await harness.feedback(card)
    assert {name: (entry.vote, entry.rationale) for name, entry in feedback.items()} == {
        "ana": ("down", ""),
        "ben": ("up", "I like it."),
    }


async def test_repeated_and_lost_acknowledgements_change_nothing(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.slack.faults.drop_acks(2)
    harness.react(card, "-1")
    await harness.slack.settled()
    harness.slack.faults.redeliver_last()
    harness.reply(card, "It is curt.")
    await harness.slack.settled()
    harness.slack.faults.redeliver_last()
    await harness.learned()
    before = harness.bot.memories["politeness"].version
    harness.slack.faults.redeliver_last()
    await harness.learned()
    feedback = (await harness.feedback(card))["ana"]
    assert (feedback.vote, feedback.rationale) == ("down", "It is curt.")
    assert harness.bot.memories["politeness"].version == before
    assert all(delivery.acked for delivery in harness.slack.deliveries)


async def test_what_comes_before_slacks_answer_to_the_card_counts(harness: BotInWorkspace) -> None:
    hold = harness.slack.faults.hold("chat.postMessage")
    await harness.send({"trace_id": "tr-1", "inputs": "Hello?", "outputs": "Go away."})
    card = await harness.card("tr-1")
    harness.react(card, "-1")
    harness.reply(card, "An answer should never send people away.")
    await harness.press(card, "vote_up", by=harness.ben)
    await harness.slack.settled()
    hold.release()
    feedback = await harness.feedback(card)
    assert (feedback["ana"].vote, feedback["ana"].rationale) == (
        "down",
        "An answer should never send people away.",
    )
    assert feedback["ben"].vote == "up"


async def test_a_reason_may_come_before_its_thumb(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.reply(card, "An answer should never send people away.")
    await harness.learned()
    assert harness.labels() == {}
    harness.react(card, "-1")
    await harness.learned()
    assert harness.labels().keys() == {"tr-1"}
    assert harness.rules() == ["An answer should never send people away."]


async def test_programs_have_no_vote(harness: BotInWorkspace) -> None:
    card = await harness.show()
    robot = harness.workspace.add_user("robot")
    harness.workspace.join(robot.id, card.channel)
    harness.workspace.users[robot.id] = User(**{**_fields(robot), "is_bot": True})
    harness.react(card, "-1", by=robot)
    await harness.learned()
    assert harness.labels() == {}
    assert (await harness.feedback(card))["robot"].vote is None


def _fields(user: User) -> Json:
    return {name: getattr(user, name) for name in user.__slots__}


async def test_the_bots_own_words_teach_nothing(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.react(card, "-1")
    await harness.learned()
    assert harness.thread(card)
    assert (await harness.feedback(card)).keys() == {"ana"}


async def test_other_messages_and_their_reactions_are_let_be(harness: BotInWorkspace) -> None:
    card = await harness.show()
    ts = harness.workspace.post(harness.ana.id, card.channel, "Lunch?")
    harness.workspace.post(harness.ben.id, card.channel, "4: because", thread_ts=ts)
    harness.workspace.react(harness.ben.id, card.channel, ts, "+1")
    assert await harness.feedback(card) == {}
    assert all(delivery.acked for delivery in harness.slack.deliveries)


# --- buttons, menus, modals


async def test_a_button_pressed_again_takes_nothing_away_until_the_person_says_so(
    harness: BotInWorkspace,
) -> None:
    card = await harness.show()
    assert "you'd say pass" in (await harness.ephemeral_answer(harness.press(card, "vote_up"))).replace(
        "*", ""
    )
    assert "can't tell" in await harness.ephemeral_answer(harness.press(card, "vote_unsure"))
    assert "You already said 🤷" in await harness.ephemeral_answer(harness.press(card, "vote_unsure"))
    assert (await harness.feedback(card))["ana"].vote == "unsure"
    answer = harness.slack.ephemerals[-1]
    assert answer.thread_ts is None
    await harness.slack.interactions.click(harness.ana.id, card.channel, answer.ts, "take_back_vote")
    assert (await harness.feedback(card))["ana"].vote is None


async def test_the_vote_that_a_person_keeps_of_two_is_the_one_that_counts(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.react(card, "+1")
    await harness.slack.settled()
    assert "Which one?" in await harness.ephemeral_answer(harness.press(card, "vote_down"))
    question = harness.slack.ephemerals[-1]
    await harness.slack.interactions.click(harness.ana.id, card.channel, question.ts, "keep_vote:down")
    assert (await harness.feedback(card))["ana"].value is False


async def test_button_and_reaction_that_differ_cancel_each_other_and_the_person_is_told(
    harness: BotInWorkspace,
) -> None:
    card = await harness.show()
    harness.react(card, "+1")
    await harness.slack.settled()
    assert "neither counts" in await harness.ephemeral_answer(harness.press(card, "vote_down"))
    assert (await harness.feedback(card))["ana"].vote is None
    harness.unreact(card, "+1")
    assert (await harness.feedback(card))["ana"].vote == "down"


async def test_the_wrong_button_asks_for_a_reason_which_can_be_changed_later(harness: BotInWorkspace) -> None:
    card = await harness.show()
    await harness.press(card, "vote_down")
    view = (await harness.until(lambda: harness.slack.views(harness.ana.id)))[-1]
    await harness.slack.modals.submit(
        harness.ana.id, view.id, {"reason": "An answer should never send people away."}
    )
    feedback = (await harness.feedback(card))["ana"]
    assert (feedback.vote, feedback.rationale) == ("down", "An answer should never send people away.")
    await harness.slack.interactions.shortcut(harness.ana.id, card.channel, card.ts, "correct_verdict")
    again = (await harness.until(lambda: harness.slack.views(harness.ana.id)))[-1]
    assert "never send people away" in str(again.content)
    await harness.slack.modals.submit(harness.ana.id, again.id, {"reason": "It is curt."})
    assert (await harness.feedback(card))["ana"].rationale == "It is curt."


async def test_correcting_a_verdict_turns_an_earlier_thumb_up(harness: BotInWorkspace) -> None:
    card = await harness.show()
    await harness.press(card, "vote_up")
    await harness.slack.interactions.shortcut(harness.ana.id, card.channel, card.ts, "correct_verdict")
    view = (await harness.until(lambda: harness.slack.views(harness.ana.id)))[-1]
    await harness.slack.modals.submit(harness.ana.id, view.id, {"reason": "It is curt."})
    assert (await harness.feedback(card))["ana"].vote == "down"


async def test_correcting_against_ones_own_reaction_is_told(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.react(card, "+1")
    await harness.slack.settled()
    await harness.slack.interactions.shortcut(harness.ana.id, card.channel, card.ts, "correct_verdict")
    view = (await harness.until(lambda: harness.slack.views(harness.ana.id)))[-1]
    submitted = harness.slack.modals.submit(harness.ana.id, view.id, {"reason": "It is curt."})
    assert "neither counts" in await harness.ephemeral_answer(submitted)


async def test_a_shortcut_elsewhere_says_where_it_works(harness: BotInWorkspace) -> None:
    ts = harness.workspace.post(harness.ana.id, harness.channel.id, "Lunch?")
    for shortcut in ("correct_verdict", "forget_trace"):
        answer = await harness.ephemeral_answer(
            harness.slack.interactions.shortcut(harness.ana.id, harness.channel.id, ts, shortcut)
        )
        assert "not one of my cards" in answer


async def test_a_deleted_card_leaves_what_was_said_and_stops_nothing(harness: BotInWorkspace) -> None:
    card, other = await harness.show("tr-1"), await harness.show("tr-2")
    harness.react(card, "-1")
    harness.reply(card, "An answer should never send people away.")
    harness.workspace.delete_message(harness.workspace.message(card.channel, card.ts))
    await harness.learned()
    assert harness.rules() == ["An answer should never send people away."]
    harness.react(other, "-1")
    await harness.learned()
    assert harness.thread(other)


def _marks(*events: tuple[str, str, object]) -> PersonFeedback:
    """Feedback of events a second after one another: kind, name of a reaction, value."""
    feedback = PersonFeedback()
    for second, (kind, name, value) in enumerate(events, start=1):
        event = FeedbackEvent(person="U1", kind=kind, name=name, value=value, at=f"1700000{second:03}.0")  # type: ignore[arg-type]
        feedback = apply(feedback, event)
    return feedback


STORED = StoredVerdict(
    verdict_id="v-1",
    verdict=Verdict(judge="politeness", trace_id="tr-1", value=True, rationale="so"),
    judged_ms=0,
    channel="C1",
    message_ts=CARD,
)
UP, DOWN = ("reaction", "+1", True), ("reaction", "-1", True)
NO_UP, NO_DOWN = ("reaction", "+1", False), ("reaction", "-1", False)
PRESS_UP, PRESS_DOWN, TAKE_BACK = ("button", "", "up"), ("button", "", "down"), ("button", "", None)
KEEP_UP, KEEP_DOWN = ("kept_vote", "", "up"), ("kept_vote", "", "down")


@pytest.mark.parametrize(
    ("events", "votes"),
    [
        ((UP, DOWN), {"up", "down"}),
        ((UP, DOWN, KEEP_DOWN), {"down"}),
        ((DOWN, UP, KEEP_UP), {"up"}),
        ((PRESS_UP, DOWN, KEEP_DOWN), {"down"}),
        ((DOWN, PRESS_UP, KEEP_UP), {"up"}),
        ((UP, DOWN, KEEP_DOWN, NO_UP), {"down"}),
        ((UP, DOWN, KEEP_DOWN, NO_DOWN), {"up"}),
        ((UP, DOWN, KEEP_DOWN, NO_UP, UP), {"up", "down"}),
        ((UP, DOWN, KEEP_DOWN, PRESS_DOWN), {"down"}),
        ((UP, DOWN, KEEP_DOWN, PRESS_UP), {"up", "down"}),
        ((UP, PRESS_DOWN, KEEP_DOWN, TAKE_BACK), {"up"}),
        ((UP, DOWN, KEEP_DOWN, KEEP_UP), {"up"}),
        ((UP, DOWN, KEEP_DOWN, NO_UP, NO_DOWN), set()),
        ((PRESS_UP, PRESS_DOWN), {"down"}),
    ],
)
def test_a_kept_vote_overrules_older_ones_until_newer_marks_say_otherwise(
    events: tuple[tuple[str, str, object], ...], votes: set[Vote]
) -> None:
    assert votes_of(STORED, _marks(*events)) == votes


def test_a_reason_of_the_thread_is_not_doubled_by_the_modal() -> None:
    done = person_feedback("-1", replies={4: "It is curt."}, modal="It is curt.\nIt gives no help.")
    assert derived(done).rationale == "It is curt.\nIt gives no help."
    assert new_reason("It is curt.\nIt gives no help.", ["It is curt."]) == "It gives no help."


def test_feedback_of_an_earlier_version_holds_no_kept_vote() -> None:
    body = feedback_body(person_feedback("+1"))
    earlier = {name: part for name, part in body.items() if name not in ("kept_vote", "supports")}
    assert stored_feedback_of(earlier) == person_feedback("+1")
