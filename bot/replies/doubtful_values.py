"""Short sentences that name a value in doubt, or one that is not meant: "2 or 3", "maybe a 2", "not rude". Pure."""

import re

from bot.replies.vocabulary import HEDGE_WORDS, alternatives
from memalign.text_folding import fold
from memalign.value_types import ValueType
from memalign.verdict_words import KNOWN, UNIVERSAL

MAX_WORDS_IN_DOUBT, MAX_CHARACTERS_IN_DOUBT = 12, 200
"""Set by hand: a longer sentence speaks of more than a value."""
_COUNTED = frozenset(
    (
        *(
            "answers",
            "responses",
            "replies",
            "outputs",
            "cases",
            "records",
            "traces",
            "texts",
            "messages",
            "things",
        ),
        *(
            "items",
            "people",
            "points",
            "marks",
            "days",
            "times",
            "antworten",
            "ausgaben",
            "fälle",
            "ergebnisse",
        ),
    )
)
"""Nouns that make a number beside them an amount, and no value."""
_NUMBER = (
    r"(?<![\w.,])[+-]?\d+(?:[.,]\d+)?(?:%|ish\b|er\b)?"
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn)\b"
)
_TRUTH = (
    r"\b(?:pass|passes|passed|passing|fail|fails|failed|failing|bestanden|bestehen|besteht|durchgefallen"
    r"|durchfallen|durchfällt)\b"
)
_WORD = re.compile(r"[^\W_]+(?:[’'][^\W_]+)*")
_CONDITIONS = frozenset(["if", "when", "where", "unless", "without", "wenn", "falls"])
"""Words that make a criterion of a sentence: "It fails when there is no answer"."""
_KNOWN = ((KNOWN - UNIVERSAL) | HEDGE_WORDS) - _COUNTED - _CONDITIONS
"""Words that say nothing on the answer; "always" makes a rule of a sentence."""


def names_value_in_doubt(sentence: str, value_type: ValueType, *, in_question: bool = False) -> bool:
    """Return whether a short sentence names a value, and says nothing but how sure somebody is of it.

    Args:
        sentence: One sentence, in which no value was found beyond doubt.
        value_type: The judge's.
        in_question: True for a question, which proposes no value where it names both of two.
    """
    if value_type.kind == "str" or len(sentence) > MAX_CHARACTERS_IN_DOUBT:
        return False
    pattern = _names(value_type)
    text = fold(sentence)
    values = [match[0] for match in pattern.finditer(text)]
    words = _WORD.findall(pattern.sub(" ", text))
    if not values or len(words) > MAX_WORDS_IN_DOUBT:
        return False
    if in_question and value_type.binary and len(set(values)) > 1:
        return False
    return all(word.replace("’", "'") in _KNOWN for word in words)


def _names(value_type: ValueType) -> re.Pattern[str]:
    """Return a pattern of all that looks like a value, also out of the judge's range."""
    if value_type.kind == "bool":
        return re.compile(_TRUTH)
    if value_type.numeric:
        return re.compile(_NUMBER)
    names = (re.escape(fold(str(each))).replace(r"\ ", r"[\s_-]+") for each in value_type.categories)
    return re.compile(rf"(?<!\w){alternatives(names)}(?!\w)")
