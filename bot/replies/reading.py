"""The reading of a reply: a value, a reason, a question, thanks, or a command. What leaves a doubt is no value."""

import re
from dataclasses import dataclass
from typing import Literal

from bot.replies.doubtful_values import names_value_in_doubt
from bot.replies.sentences import plain_reply, sentences_of
from bot.replies.value_phrases import ValuePhrase, value_phrase
from bot.replies.vocabulary import ACKNOWLEDGEMENTS, COMMANDS, DOUBTS, QUESTION
from memalign.errors import InputError
from memalign.records import Label
from memalign.value_types import ValueType

ReplyKind = Literal["value", "unclear value", "reason", "question", "acknowledgement", "command"]

_ACKNOWLEDGEMENT = re.compile(rf"(?:\W*\b{ACKNOWLEDGEMENTS}\b)*\W*", re.IGNORECASE)
_THANKS_TO = re.compile(r"\W*(?:thanks|thank you|danke|vielen dank)(?:[^\S\n]+[^\W\d_]+){1,2}\W*")
_THANKS_WORD = re.compile(r"\b(?:thanks|thank you|thx|ty|cheers|danke|dank|merci)\b", re.IGNORECASE)
_COMMAND = re.compile(
    rf"\W*(?:/?memalign\b[^.!?\n]{{0,80}}|(?:@?memalign[\s,:]+)?{COMMANDS}\W*)", re.IGNORECASE
)
_QUESTION_MARK = re.compile(r"[?？]+[\s!.\"”’')\]*_]*$")
_QUESTION = re.compile(rf"\W*(?:(?:but|and|so|ok|okay|hm+|aber|und)\W+)?{QUESTION}\b", re.IGNORECASE)
_DOUBT = re.compile(rf"\W*(?:(?:i|i[’']m|i am|ich|but|though|aber|bin)\W+)*{DOUBTS}\b", re.IGNORECASE)
_ASKS = re.compile(
    r"\W*(?:is|are|was|were|does|do|did|should|would|could|can|has|have|will|what(?! about)|which|who|how(?! about)"
    r"|when|where|ist|sind|war|soll|sollte|kann|hat|wird|was|wer|wie(?! wäre)|wo|wann)\b",
    re.IGNORECASE,
)
"""Beginnings of a question that asks others, and proposes nothing."""
_QUOTED_TEXT = re.compile(
    r"^\s*[`*_\"“„«]*(?P<value>[^:：\n]{1,150}?)[`*_\"”“»]*[^\S\n]*(?::(?!\d|//)|：)\s*(?P<reason>.*)$",
    re.DOTALL,
)
"""A free text as a value, before a colon and its reason."""


MAX_VALUE_SENTENCES = 20
"""Of a reply, searched for a value."""
MAX_ACKNOWLEDGEMENT_CHARACTERS = 120
"""Set by hand: a longer reply says more than thanks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyReading:
    """A reply as it is understood."""

    kind: ReplyKind
    value: Label | None = None
    """The value that it says beyond doubt."""
    reason: str = ""
    """Its words that are a reason, and may be distilled."""


def read_reply(text: str, value_type: ValueType) -> ReplyReading:
    """Read a reply.

    Args:
        text: the reply as Slack has it, its entities decoded.
        value_type: the judge's.

    Returns:
        The reading. Of a judge of free text a value is what stands before a colon.
    """
    plain = plain_reply(text)
    sentences = sentences_of(plain)
    questions = [sentence for sentence in sentences if is_question(sentence)]
    statements = [sentence for sentence in sentences if not is_question(sentence)]
    if value_type.kind == "str":
        said = _quoted_text(plain, value_type) if not questions else None
    else:
        said = _value_of(statements, value_type)
    if said is not None and said.value is not None:
        return ReplyReading(kind="value", value=said.value, reason=_reason(said.reason))
    if questions and not _has_words(plain):
        return ReplyReading(kind="question")
    if _is_acknowledgement(plain) and (said is None or _THANKS_WORD.search(plain)):
        return ReplyReading(kind="acknowledgement")
    if _COMMAND.fullmatch(plain):
        return ReplyReading(kind="command")
    if questions and (said is not None or _asks_for_a_value(questions, value_type)):
        return ReplyReading(kind="unclear value")
    if questions and (is_question(sentences[0]) or is_question(sentences[-1])):
        return ReplyReading(kind="question")
    in_doubt = [each for each in statements if names_value_in_doubt(each, value_type)]
    is_unclear = said is not None or bool(in_doubt)
    says_more = len(in_doubt) < len(statements)
    reason = _without(text, [*questions, *in_doubt]) if says_more else ""
    return ReplyReading(kind="unclear value" if is_unclear else "reason", reason=reason)


def _reason(text: str) -> str:
    """Return what stands beside a value as far as it is a reason: thanks and signs alone are none."""
    return text if _has_words(text) and not _is_acknowledgement(text) else ""


def _has_words(text: str) -> bool:
    return any(sign.isalnum() for sign in text)


def _is_acknowledgement(text: str) -> bool:
    if len(text) > MAX_ACKNOWLEDGEMENT_CHARACTERS:
        return False
    return bool(_ACKNOWLEDGEMENT.fullmatch(text) or _THANKS_TO.fullmatch(text.casefold()))


def asks_only(text: str) -> bool:
    """Return whether a text has questions, and nothing else."""
    sentences = sentences_of(plain_reply(text))
    return bool(sentences) and all(map(is_question, sentences))


def is_question(sentence: str) -> bool:
    """Return whether a sentence asks something, with or without its question mark."""
    return bool(_QUESTION_MARK.search(sentence) or _QUESTION.match(sentence))


def _value_of(statements: list[str], value_type: ValueType) -> ValuePhrase | None:
    """Return the one value that the statements say; without a value where they say two, or doubt it."""
    said = {
        place: phrase
        for place, each in enumerate(statements[:MAX_VALUE_SENTENCES])
        if (phrase := value_phrase(each, value_type))
    }
    if not said:
        return None
    values = {(type(phrase.value), phrase.value) for phrase in said.values()}
    if len(values) > 1 or any(_DOUBT.match(each) for each in statements):
        return ValuePhrase(None, "")
    reasons = (said[place].reason if place in said else each for place, each in enumerate(statements))
    return ValuePhrase(next(iter(said.values())).value, "\n".join(reason for reason in reasons if reason))


def _quoted_text(text: str, value_type: ValueType) -> ValuePhrase | None:
    if not (match := _QUOTED_TEXT.match(text)):
        return None
    try:
        return ValuePhrase(value_type.parse(match["value"]), match["reason"].strip())
    except InputError:
        return None


def _asks_for_a_value(questions: list[str], value_type: ValueType) -> bool:
    """Return whether a question holds a value, as "2?" and "It should pass, right?" do."""
    if value_type.kind == "str":
        return False
    plain = (
        re.sub(r"[,\s]*(?:right|no|oder|nicht wahr|or)?\s*[?？]+\W*$", "", each, flags=re.IGNORECASE)
        for each in questions
    )
    return any(
        value_phrase(each, value_type)
        or (not _ASKS.match(each) and names_value_in_doubt(each, value_type, in_question=True))
        for each in plain
    )


def _without(text: str, questions: list[str]) -> str:
    for question in questions:
        text = text.replace(question, "")
    return text.strip()
