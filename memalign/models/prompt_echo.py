"""Recognition of drafts that are a piece of the prompt: small models copy its example, its form or the criterion."""

import json
import re
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache

from memalign.json_leaves import leaves
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
_FILLER_LIST = "a an and are be in is it its list lists new number numbers of or that the this your"
_FILLERS = frozenset(_FILLER_LIST.split())
"""Words between the names of a form."""
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s*|\n+")


def is_echo(text: str, instructions: str) -> bool:
    """Tell whether a draft only repeats the prompt that asked for it.

    Args:
        text: The draft.
        instructions: The judge's, which are a part of the prompt.

    Returns:
        True if it has no word, is made of names in the answer's form alone, or is a piece of three words or more of
        the prompt.
    """
    words = _words(text)
    draft = " ".join(words)
    if not words or draft in _form_words() or _form_vocabulary().issuperset(words):
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


class ShownWords:
    """The cases that a prompt shows, with the judge's overruled reasons: who copies them has found no rule.

    Args:
        lines: The prompt's lines of records and of similar cases.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    def hold(self, text: str) -> bool:
        """Look for a draft in the cases.

        Args:
            text: The draft.

        Returns:
            True if it has three words or more, and a field or an overruled reason holds them in a row.
        """
        words = _words(text)
        if sum(map(_count, words)) < MIN_WORDS_OF_AN_EXCERPT:
            return False
        return any(f" {' '.join(words)} " in each for each in self._texts)

    @cached_property
    def _texts(self) -> list[str]:
        return [f" {' '.join(_words(text))} " for line in self._lines for text in _texts_of_case(line)]


def _texts_of_case(line: str) -> list[str]:
    """Return what a line of the prompt holds beside people's own words."""
    case = json.loads(line)
    own = ("reason", "reasons", "label", "record")
    return [str(leaf.value) for name, value in case.items() if name not in own for leaf in leaves(value)]


def is_sentence_of(text: str, reasons: Iterable[str]) -> bool:
    """Tell whether a draft is a whole sentence of somebody's own.

    Args:
        text: The draft.
        reasons: What people said, on which it rests.

    Returns:
        True if a reason is the draft, or one of its sentences is; who only quotes the case says more around it.
    """
    words = _words(text)
    return any(words == _words(part) for reason in reasons for part in (reason, *_SENTENCE_END.split(reason)))


def _count(word: str) -> int:
    """Count a word; where a script has no blanks, each character."""
    return len(word) if _WITHOUT_BLANKS.search(word) else 1


@lru_cache(maxsize=64)
def _prompt_words(instructions: str) -> str:
    return f" {' '.join(_words(_prompt(instructions)))} "


@lru_cache(maxsize=1)
def _form_vocabulary() -> frozenset[str]:
    """Return the words of which a copy of the form is made."""
    return frozenset(word for name in _form_words() for word in _words(name)) | _FILLERS


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
