"""Facts are decided by Slack's event times: in whatever order the events come, the outcome is the same."""

from functools import reduce
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from storage.feedback_events import QUARTER_MS, apply, as_of, meaning, times
from storage.records import FeedbackEvent, PersonFeedback, Reply, Timestamped


def reaction(name: str, live: bool, at: str) -> FeedbackEvent:
    return FeedbackEvent(person="U1", kind="reaction", name=name, value=live, at=at)


def reply(ts: str, text: str | None, at: str) -> FeedbackEvent:
    return FeedbackEvent(person="U1", kind="reply", name=ts, value=text, at=at)


def after(*events: FeedbackEvent) -> PersonFeedback:
    return reduce(apply, events, PersonFeedback())


@st.composite
def histories(draw: st.DrawFn) -> list[FeedbackEvent]:
    kinds = draw(st.lists(st.integers(0, 3), max_size=8))
    events = []
    for number, kind in enumerate(kinds):
        at = f"{number + 8}.5"
        events.append(
            [
                reaction(draw(st.sampled_from(["+1", "-1"])), draw(st.booleans()), at),
                FeedbackEvent(
                    person="U1", kind="button", value=draw(st.sampled_from(["up", "down", None])), at=at
                ),
                FeedbackEvent(
                    person="U1", kind="correction", value=draw(st.sampled_from([1, 4.0, None])), at=at
                ),
                reply(draw(st.sampled_from(["1.1", "2.2"])), draw(st.sampled_from(["a", "b", None])), at),
            ][kind]
        )
    return events


@given(histories(), st.randoms(use_true_random=False))
def test_order_and_redelivery_never_matter(history: list[FeedbackEvent], chance: Random) -> None:
    shuffled = history + [fact for fact in history if chance.random() < 0.5]
    chance.shuffle(shuffled)
    assert after(*shuffled) == after(*history)


def test_times_are_compared_as_numbers() -> None:
    assert after(reaction("+1", True, "9.5"), reaction("+1", False, "10.5")).reactions["+1"].value is False
    assert after(reaction("+1", True, "10.5"), reaction("+1", False, "9.5")).reactions["+1"].value is True


def test_of_equal_times_the_last_call_wins() -> None:
    assert after(reaction("+1", True, "9.5"), reaction("+1", False, "9.50")).reactions["+1"].value is False


def test_skin_tones_are_separate_reactions() -> None:
    both = after(
        reaction("+1", True, "1"), reaction("+1::skin-tone-2", True, "2"), reaction("+1", False, "3")
    )
    assert {name: mark.value for name, mark in both.reactions.items()} == {
        "+1": False,
        "+1::skin-tone-2": True,
    }


def test_a_deletion_is_final_even_when_its_time_is_earlier() -> None:
    feedback = after(reply("1.1", "words", "5"), reply("1.1", None, "4"), reply("1.1", "back", "6"))
    assert feedback.replies["1.1"].text is None


def test_an_edit_that_comes_late_does_not_undo_a_later_one() -> None:
    assert after(reply("1.1", "third", "3"), reply("1.1", "second", "2")).replies["1.1"] == Reply(
        text="third", at="3"
    )


def test_the_meaning_leaves_out_times_and_what_is_not_there() -> None:
    nothing = after(reaction("+1", False, "1"), reply("1.1", None, "2"))
    assert meaning(nothing) == meaning(PersonFeedback())
    assert meaning(after(reaction("+1", True, "1"))) == meaning(after(reaction("+1", True, "2")))
    assert meaning(after(reaction("+1", True, "1"))) != meaning(PersonFeedback())


def test_a_correction_to_another_type_is_another_meaning() -> None:
    number_one = PersonFeedback(correction=Timestamped(value=1, at="1"))
    assert meaning(number_one) != meaning(PersonFeedback(correction=Timestamped(value=True, at="1")))


def test_all_times_are_told() -> None:
    events = after(
        reaction("+1", True, "1"),
        FeedbackEvent(person="U1", kind="button", value="up", at="2"),
        FeedbackEvent(person="U1", kind="correction", value=3, at="3"),
        reply("9", "w", "4"),
    )
    assert sorted(times(events)) == ["1", "2", "3", "4"]


# --- what stood at an earlier moment


HOUR = 3600
END = QUARTER_MS


def stood(*events: FeedbackEvent, end_ms: int = END) -> PersonFeedback:
    return as_of(after(*events), end_ms)


@given(st.lists(st.tuples(st.sampled_from(["+1", "-1", ""]), st.booleans(), st.integers(0, 40)), max_size=12))
def test_at_the_end_of_any_quarter_of_an_hour_stands_what_the_events_before_it_say(
    history: list[tuple[str, bool, int]],
) -> None:
    events = [
        reaction(name, live, f"{step * 100}.{number:03}")
        if name
        else FeedbackEvent(
            person="U1", kind="button", value="up" if live else None, at=f"{step * 100}.{number:03}"
        )
        for number, (name, live, step) in enumerate(history)
    ]
    for quarter in range(7):
        end_ms = quarter * QUARTER_MS
        before = [event for event in events if float(event.at) * 1000 < end_ms]
        assert meaning(stood(*events, end_ms=end_ms)) == meaning(after(*before))


def test_a_vote_changed_many_times_keeps_one_mark_of_a_quarter_of_an_hour() -> None:
    events = [reaction("+1", number % 2 == 0, f"{number}") for number in range(800)]
    assert after(*events).past == ()
    assert len(after(*events, reaction("+1", True, f"{5 * HOUR}")).past) == 1


def test_a_reply_stands_from_when_it_was_written_with_the_words_of_now() -> None:
    events = (reply("10.5", "kind", "10.5"), reply("10.5", "very kind", f"{5 * HOUR}"))
    assert stood(*events).replies["10.5"].text == "very kind"
    assert stood(reply(f"{HOUR}.5", "late", f"{HOUR}.5")).replies == {}


def test_a_reply_deleted_later_leaves_no_words() -> None:
    events = (reply("10.5", "SECRET", "10.5"), reply("10.5", None, f"{5 * HOUR}"))
    assert "SECRET" not in repr(after(*events))
    assert stood(*events).replies["10.5"].text is None
