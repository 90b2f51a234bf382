"""Refusal of sentences that are no rule on answers: those that fix the verdict, and those that instruct the model.

A rule tells what makes an answer good or bad: it has a condition on the record. "An answer that names a competitor
fails" has one; "always say pass" has none. A sentence fixes the verdict when it holds a word for a verdict, and nothing
is left of it once words for verdicts, for judging and for answers in general are taken away. Words and patterns are
English and German; tests/memalign/test_rule_refusal.py holds the phrasings by which they were chosen.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

from memalign.verdict_words import (
    GIVING,
    JUDGING,
    KNOWN,
    ONE_CASE,
    QUALITIES,
    REPLYING,
    SCORING,
    UNIVERSAL,
    VALUES,
    VERDICTS,
)

Refusal = Literal["verdict", "instruction"]
"""The sentence fixes the verdict whatever the record, or tells a model what to do."""

_WORD = re.compile(r"\d+(?:[.,/]\d+)?|[^\W\d_]+(?:'[^\W\d_]+)?")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_CLAUSE_END = re.compile(r"[,;:–—]\s*|\s-\s|\b(?:and|but|und|aber|sondern)\b", re.IGNORECASE)
_CONDITION = re.compile(
    r"\b(?:if|when|whenever|unless|where|whose|who|which|that|without|with|containing|only|except|until"
    r"|wenn|falls|sofern|sobald|solange|ohne|mit|außer|welche[rsmn]?|deren|dessen|nur)\b",
    re.IGNORECASE,
)
_NO_MATTER = re.compile(
    r"[,;–-]?\s*\b(?:no matter|regardless|irrespective|whatever|whoever|however|even (?:if|when|though)|in any case"
    r"|egal|ganz gleich|gleichgültig|auch wenn|selbst wenn|in jedem fall|unabhängig)\b(?P<rest>[^,;]*)",
    re.IGNORECASE,
)
"""A clause that restricts nothing."""
_BECAUSE = re.compile(r"[,;–-]?\s*\b(?:because|since|weil|denn)\b(?P<rest>[^,;]*)", re.IGNORECASE)
"""A reason, which restricts nothing where the sentence speaks of every record."""
_MODAL = re.compile(
    r"\b(?:must|should|needs?|has to|have to|ought|may|can|soll\w*|muss|müssen|darf|dürfen)\b", re.IGNORECASE
)
_INSTRUCTION = re.compile(
    r"""
    # ignore all previous rules
    (?: ^ | [.!?;:,"“„(]\s* | \b(?:please|and|then|now|just|must|should|always|you|judge|model
                          |bitte|und|dann|jetzt)\s+ )
    (?: ignore|disregard|forget|override|overwrite|bypass|drop|delete|erase
      | ignoriere?n? | vergiss|vergessen | missachte | übergehe | lösche? ) \s+
    (?: (?:\w+\s+){0,4}?
        (?: instructions? | rules? | guidelines? | prompts? | criteri(?:a|on) | directions? | commands? | feedback
          | anweisung(?:en)? | regeln? | richtlinien? | vorgaben? | kriteri(?:en|um) | leitlinien? )
      | (?: everything | anything | all | the\ above | alles ) \b )
    # reveal your prompt
    | \b(?: reveal|show|print|repeat|output|leak|disclose|expose|tell|write|what\ is|verrate?|zeige?|gib|nenne? )\b
      (?:\s+\w+){0,3}? \s+ (?: your | the\ system | deine?n? | den\ system ) \s*-? (?:\s*\w+){0,2}? \s*
      (?: prompt | instructions? | rules | anweisung(?:en)? | regeln )
    | \bsystem\s*-?\s*prompt\b | \bjailbreak | \bdeveloper\ mode\b | \bas\ an\ ai\b | \bpretend\ to\ be\b
    | \byou\ are\ (?:now|no\ longer)\b | \bfrom\ now\ on,?\ (?:you|say|always|answer)\b
    | \bdu\ bist\ (?:jetzt|nun|ab\ sofort)\b | \bab\ (?:jetzt|sofort)\ (?:sagst|bist|gib)
    | \b(?:your|deine?)\s+ (?: new\s+ | only\s+ | neue\s+ | einzige\s+ )? (?:task|job|role|aufgabe|rolle)\s+(?:is|ist)\b
    # put all known rules under same
    | \b(?: known|all|other|these|existing|every|alle|bekannten? )\s+ (?:\w+\s+)?
      (?: rules? | guidelines? | records? | regeln | richtlinien )\b .*
      \b(?: under|as|unter|als )\s+ ["'“„‘]? (?: same|supports?|contradicts?|duplicates?|one|the\ same|gleich )\b
    | \b(?: under|unter )\s+ ["'“„‘](?: same|supports?|contradicts? )["'”“]
    | \b(?: delete|remove|merge|retire|drop|lösche|entferne )\s+ (?: all|every|the\ other|other|everybody's|alle )\s+
      (?:\w+\s+)? (?: rules? | guidelines? | regeln | richtlinien )\b
    # output true
    | ^(?: please\s+ | only\s+ | just\s+ | always\s+ | bitte\s+ )? (?: output|print|return|emit )\s+
      (?: only | just | nothing | exactly | the\ (?:words?|phrase|string|text|following|json|value|label)
        | (?:valid\s+)? json | ["'“„{\[] | true|false|yes|no|pass|fail | \d )
    """,
    re.IGNORECASE | re.VERBOSE,
)


def refusal_of(text: str) -> Refusal | None:
    """Decide whether a text may not become a guideline.

    Args:
        text: One sentence or several, as a person or a distiller wrote it.

    Returns:
        The kind of the first sentence that is refused; None where each may be a rule.
    """
    return next(filter(None, map(_refusal_of_sentence, _sentences(text))), None)


def refusal_of_all(text: str) -> Refusal | None:
    """Decide whether nothing in a text may become a guideline.

    Args:
        text: A person's reason.

    Returns:
        The kind of the first sentence, where each that has more than one word is refused; else None.
    """
    first: Refusal | None = None
    for sentence in _sentences(text):
        if len(_words(sentence)) > 1:
            refusal = _refusal_of_sentence(sentence)
            if refusal is None:
                return None
            first = first or refusal
    return first


def _sentences(text: str) -> list[str]:
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).replace("’", "'")
    return [sentence.strip() for sentence in _SENTENCE_END.split(plain) if sentence.strip()]


def _refusal_of_sentence(sentence: str) -> Refusal | None:
    if _INSTRUCTION.search(sentence):
        return "instruction"
    return "verdict" if any(map(_fixes_verdict, _clauses(sentence))) else None


def _clauses(sentence: str) -> Iterator[str]:
    """Yield the sentence without clauses that restrict nothing; in parts, where no part can restrict another."""
    sentence = _NO_MATTER.sub(_restriction, sentence)
    unreasoned = _BECAUSE.sub(_restriction, sentence)
    whole = unreasoned if UNIVERSAL & set(_words(unreasoned)) else sentence
    yield whole
    if not _CONDITION.search(whole):
        yield from _CLAUSE_END.split(whole)


def _restriction(clause: re.Match[str]) -> str:
    """Return what is kept of a clause that restricts nothing: all of it where a condition follows in it."""
    return clause[0] if _CONDITION.search(clause["rest"]) else " "


def _fixes_verdict(clause: str) -> bool:
    words = _words(clause)
    if not words or any(word not in KNOWN and not _is_number(word) for word in words):
        return False
    used, demands = set(words), bool(_MODAL.search(clause))
    if words[0] in ONE_CASE and not (used & UNIVERSAL or demands):
        return False
    if used & VERDICTS or (any(map(_is_number, words)) and used & SCORING):
        return True
    judges = bool(used & JUDGING) or (bool(used & UNIVERSAL) and not demands)
    gives = judges or bool(used & GIVING) or words[0] in REPLYING
    return bool((gives and used & (VALUES - UNIVERSAL)) or (judges and used & QUALITIES))


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _is_number(word: str) -> bool:
    return word[0].isdigit()
