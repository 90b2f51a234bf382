"""The choice of what a person is told, or asked, privately about their replies. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from html import unescape

from bot.feedback import Feedback, feedback_of
from bot.replies.addressing import addressed_words, calls_for_help
from bot.replies.reading import ReplyReading, read_reply
from bot.vote_marks import Vote, conflict_since, mute_thumb_at, votes_of
from memalign.value_types import ValueType
from storage.records import PersonFeedback, Reply, StoredVerdict
from storage.reply_receipts import ReplyReceipt

NO_VALUE = "no value"
"""Reading of a receipt for a reason that stands beside a 👎 without the right value."""
TWO_VOTES = "two votes"
"""Reading of a receipt for several votes, which is kept under the time of the reaction that was the last of them."""
MUTE_THUMB = "mute thumb"
"""Reading of a receipt for a thumb that says no value, which is kept under its time."""
NOT_COUNTED = "not counted"
UNSURE = "unsure"
FORGOTTEN_CARD = ReplyReceipt(reply_ts="", reading="forgotten")
"""Receipt of whoever was told that a card is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskWhichValue:
    """The reply may name a value, but not beyond doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRightValue:
    """The person says that the judge is wrong, and why, but not which value is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskVote:
    """The person gave a reason, and no vote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuestion:
    """The person asks about the verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellCommandsElsewhere:
    """The person typed a command into the thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellUnsure:
    """The person gave a reason although they cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellNotCounted:
    """The person may not teach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskWhichVote:
    """A reaction gave the person a second vote, so that none counts."""

    votes: frozenset[Vote]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskValueOfThumb:
    """The person gave a thumb up or down on a number, or a category, that is hidden."""


PrivateAnswer = (
    AskWhichVote
    | AskValueOfThumb
    | AskWhichValue
    | AskRightValue
    | AskVote
    | AnswerQuestion
    | TellCommandsElsewhere
    | TellUnsure
    | TellNotCounted
)
Answers = Mapping[PrivateAnswer, Collection[ReplyReceipt]]
"""Answers that are due, each with the receipts of the replies that it answers."""
_ASKS = (AskWhichValue(), AskRightValue(), AskVote(), AskValueOfThumb())
"""Of these only the first one that applies is asked, for all replies at once."""


def choose_answers(
    stored: StoredVerdict,
    person: str,
    events: PersonFeedback,
    value_type: ValueType,
    receipts: Collection[ReplyReceipt],
    *,
    is_counted: bool,
) -> Answers:
    """Choose what a person is told of their replies to a verdict.

    Args:
        stored: the verdict.
        person: the person.
        events: all they did on the card up to now.
        value_type: the judge's.
        receipts: of the answers they have had.
        is_counted: whether what they say counts.

    Returns:
        The answers; none for replies that are learned from, that say thanks, or that were answered before.
    """
    feedback = feedback_of(stored, person, events, value_type)
    readings = _readings(stored, events, value_type)
    clear = [_ms(events.replies[ts]) for ts, reading in readings.items() if reading.kind == "value"]
    settled_ms = max([feedback.time_ms, *clear])
    answers: dict[PrivateAnswer, list[ReplyReceipt]] = {}
    since = conflict_since(stored, events) if is_counted else None
    if since and (conflict := ReplyReceipt(reply_ts=since, reading=TWO_VOTES)) not in receipts:
        answers[AskWhichVote(votes=votes_of(stored, events))] = [conflict]
    if is_counted and feedback.vote is None and (thumb := mute_thumb_at(stored, events)):
        receipt = ReplyReceipt(reply_ts=thumb, reading=MUTE_THUMB)
        if receipt not in receipts:
            answers[AskValueOfThumb()] = [receipt]
    for ts, reading in readings.items():
        is_later = _ms(events.replies[ts]) > settled_ms
        answer = _answer_to(
            reading, feedback, votes_of(stored, events), value_type, is_counted=is_counted, is_later=is_later
        )
        receipt = _receipt(answer, ts, reading)
        if answer is not None and receipt not in receipts:
            answers.setdefault(answer, []).append(receipt)
    return _with_one_ask(answers)


def may_need_answer(stored: StoredVerdict, events: PersonFeedback) -> bool:
    """Return whether there may be something to say to a person: they replied, have two votes, or a thumb in vain.

    Args:
        stored: the verdict.
        events: all they did on its card up to now.
    """
    marks = (conflict_since(stored, events), mute_thumb_at(stored, events))
    return bool(events.replies) or any(marks)


def _readings(
    stored: StoredVerdict, events: PersonFeedback, value_type: ValueType
) -> Mapping[str, ReplyReading]:
    """Read a person's replies, oldest first; not the modal's reason, nor a call for help."""
    written = {
        ts: reply.text
        for ts, reply in events.replies.items()
        if reply.text and ts != stored.reason_ts and not calls_for_help(reply.text)
    }
    return {
        ts: read_reply(unescape(addressed_words(written[ts])).strip(), value_type)
        for ts in sorted(written, key=Decimal)
    }


def _ms(reply: Reply) -> int:
    return int(Decimal(reply.at) * 1000)


def _answer_to(
    reading: ReplyReading,
    feedback: Feedback,
    votes: frozenset[Vote],
    value_type: ValueType,
    *,
    is_counted: bool,
    is_later: bool,
) -> PrivateAnswer | None:
    """Choose the answer to one reply; `is_later` than all by which the person gave a vote or a value."""
    match reading.kind:
        case "acknowledgement":
            return None
        case "question":
            return AnswerQuestion()
        case "command":
            return TellCommandsElsewhere()
    if not is_counted:
        return TellNotCounted()
    if len(votes) > 1:
        return None  # they are asked to keep one of the two, wherever they got them
    if reading.kind == "unclear value" and _leaves_value_open(
        reading, feedback, value_type, is_later=is_later
    ):
        return AskWhichValue()
    match feedback.vote:
        case None:
            return AskVote()
        case "unsure":
            return TellUnsure()
        case _:
            return AskRightValue() if feedback.value is None else None


def _leaves_value_open(
    reading: ReplyReading, feedback: Feedback, value_type: ValueType, *, is_later: bool
) -> bool:
    """Return whether the person's value is unknown, or the reply may say another one than they gave before."""
    return feedback.value is None or (is_later and not (value_type.binary and bool(reading.reason)))


def _receipt(answer: PrivateAnswer | None, ts: str, reading: ReplyReading) -> ReplyReceipt:
    match answer:
        case TellNotCounted():
            return ReplyReceipt(reply_ts="", reading=NOT_COUNTED)
        case TellUnsure():
            return ReplyReceipt(reply_ts="", reading=UNSURE)
        case AskRightValue():
            return ReplyReceipt(reply_ts=ts, reading=NO_VALUE)
        case _:
            return ReplyReceipt(reply_ts=ts, reading=reading.kind)


def without_asks(answers: Answers) -> Answers:
    """Return what somebody is told who wants no private questions."""
    return {answer: receipts for answer, receipts in answers.items() if answer not in _ASKS}


def _with_one_ask(answers: Mapping[PrivateAnswer, list[ReplyReceipt]]) -> Answers:
    asks = [ask for ask in _ASKS if ask in answers]
    others = {answer: receipts for answer, receipts in answers.items() if answer not in asks}
    return {**others, asks[0]: [each for ask in asks for each in answers[ask]]} if asks else others
