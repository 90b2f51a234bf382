"""Sentences that say a value beyond doubt: "It deserves a 2 at most", "no, should pass"; "not rude" says none."""

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from bot.replies.vocabulary import (
    ACKNOWLEDGEMENTS,
    BECAUSE,
    EMPHASIS,
    GIVES,
    HEDGES,
    INSTEAD_OF,
    INTERJECTIONS,
    JUDGES_OPINION,
    RATING,
    REPORTS,
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
MAX_VALUE_CHARACTERS = 400
"""Of a sentence, searched for a value."""
_DIGITS = r"[+-]?\d+(?:[.,]\d+)?"
_NUMBER = (
    rf"(?:{_DIGITS}(?:\s*%|\s*(?:/|out of|of|von)\s*\d+(?:[.,]\d+)?)?"
    r"(?:\s*(?:stars?|points?|pts|sternen?|sterne|punkte?n?))?"
    rf"|[+-]?[.,]\d+|{alternatives(NUMBER_WORDS)}(?:\s*(?:stars?|points?|sterne|punkte))?)"
)
_SCALE = re.compile(rf"^({_DIGITS})\s*(?:/|out of|of|von)\s*({_DIGITS})", re.IGNORECASE)
_PASS = ("pass", "passes", "passed", "bestanden", "bestehen", "besteht")
_FAIL = ("fail", "fails", "failed", "durchgefallen", "durchfallen", "fällt durch")
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
    r"(?<!wert ist )(?<!bewertung ist )",
    re.IGNORECASE,
)
"""Before a number without an article: it may be what the answer should hold, as in "The answer is 2"."""


class ValuePhrase(NamedTuple):
    """The value that a sentence says, and the rest of the sentence."""

    value: Label | None
    """None where the sentence takes something of the value back, or says two."""
    reason: str


class _Grammar(NamedTuple):
    named: re.Pattern[str]
    """A value with its verb: "It deserves a 2"."""
    bare: re.Pattern[str]
    """A value alone at the beginning of a sentence."""
    later: re.Pattern[str]
    """A value alone in a later clause."""


def value_phrase(sentence: str, value_type: ValueType) -> ValuePhrase | None:
    """Read a sentence that says a value.

    Args:
        sentence: One sentence or line, no question.
        value_type: The judge's; not one of free text.

    Returns:
        The value and the rest, without a value where it is none of the judge's; None where the sentence says none.
    """
    sentence, rest = sentence[:MAX_VALUE_CHARACTERS], sentence[MAX_VALUE_CHARACTERS:]
    grammar = _grammar(value_type)
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
        return (fold(text) in (*_PASS, "true", "wahr")) != bool(match["negation"])
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


@cache
def _grammar(value_type: ValueType) -> _Grammar:
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


def _truth_grammar() -> _Grammar:
    emphasis = _emphasis(())
    value = rf"(?P<value>{alternatives((*_PASS, *_FAIL))})"
    end = rf"{_MARKS}{value}{_MARKS}{_OBJECT}(?:[^\S\n]+(?:lassen|{TAIL})\b){{0,3}}{_TERMINATOR}"
    subject = rf"(?:(?:i[’'](?:d|ll)|{SUBJECT}[’']s|{SUBJECT}|i)[^\S\n]*)?(?:{_MODAL})?{_NOT}[^\S\n]*"
    verdict = rf"{subject}(?:{_VERBS}[^\S\n]+){{0,2}}{emphasis}"
    rating = rf"{RATING}[^\S\n]*[:=]?[^\S\n]+{emphasis}"
    ending = rf"(?:\s*[:：](?!\d)|[^\S\n]+(?={BECAUSE}\b)|[^\S\n]+[–—-]+[^\S\n]|\.?\s*$)"
    truth = rf"{_MARKS}(?P<value>{alternatives(_TRUTH)}){_MARKS}(?P<negation>(?!))?{ending}"
    opening = _opening(())
    return _compiled(rf"{opening}(?:{rating}|{verdict}){end}", rf"{opening}{truth}", r"(?!)")


def _emphasis(categories: Collection[Label]) -> str:
    """Return what may stand right before a value; "strong" may not where a "strong yes" differs from a "yes"."""
    words = {word for each in categories for word in fold(str(each)).split()}
    usual = [phrase for phrase in EMPHASIS if not words & set(phrase.split())]
    return rf"(?:{alternatives(usual)}[^\S\n]+){{0,4}}"


def _opening(values: Iterable[str]) -> str:
    """Return what may stand before a value; a no needs a comma, or a subject after it."""
    values = set(values)
    usual = alternatives(each for each in INTERJECTIONS if each not in values)
    comma = rf"{_POLAR}\b(?=[^\S\n]*[,;:.!–—-]|[^\S\n]+(?:it|this|that|should|must|das|es|sollte)\b)"
    return rf"(?:[\s*_`#]|-\s)*(?:(?:{comma}|(?!{_POLAR}\b){usual}\b)[^\S\n]*[,;:.!–—-]{{0,3}}[^\S\n]{{0,3}}){{0,4}}"


def _compiled(*patterns: str) -> _Grammar:
    return _Grammar(*(re.compile(pattern, re.IGNORECASE) for pattern in patterns))
