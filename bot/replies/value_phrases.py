"""Sentences that say a value beyond doubt: "It deserves a 2 at most", "no, should pass"; "not rude" says none."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from bot.replies.value_grammar import DIGITS, NUMBER_WORDS, PASS_WORDS, grammar_of
from bot.replies.vocabulary import (
    ACKNOWLEDGEMENTS,
    HEDGES,
    INTERJECTIONS,
    JUDGES_OPINION,
    REPORTS,
    TAIL,
)
from memalign.records import Label
from memalign.text_folding import fold
from memalign.value_types import ValueType

MAX_VALUE_CHARACTERS = 400
"""Of a sentence, searched for a value."""
_SCALE = re.compile(rf"^({DIGITS})\s*(?:/|out of|of|von)\s*({DIGITS})", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;:]\s+|\s+[–—-]+\s+|\s+(?=(?:so|but|aber|sondern|therefore|hence|daher)\s)")
_REPORT = re.compile(rf"\b{REPORTS}\b", re.IGNORECASE)
_JUDGE = re.compile(rf"^\W*(?:(?:well|no|nein|but)\W+)?{JUDGES_OPINION}\W*$", re.IGNORECASE)
_REFUSED = re.compile(r"^\W*(?:(?:no|nein)\W+)?(?:not|nicht|kein\w*)\b[^,;]{1,30}$", re.IGNORECASE)
_HEDGED = re.compile(rf"\W*{HEDGES}\b", re.IGNORECASE)
_THANKS = re.compile(rf"\W*{ACKNOWLEDGEMENTS}\W*$", re.IGNORECASE)
_MANNER = re.compile(rf"(?:\W*\b{TAIL}\b)+\W*", re.IGNORECASE)
"""Words after a value that are no reason."""
_CONTENT = re.compile(
    r"(?:[’']s|\b(?:is|was|ist|war)|\b(?:answer|response|reply|output|antwort|ausgabe|text)\b.*\b(?:be|sollte|wäre))\s+$"
    r"(?<!rating is )(?<!score is )(?<!value is )(?<!verdict is )(?<!label is )(?<!grade is )(?<!note ist )"
    r"(?<!vote is )(?<!wert ist )(?<!bewertung ist )",
    re.IGNORECASE,
)
"""Before a number without an article: it may be what the answer should hold, as in "The answer is 2"."""


class ValuePhrase(NamedTuple):
    """The value that a sentence says, and the rest of the sentence."""

    value: Label | None
    """None where the sentence takes something of the value back, or says two."""
    reason: str


def value_phrase(sentence: str, value_type: ValueType) -> ValuePhrase | None:
    """Read a sentence that says a value.

    Args:
        sentence: One sentence or line, no question.
        value_type: The judge's; not one of free text.

    Returns:
        The value and the rest, without a value where it is none of the judge's; None where the sentence says none.
    """
    sentence, rest = sentence[:MAX_VALUE_CHARACTERS], sentence[MAX_VALUE_CHARACTERS:]
    grammar = grammar_of(value_type)
    is_out_of_range = False
    for start in _clause_starts(sentence):
        before = sentence[:start]
        for pattern in (grammar.named, grammar.later if start else grammar.bare):
            match = pattern.match(sentence, start)
            if match is None or not _may_follow(before, is_bare=pattern is grammar.later):
                continue
            value = _label(match, value_type)
            if value is None:
                is_out_of_range = True
                continue
            after = sentence[match.end() :].strip()
            if _MANNER.fullmatch(after):
                after = ""
            if _is_doubtful(match, after, value, value_type):
                return ValuePhrase(None, "")
            kept = "" if _JUDGE.match(before) or _REFUSED.match(before.strip(" ,;:–—-")) else before
            return ValuePhrase(
                value, ", ".join(part for part in (kept.strip(" ,;:–—-"), after + rest) if part)
            )
    return ValuePhrase(None, "") if is_out_of_range else None


def _clause_starts(sentence: str) -> Iterator[int]:
    yield 0
    for match in _CLAUSE.finditer(sentence):
        yield match.end()


def _may_follow(before: str, *, is_bare: bool) -> bool:
    """Return whether what stands before a clause leaves its value beyond doubt."""
    if not before or _JUDGE.match(before):
        return True
    if _REPORT.search(before):
        return False
    return not is_bare or not re.search(r"\d", before) or bool(_REFUSED.match(before.strip(" ,;:–—-")))


def _is_doubtful(match: re.Match[str], after: str, value: Label, value_type: ValueType) -> bool:
    """Return whether something is taken back after a value, or the value's word has another sense here."""
    if _HEDGED.match(after):
        return True
    if isinstance(value, str):
        ending = match[0].rstrip()[-1:]
        if fold(value) in INTERJECTIONS and match["bare"] is not None and ending not in (":", "–", "—", "-"):
            return True
        if after and ending in ",." and _THANKS.match(after):
            return True
    other = value_phrase(after, value_type) if after else None
    return other is not None and other.value != value


def _label(match: re.Match[str], value_type: ValueType) -> Label | None:
    text = match["value"]
    if value_type.kind == "bool":
        return (fold(text) in (*PASS_WORDS, "true", "wahr")) != bool(match["negation"])
    if value_type.numeric:
        if _CONTENT.search(match[0][: match.start("value") - match.start()]):
            return None
        word = NUMBER_WORDS.get(fold(text).split()[0])
        text = str(word) if word is not None else _without_scale(text, value_type)
    split = value_type.split(text)
    return None if split is None or split.reason else split.label


def _without_scale(text: str, value_type: ValueType) -> str:
    """Take the scale off a whole number where the judge's own is not known: `2/5` of an int can only be 2."""
    match = _SCALE.match(text)
    if match is None or value_type.kind != "int" or value_type.value_range is not None:
        return text
    return match[1] if float(match[1].replace(",", ".")) <= float(match[2].replace(",", ".")) else text
