"""From what people do on a card that asks first to what they say, before and after it shows the verdict."""

from functools import reduce
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feedback import Feedback, feedback_of
from bot.vote_marks import Vote, is_pressed_again, votes_of
from memalign.records import Json, Label, Verdict
from memalign.value_types import value_type_of
from storage.codec import feedback_body
from storage.codec import feedback_of as stored_feedback_of
from storage.feedback_events import QUARTER_MS, apply, as_of, up_to
from storage.records import FeedbackEvent, FeedbackEventKind, PersonFeedback, StoredVerdict

REVEALED_AT = "1700000005.000000"
CARD = "1700000000.000000"


def blind(judged: Label = False, revealed_at: str | None = REVEALED_AT) -> StoredVerdict:
    return StoredVerdict(
        verdict_id="v-1",
        verdict=Verdict(judge="politeness", trace_id="tr-1", value=judged, rationale="so"),
        judged_ms=0,
        channel="C1",
        message_ts=CARD,
        is_blind=True,
        revealed_at=revealed_at,
    )


def at(second: int) -> str:
    return f"17000000{second:02}.000000"


def event(kind: FeedbackEventKind, value: Json, second: int, name: str = "") -> FeedbackEvent:
    return FeedbackEvent(person="U1", kind=kind, name=name, value=value, at=at(second))


def thumb(name: str, second: int, live: bool = True) -> FeedbackEvent:
    return event("reaction", live, second, name)


def reply(text: str, second: int, edited: int | None = None) -> FeedbackEvent:
    return event("reply", text, edited or second, at(second))


def done(*events: FeedbackEvent, revealed_at: str | None = REVEALED_AT) -> PersonFeedback:
    return reduce(lambda feedback, each: apply(feedback, each, revealed_at), events, PersonFeedback())


def derived(
    *events: FeedbackEvent,
    judged: Label = False,
    values: object = bool,
    revealed_at: str | None = REVEALED_AT,
) -> Feedback:
    stored = blind(judged, revealed_at)
    return feedback_of(stored, "U1", done(*events, revealed_at=revealed_at), value_type_of(values))


@pytest.mark.parametrize("revealed_at", [None, REVEALED_AT])
@pytest.mark.parametrize("judged", [True, False])
@pytest.mark.parametrize(("name", "value"), [("+1", True), ("-1", False), ("+1::skin-tone-3", True)])
def test_a_thumb_on_a_card_that_asks_says_pass_or_fail_whatever_the_verdict_is(
    name: str, value: bool, judged: bool, revealed_at: str | None
) -> None:
    feedback = derived(thumb(name, 3), judged=judged, revealed_at=revealed_at)
    assert feedback.value is value
    assert feedback.vote == ("up" if value == judged else "down")
    assert feedback.blind_value is value


@pytest.mark.parametrize("judged", [True, False])
def test_a_thumb_on_the_verdict_that_the_card_shows_agrees_or_disagrees_with_it(judged: bool) -> None:
    feedback = derived(thumb("+1", 6), judged=judged)
    assert (feedback.vote, feedback.value, feedback.blind_value) == ("up", judged, None)


def test_the_last_moment_before_the_verdict_is_shown_belongs_to_the_question() -> None:
    assert derived(thumb("+1", 5)).value is True
    assert derived(thumb("+1", 6)).value is False


@pytest.mark.parametrize(
    ("events", "vote", "value", "blind_value"),
    [
        ((event("answer", True, 3),), "down", True, True),
        ((event("answer", False, 3),), "up", False, False),
        ((event("answer", True, 3), event("answer", False, 4)), "up", False, False),
        ((event("answer", True, 3), event("button", "up", 8)), "up", False, True),
        ((event("answer", True, 3), event("button", "unsure", 8)), "unsure", None, True),
        ((event("answer", True, 3), event("button", None, 8)), None, None, None),
        ((event("button", "unsure", 2), event("answer", True, 3)), "down", True, True),
        ((event("answer", True, 3), thumb("-1", 8)), "down", True, True),
        ((event("answer", True, 3), thumb("+1", 8)), None, None, None),
        ((thumb("-1", 2), event("answer", True, 3)), "down", True, True),
        ((thumb("+1", 2), thumb("-1", 3)), None, None, None),
        ((thumb("+1", 2), thumb("-1", 3), event("answer", True, 4)), "down", True, True),
        ((thumb("+1", 2), thumb("-1", 8)), "down", True, True),
        ((thumb("+1", 2), thumb("+1", 7, live=False)), None, None, None),
        ((thumb("+1", 2), thumb("+1", 7, live=False), thumb("+1", 8)), "up", False, True),
        ((thumb("+1", 2), thumb("+1", 3, live=False), thumb("-1", 4)), "up", False, False),
        ((event("button", "unsure", 2),), "unsure", None, None),
        ((thumb("shrug", 2),), "unsure", None, None),
        ((reply("pass: it helps", 3),), "down", True, True),
        ((reply("pass: it helps", 7),), "down", True, None),
        ((reply("pass: it helps", 3, edited=8),), "down", True, None),
        ((event("answer", True, 3), reply("It helps.", 4)), "down", True, True),
        ((event("answer", True, 8),), "down", True, None),
        (
            (event("answer", False, 3), event("correction", True, 8), event("button", "down", 8)),
            "down",
            True,
            False,
        ),
    ],
)
def test_what_a_person_says_of_a_fail_and_what_they_said_before_they_saw_it(
    events: tuple[FeedbackEvent, ...], vote: Vote | None, value: Label | None, blind_value: Label | None
) -> None:
    for order in permutations(events) if len(events) < 4 else (events,):
        feedback = derived(*order)
        assert (feedback.vote, feedback.value, feedback.blind_value) == (vote, value, blind_value)


@pytest.mark.parametrize(
    ("events", "vote", "value", "blind_value"),
    [
        ((event("answer", 2, 3),), "down", 2, 2),
        ((event("answer", 4, 3),), "up", 4, 4),
        ((thumb("+1", 3),), None, None, None),
        ((thumb("-1", 3),), None, None, None),
        ((thumb("shrug", 3),), "unsure", None, None),
        ((thumb("-1", 3), event("answer", 2, 4)), "down", 2, 2),
        ((thumb("+1", 7),), "up", 4, None),
        ((thumb("-1", 7),), "down", None, None),
        ((event("answer", 2, 3), event("button", "up", 8)), "up", 4, 2),
        ((event("answer", 2, 3), event("correction", 3, 8), event("button", "down", 8)), "down", 3, 2),
        ((reply("2: no apology", 3),), "down", 2, 2),
    ],
)
def test_a_thumb_says_nothing_of_a_number_that_nobody_sees(
    events: tuple[FeedbackEvent, ...], vote: Vote | None, value: Label | None, blind_value: Label | None
) -> None:
    feedback = derived(*events, judged=4, values="int")
    assert (feedback.vote, feedback.value, feedback.blind_value) == (vote, value, blind_value)


def test_a_card_that_shows_its_verdict_from_the_start_has_no_blind_answers() -> None:
    stored = StoredVerdict(
        verdict_id="v-1", verdict=blind().verdict, judged_ms=0, channel="C1", message_ts=CARD
    )
    feedback = feedback_of(stored, "U1", done(thumb("+1", 3), revealed_at=None), value_type_of(bool))
    assert (feedback.vote, feedback.value, feedback.blind_value) == ("up", False, None)


def test_pressing_what_one_answered_already_stands() -> None:
    events = done(event("answer", False, 3))
    assert votes_of(blind(), events) == {"up"}
    assert is_pressed_again(blind(), events, "up", at(8))
    assert not is_pressed_again(blind(), events, "down", at(8))


EVENTS = st.lists(
    st.one_of(
        st.builds(thumb, st.sampled_from(["+1", "-1", "shrug"]), st.integers(10, 40), st.booleans()),
        st.builds(event, st.just("answer"), st.sampled_from([True, False]), st.integers(10, 40)),
        st.builds(
            event, st.just("button"), st.sampled_from(["up", "down", "unsure", None]), st.integers(10, 40)
        ),
    ),
    max_size=8,
    unique_by=lambda each: each.at,
)


@given(EVENTS, st.integers(9, 41), st.randoms(use_true_random=False))
def test_order_and_redelivery_change_nothing_of_what_is_said_blind(
    events: list[FeedbackEvent], revealed: int, chance: Random
) -> None:
    in_order = sorted(events, key=lambda each: each.at)
    shuffled = events + [each for each in events if chance.random() < 0.5]
    chance.shuffle(shuffled)
    stored = blind(revealed_at=at(revealed))
    value_type = value_type_of(bool)
    expected = feedback_of(stored, "U1", done(*in_order, revealed_at=at(revealed)), value_type)
    assert feedback_of(stored, "U1", done(*shuffled, revealed_at=at(revealed)), value_type) == expected
    # of what was done before the verdict was shown, nothing that came after it is left
    before = [each for each in in_order if each.at <= at(revealed)]
    standing = up_to(done(*shuffled, revealed_at=at(revealed)), at(revealed))
    hidden = blind(revealed_at=None)
    said = feedback_of(hidden, "U1", standing, value_type)
    assert said.value == feedback_of(hidden, "U1", done(*before, revealed_at=None), value_type).value


def test_at_the_end_of_a_week_the_blind_answers_of_that_week_are_known() -> None:
    end_ms = 1_700_000_100_000 // QUARTER_MS * QUARTER_MS + QUARTER_MS
    events = done(thumb("+1", 3), thumb("+1", 7, live=False), event("button", "up", 8))
    feedback = feedback_of(blind(), "U1", as_of(events, end_ms), value_type_of(bool))
    assert (feedback.value, feedback.blind_value) == (False, True)


def test_an_answer_is_stored_and_read_again() -> None:
    events = done(event("answer", 2.5, 3), event("answer", 3.0, 8))
    assert stored_feedback_of(feedback_body(events)) == events
    assert "answer" not in feedback_body(done(thumb("+1", 3)))
