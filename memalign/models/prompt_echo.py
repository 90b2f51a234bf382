"""Recognition of drafts that are a piece of the prompt: small models copy its example, its form or the criterion."""

import re
from collections.abc import Iterable
from functools import lru_cache

from memalign.models.prompts import distilling_prompt, distilling_schema
from memalign.records import Json

MIN_WORDS_OF_AN_EXCERPT = 3
"""Shorter texts may well be a rule of their own that the prompt happens to hold."""
MIN_WORDS_OF_A_RULE = 3
"""Set by hand: small models fill a guideline's place with a word or two."""
_WITHOUT_BLANKS = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese; and Korean, whose words are long."""
_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r'"([^"{}\[\]]+)"')
_BLANKS = frozenset({"one sentence", "the guideline", "guideline", "your guideline", "new guideline"})
"""Words by which models fill in the place of a guideline."""


def is_echo(text: str, instructions: str) -> bool:
    """Tell whether a draft only repeats the prompt that asked for it.

    Args:
        text: The draft.
        instructions: The judge's, which are a part of the prompt.

    Returns:
        True if it has no word, is a name in the answer's form, or a piece of three words or more of the prompt.
    """
    words = _words(text)
    draft = " ".join(words)
    if not words or draft in _form_words():
        return True
    return len(words) >= MIN_WORDS_OF_AN_EXCERPT and f" {draft} " in _prompt_words(instructions)


def is_fragment(text: str, reasons: Iterable[str]) -> bool:
    """Tell whether a draft is too short for a rule, and nobody's own words.

    Args:
        text: The draft.
        reasons: What people said, on which it rests.

    Returns:
        True if it has fewer than `MIN_WORDS_OF_A_RULE` words and none of the reasons holds them: "Be kind." is a rule
        if somebody said so.
    """
    words = _words(text)
    if sum(map(_count, words)) >= MIN_WORDS_OF_A_RULE:
        return False
    return not any(f" {' '.join(words)} " in f" {' '.join(_words(reason))} " for reason in reasons)


def _count(word: str) -> int:
    """Count a word; where a script has no blanks, each character."""
    return len(word) if _WITHOUT_BLANKS.search(word) else 1


@lru_cache(maxsize=64)
def _prompt_words(instructions: str) -> str:
    return f" {' '.join(_words(_prompt(instructions)))} "


@lru_cache(maxsize=1)
def _form_words() -> frozenset[str]:
    """Return the names and types in the answer's form, and the words for a blank in it."""
    names = {*_QUOTED.findall(_prompt("")), *_texts_in(distilling_schema())}
    return _BLANKS | {" ".join(_words(name)) for name in names}


def _prompt(instructions: str) -> str:
    return distilling_prompt(instructions, (), (), answer_tokens=0).stable


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _texts_in(schema: Json) -> set[str]:
    if isinstance(schema, dict):
        return {*schema, *(text for value in schema.values() for text in _texts_in(value))}
    if isinstance(schema, list):
        return {text for value in schema for text in _texts_in(value)}
    return {schema} if isinstance(schema, str) else set()
