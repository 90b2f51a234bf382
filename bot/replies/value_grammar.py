"""The grammar of sentences that say a value, as regular expressions for each type of value."""

import re
from collections.abc import Collection, Iterable
from functools import cache
from typing import NamedTuple

from bot.replies.vocabulary import (
    BECAUSE,
    DEGREES,
    EMPHASIS,
    GIVES,
    INSTEAD_OF,
    INTERJECTIONS,
    RATING,
    SUBJECT,
    TAIL,
    alternatives,
    phrases_of,
)
from memalign.records import Label
from memalign.text_folding import fold
from memalign.value_types import ValueType

NUMBER_WORDS = {
    word: number
    for words in (
        "zero one two three four five six seven eight nine ten",
        "null eins zwei drei vier fünf sechs sieben acht neun zehn",
    )
    for number, word in enumerate(words.split())
}
DIGITS = r"[+-]?\d+(?:[.,]\d+)?"
_NUMBER = (
    rf"(?:{DIGITS}(?:\s*%|\s*(?:/|out of|of|von)\s*\d+(?:[.,]\d+)?)?"
    r"(?:\s*(?:stars?|points?|pts|sternen?|sterne|punkte?n?))?"
    rf"|[+-]?[.,]\d+|{alternatives(NUMBER_WORDS)}(?:\s*(?:stars?|points?|sterne|punkte))?)"
)
PASS_WORDS = ("pass", "passes", "passed", "bestanden", "bestehen", "besteht")
FAIL_WORDS = ("fail", "fails", "failed", "durchgefallen", "durchfallen", "fällt durch")
_TRUTH = ("true", "wahr", "false")
"""Values only where nothing but the reason follows: they may speak of what an answer claims."""
_MODAL = alternatives(
    phrases_of("""
should|can|could not|must|has to|needs to|ought to|would|does|did|definitely|clearly|sollte|soll|muss|müsste|darf|kann
looks like|sounds like|feels like|seems like|sieht nach|sieht aus wie|klingt nach|würde ich|hätte ich|kann man
sehe ich als|sehe ich das als|würde ich als|würde ich das als|würde das als|sehe das als
hätte|ist|wäre|should have|should[’']ve|has|is|was|be|gehört|würde|i would|i will|i must|i have to|let|lasst
""")
)
_NOT = r"(?P<negation>n?[’']t|(?<=can)not\b|[^\S\n]+(?:not|never|nicht|niemals)|(?<!\w)(?:not|nicht|never|kein))?"
_VERBS = alternatives(
    phrases_of("""
look like|sound like|feel like|seem like|let it|let this|let that|let this one|let the answer|see it as|see this as
see that as|consider it|consider this|consider that|call it|call this|count it as|count this as|treat it as
be|have|been|have been|be marked|be marked as|marked|marked as|be rated|be rated as|count as|be counted as
""")
)
_OBJECT = r"(?:[^\S\n]+(?:it|this|that|this one|this answer|the answer))?"
_MARKS = r"[`*_\"“”„«»‘’']*"
_TERMINATOR = (
    r"(?:\s*[.!…]+(?=\s|$)|\s*:(?!\d|//)|\s*：|\s*[;；—–]+(?!\s*\d)|[^\S\n]+-+[^\S\n]+(?!\d)|\s*[,，](?!\s*\d)"
    rf"|[^\S\n]+(?=\()|[^\S\n]+(?={BECAUSE}\b)|\s*$)"
)
_IS = alternatives(phrases_of("is|was|ist|war|seems|sounds|looks|klingt|wirkt"))
_DENIES = alternatives(phrases_of("not|isn[’']t|wasn[’']t|nicht|less|weniger|kein|keine"))
_BUT = alternatives(
    phrases_of("but|but just|but only|just|only|merely|simply|rather|sondern|sondern nur|nur|bloß|eher")
)
_POLAR = alternatives(phrases_of("no|nope|nah|nein|nee|nö|wrong|falsch|disagree|i disagree"))


class Grammar(NamedTuple):
    """Patterns with the groups `value`, `bare` and, of truth values, `negation`."""

    named: re.Pattern[str]
    """A value with its verb: "It deserves a 2"."""
    bare: re.Pattern[str]
    """A value alone at the beginning of a sentence."""
    later: re.Pattern[str]
    """A value alone in a later clause."""


@cache
def grammar_of(value_type: ValueType) -> Grammar:
    """Return the patterns for a judge's values; not for free text."""
    if value_type.kind == "bool":
        return _truth_grammar()
    categories = (re.escape(str(each)).replace(r"\ ", r"[\s_-]+") for each in value_type.categories)
    value = rf"(?P<value>{alternatives(categories) if value_type.categories else _NUMBER})"
    emphasis = _emphasis(value_type.categories)
    refused = rf"(?:[^\S\n]*,?[^\S\n]*{INSTEAD_OF}[^\S\n]+{emphasis}{_MARKS}{value}{_MARKS})?".replace(
        "?P<value>", "?:"
    )
    end = rf"{value}{_MARKS}(?:[^\S\n]+{TAIL}\b){{0,3}}{refused}{_TERMINATOR}"
    subject = rf"{SUBJECT}(?:[’']s[^\S\n]+|[^\S\n]+{GIVES}[^\S\n]+)"
    denied = (
        rf"(?:(?:{SUBJECT}(?:[’']s|[^\S\n]+{_IS}))?[^\S\n]*{_DENIES}[^\S\n]+{emphasis}{_MARKS}{value}{_MARKS}"
    )
    denied = rf"{denied}[^\S\n]*[,;–—-]?[^\S\n]*{_BUT}[^\S\n]+)?".replace("?P<value>", "?:")
    opening = _opening(fold(str(each)) for each in value_type.categories) + denied
    frame = rf"{opening}(?:{subject}|{GIVES}[^\S\n]+|{RATING}[^\S\n]*[:=]?[^\S\n]+){emphasis}{_MARKS}"
    bare = rf"{opening}{emphasis}{_MARKS}(?P<bare>)"
    return _compiled(
        rf"{frame}(?P<bare>(?!))?{end}",
        rf"{bare}{end}",
        rf"(?P<bare>(?!)){end}" if value_type.categories else bare + end,
    )


def _truth_grammar() -> Grammar:
    emphasis = _emphasis(())
    value = rf"(?P<value>{alternatives((*PASS_WORDS, *FAIL_WORDS))})"
    end = rf"{_MARKS}{value}{_MARKS}{_OBJECT}(?:[^\S\n]+(?:lassen|{TAIL})\b){{0,3}}{_TERMINATOR}"
    subject = rf"(?:(?:i[’'](?:d|ll)|{SUBJECT}[’']s|{SUBJECT}|i)[^\S\n]*)?(?:{_MODAL})?{_NOT}[^\S\n]*"
    verdict = rf"{subject}(?:{_VERBS}[^\S\n]+){{0,2}}{emphasis}"
    rating = rf"{RATING}[^\S\n]*[:=]?[^\S\n]+{emphasis}"
    ending = rf"(?:\s*[:：](?!\d)|[^\S\n]+(?={BECAUSE}\b)|[^\S\n]+[–—-]+[^\S\n]|\.?\s*$)"
    truth = rf"{_MARKS}(?P<value>{alternatives(_TRUTH)}){_MARKS}(?P<negation>(?!))?{ending}"
    opening = _opening(())
    return _compiled(rf"{opening}(?:{rating}|{verdict}){end}", rf"{opening}{truth}", r"(?!)")


def _emphasis(categories: Collection[Label]) -> str:
    """Return what may stand right before a value; "weak" may not where a "strong yes" differs from a "yes"."""
    words = {word for each in categories for word in fold(str(each)).split()}
    usual = [phrase for phrase in EMPHASIS if not words & set(phrase.split())]
    degrees = () if words & set(DEGREES) else DEGREES
    return rf"(?:{alternatives((*usual, *degrees))}[^\S\n]+){{0,4}}"


def _opening(values: Iterable[str]) -> str:
    """Return what may stand before a value; a no needs a comma, or a subject after it."""
    values = set(values)
    usual = alternatives(each for each in INTERJECTIONS if each not in values)
    comma = rf"{_POLAR}\b(?=[^\S\n]*[,;:.!–—-]|[^\S\n]+(?:it|this|that|should|must|das|es|sollte)\b)"
    return rf"(?:[\s*_`#]|-\s)*(?:(?:{comma}|(?!{_POLAR}\b){usual}\b)[^\S\n]*[,;:.!–—-]{{0,3}}[^\S\n]{{0,3}}){{0,4}}"


def _compiled(*patterns: str) -> Grammar:
    return Grammar(*(re.compile(pattern, re.IGNORECASE) for pattern in patterns))
