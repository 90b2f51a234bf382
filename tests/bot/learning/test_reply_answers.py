"""Choice of private answers: by the reading of replies, and by all that the person said before."""

from dataclasses import replace

import pytest

from bot.learning.reply_answers import (
    AnswerQuestion,
    AskRightValue,
    AskVote,
    AskWhichValue,
    PrivateAnswer,
    TellCommandsElsewhere,
    TellNotCounted,
    TellUnsure,
    choose_answers,
    without_asks,
)
from memalign.records import Label
from memalign.value_types import ValueType, value_type_of
from storage.records import PersonFeedback, Reply, StoredVerdict, Timestamped
from tests.storage.records import verdict

INT, BOOL = value_type_of("int", (1, 5)), value_type_of("bool")
REASON = "It sends people away."


def on_card(value: Label) -> StoredVerdict:
    return StoredVerdict(
        verdict_id="v",
        verdict=replace(verdict("tr-1"), value=value),
        judged_ms=1,
        channel="C1",
        message_ts="1.1",
    )


def held(*texts: str, vote: str | None = None, value: Label | None = None) -> PersonFeedback:
    """Replies written at 2.0, 3.0 …; the vote and the value are from before them."""
    return PersonFeedback(
        button=None if vote is None else Timestamped(value=vote, at="1.5"),
        correction=None if value is None else Timestamped(value=value, at="1.5"),
        replies={f"{place}.0": Reply(text=text, at=f"{place}.0") for place, text in enumerate(texts, 2)},
    )


def answers(events: PersonFeedback, value_type: ValueType, *, is_counted: bool = True) -> list[PrivateAnswer]:
    judged = True if value_type is BOOL else 4
    return list(choose_answers(on_card(judged), "ana", events, value_type, (), is_counted=is_counted))


@pytest.mark.parametrize(
    ("value_type", "events", "right"),
    [
        (BOOL, held(REASON), [AskVote()]),
        (BOOL, held(REASON, vote="down"), []),
        (BOOL, held(REASON, vote="up"), []),
        (BOOL, held(REASON, vote="unsure"), [TellUnsure()]),
        (BOOL, held("fail, it is rude"), []),
        (BOOL, held("could pass"), [AskWhichValue()]),
        (BOOL, held("could pass", REASON), [AskWhichValue()]),
        (BOOL, held("thanks"), []),
        (BOOL, held("Why?"), [AnswerQuestion()]),
        (BOOL, held("Why?", REASON), [AnswerQuestion(), AskVote()]),
        (BOOL, held("Why?", vote="down"), [AnswerQuestion()]),
        (BOOL, held("/memalign help"), [TellCommandsElsewhere()]),
        (BOOL, held("<@U1> help"), []),
        (BOOL, held(f"<@U1> {REASON}"), [AskVote()]),
        (INT, held(REASON, vote="down"), [AskRightValue()]),
        (INT, held(vote="down"), []),
        (INT, held("2 or 3", vote="down"), [AskWhichValue()]),
        (INT, held("17", vote="down"), [AskWhichValue()]),
        (INT, held("2 or 3", "2, it is rude", vote="down"), []),
        (INT, held(REASON, vote="down", value=2), []),
        (INT, held("maybe a 3", vote="down", value=2), [AskWhichValue()]),
        (INT, held("würde ich als 2 sehen"), []),
    ],
)
def test_only_what_is_left_open_is_asked(
    value_type: ValueType, events: PersonFeedback, right: list[PrivateAnswer]
) -> None:
    assert answers(events, value_type) == right


@pytest.mark.parametrize(("text", "right"), [(REASON, TellNotCounted()), ("Why?", AnswerQuestion())])
def test_whoever_does_not_teach_is_asked_nothing(text: str, right: PrivateAnswer) -> None:
    assert answers(held(text), BOOL, is_counted=False) == [right]


def test_an_answer_with_a_receipt_is_not_given_again() -> None:
    events = held(REASON, "Why?")
    first = choose_answers(on_card(True), "ana", events, BOOL, (), is_counted=True)
    receipts = {receipt for each in first.values() for receipt in each}
    assert not choose_answers(on_card(True), "ana", events, BOOL, receipts, is_counted=True)


def test_without_asks_answers_stay() -> None:
    given = choose_answers(on_card(True), "ana", held(REASON, "Why?"), BOOL, (), is_counted=True)
    assert list(without_asks(given)) == [AnswerQuestion()]
