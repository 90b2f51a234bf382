"""Differences between a card as Slack shows it and what the store knows."""

import pytest

from bot.learning.card_snapshot import CardSnapshot, diff, snapshot_of
from memalign.records import Json
from storage.records import FeedbackEvent, PersonFeedback, Reply, Timestamped

CARD, NOW = "100.000100", "500.000000"


def a_snapshot(
    reactions: Json = None, replies: Json = None, partial: frozenset[str] = frozenset()
) -> CardSnapshot:
    return CardSnapshot(
        card_ts=CARD,
        reactions={name: frozenset(people) for name, people in (reactions or {}).items()},
        partial=partial,
        replies=replies or {},
        at=NOW,
    )


def reaction(name: str, live: bool = True, person: str = "U1") -> FeedbackEvent:
    return FeedbackEvent(person=person, kind="reaction", name=name, value=live, at=NOW)


def reply(ts: str, text: str | None, at: str, person: str = "U1") -> FeedbackEvent:
    return FeedbackEvent(person=person, kind="reply", name=ts, value=text, at=at)


def reacted(*names: str) -> PersonFeedback:
    return PersonFeedback(reactions={name: Timestamped(value=True, at="200.0") for name in names})


def replied(text: str | None, ts: str = "300.000000") -> PersonFeedback:
    return PersonFeedback(replies={ts: Reply(text=text, at=ts)})


def test_what_is_known_makes_no_event() -> None:
    snapshot = a_snapshot({"+1": ["U1"]}, {("U1", "300.000000"): {"text": "so"}})
    known = PersonFeedback(
        reactions=reacted("+1").reactions, replies={"300.000000": Reply(text="so", at="300.0")}
    )
    assert diff(snapshot, {"U1": known}) == []


def test_a_reaction_that_came_meanwhile_counts_from_the_moment_of_reading() -> None:
    assert diff(a_snapshot({"+1": ["U1"]}), {}) == [reaction("+1")]


def test_a_reaction_that_is_gone_is_taken_back() -> None:
    assert diff(a_snapshot(), {"U1": reacted("-1")}) == [reaction("-1", live=False)]


def test_a_reaction_of_which_slack_does_not_name_all_people_is_not_taken_back() -> None:
    snapshot = a_snapshot({"-1": ["U2"]}, partial=frozenset({"-1"}))
    assert diff(snapshot, {"U1": reacted("-1")}) == [reaction("-1", person="U2")]


def test_a_reaction_taken_back_earlier_and_given_again_counts() -> None:
    known = PersonFeedback(reactions={"+1": Timestamped(value=False, at="200.0")})
    assert diff(a_snapshot({"+1": ["U1"]}), {"U1": known}) == [reaction("+1")]


def test_a_reply_that_came_meanwhile_counts_from_its_own_time() -> None:
    snapshot = a_snapshot(replies={("U1", "300.000000"): {"text": "so"}})
    assert diff(snapshot, {}) == [reply("300.000000", "so", at="300.000000")]


def test_an_edit_counts_from_its_own_time() -> None:
    message = {"text": "new", "edited": {"ts": "400.000000"}}
    snapshot = a_snapshot(replies={("U1", "300.000000"): message})
    assert diff(snapshot, {"U1": replied("old")}) == [reply("300.000000", "new", at="400.000000")]


def test_a_text_that_slack_shows_otherwise_without_an_edit_changes_nothing() -> None:
    snapshot = a_snapshot(replies={("U1", "300.000000"): {"text": "a &amp; b"}})
    assert diff(snapshot, {"U1": replied("a & b")}) == []


def test_a_reply_that_is_gone_is_deleted() -> None:
    assert diff(a_snapshot(), {"U1": replied("so")}) == [reply("300.000000", None, at=NOW)]


@pytest.mark.parametrize(
    ("ts", "text"),
    [(CARD, "said in the modal"), ("600.000000", "newer than the reading"), ("300.000000", None)],
    ids=["modal", "newer", "deleted before"],
)
def test_what_slack_cannot_show_is_not_missed(ts: str, text: str | None) -> None:
    assert diff(a_snapshot(), {"U1": replied(text, ts)}) == []


def test_people_are_told_apart() -> None:
    snapshot = a_snapshot({"+1": ["U1", "U2"]})
    assert diff(snapshot, {"U1": reacted("+1"), "U3": reacted("+1")}) == [
        reaction("+1", person="U2"),
        reaction("+1", live=False, person="U3"),
    ]


# --- reading Slack's answers


MESSAGE = {
    "ts": CARD,
    "reactions": [
        {"name": "+1::skin-tone-3", "users": ["U1"], "count": 1},
        {"name": "-1", "users": ["U2"], "count": 60},
        {"name": "tada", "users": ["U1"], "count": 1},
    ],
}


def test_only_reactions_that_are_votes_are_read() -> None:
    snapshot = snapshot_of(MESSAGE, [{"ts": CARD}], card_ts=CARD, at=NOW)
    assert snapshot is not None
    assert snapshot.reactions == {"+1::skin-tone-3": {"U1"}, "-1": {"U2"}}
    assert snapshot.partial == {"-1"}


def test_only_peoples_own_words_are_read() -> None:
    thread = [
        {"ts": CARD, "user": "UBOT", "bot_id": "B1", "text": "card"},
        {"ts": "300.0", "user": "U1", "text": "so"},
        {"ts": "301.0", "user": "UBOT", "bot_id": "B1", "text": "lesson"},
        {"ts": "302.0", "user": "U1", "subtype": "channel_join", "text": "joined"},
    ]
    snapshot = snapshot_of(MESSAGE, thread, card_ts=CARD, at=NOW)
    assert snapshot is not None
    assert list(snapshot.replies) == [("U1", "300.0")]


@pytest.mark.parametrize(
    ("message", "thread"), [({}, [{"ts": CARD}]), ({"ts": CARD}, []), ({"ts": "9.9"}, [{"ts": "9.9"}])]
)
def test_answers_that_do_not_show_the_card_say_nothing(message: Json, thread: list[Json]) -> None:
    assert snapshot_of(message, thread, card_ts=CARD, at=NOW) is None
