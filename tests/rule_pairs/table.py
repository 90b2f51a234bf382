"""200 pairs of guidelines in English, German and French, as teams write them for their judges.

Only the standard library: the original's interpreter imports it too.
"""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Relation = Literal["same", "narrower", "opposite", "different"]
"""Relation of the second guideline to the first: it says the same, covers fewer cases, cannot be followed together with
it, or is about something else."""

_FILE = Path(__file__).with_name("pairs.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePair:
    """Two guidelines, and the label of the cases that each rests on."""

    language: Literal["en", "de", "fr"]
    relation: Relation
    first: str
    first_label: bool
    """True if the cases passed."""
    second: str
    second_label: bool

    @property
    def reversed(self) -> "RulePair":
        """The pair in the other order. Of "narrower" the wider one is then the second."""
        return RulePair(
            language=self.language,
            relation=self.relation,
            first=self.second,
            first_label=self.second_label,
            second=self.first,
            second_label=self.first_label,
        )


@cache
def rule_pairs() -> tuple[RulePair, ...]:
    """Read the table."""
    return tuple(RulePair(**json.loads(line)) for line in _FILE.read_text(encoding="utf-8").splitlines())


def relation_between(rule: str, other: str) -> Relation:
    """Look up two guidelines in either order; the answer is "different" unless they are a pair of the table."""
    if _key(rule) == _key(other):
        return "same"
    return _relations().get(frozenset((_key(rule), _key(other))), "different")


def meaning_of(rule: str) -> str | None:
    """Return the guideline that stands for all that say the same; None for a sentence that is not in the table."""
    return _meanings().get(_key(rule))


@cache
def _meanings() -> Mapping[str, str]:
    return {
        _key(text): pair.first if pair.relation == "same" else text
        for pair in rule_pairs()
        for text in (pair.first, pair.second)
    }


@cache
def _relations() -> Mapping[frozenset[str], Relation]:
    return {frozenset((_key(pair.first), _key(pair.second))): pair.relation for pair in rule_pairs()}


def _key(text: str) -> str:
    """Return the sentence as it comes back from a memory, which may compose its letters and drop its second blanks."""
    return " ".join(unicodedata.normalize("NFC", text).split())
