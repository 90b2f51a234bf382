"""Which rules could say the same as another one, and whether they do: the same, the opposite, or neither.

Wording and vectors only propose: a rule and its opposite are as alike as two paraphrases, and so are rules on two
things. What decides is whether both speak of the same things, on which labels they rest, and whether one of them
holds a negation or a number that the other does not.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

from memalign.memory.text_features import normal, stems, subject, turns
from memalign.ports import Vector
from memalign.records import Label

Kinship = Literal["same", "opposite", "none"]

ALIKE_IN_WORDS = 0.6
ALIKE_IN_DIRECTION = 0.9


@dataclass(frozen=True, slots=True)
class RuleFeatures:
    """What of a rule's words is compared."""

    text: str
    stems: frozenset[str]
    turns: frozenset[str]
    subject: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "RuleFeatures":
        """Take a rule's words apart."""
        return cls(normal(text), stems(text), turns(text), subject(text))

    @property
    def negated(self) -> bool:
        """Whether there is a negation in it."""
        return "not" in self.turns


def kinship(
    one: RuleFeatures,
    labels: Collection[Label],
    other: RuleFeatures,
    others: Collection[Label],
    *,
    binary: bool,
) -> Kinship:
    """Compare two rules that are alike, given with the labels that each rests on.

    `binary`: there are two labels only, so that different labels are opposite ones.
    """
    if one.subject != other.subject and one.subject & other.subject:
        # “Never promise refunds” and “Never promise repairs” are as alike as paraphrases, and two rules
        return "none"
    same_turns = one.turns == other.turns
    if not binary:
        return "same" if same_turns else "none"
    if len(set(labels)) != 1 or len(set(others)) != 1:
        return "none"
    same_labels = set(labels) == set(others)
    if same_turns:
        return "same" if same_labels else "opposite"
    return "opposite" if same_labels and one.negated != other.negated else "none"


class Rules:
    """Rules to be found by what is like them, without comparing with each one."""

    def __init__(self) -> None:
        self.wordings: dict[str, RuleFeatures] = {}
        self._by_text: dict[str, str] = {}
        self._by_stem: dict[str, list[str]] = {}
        self._vectors: dict[str, Vector] = {}

    def add(self, name: str, wording: RuleFeatures, vector: Vector | None) -> None:
        """Take a rule in under a name."""
        self.wordings[name] = wording
        self._by_text[wording.text] = name
        for stem in wording.stems:
            self._by_stem.setdefault(stem, []).append(name)
        if vector is not None:
            self._vectors[name] = vector

    def remove(self, name: str) -> None:
        """Take a rule out."""
        wording = self.wordings.pop(name)
        self._by_text.pop(wording.text, None)
        self._vectors.pop(name, None)
        for stem in wording.stems:
            self._by_stem[stem].remove(name)

    def same(self, wording: RuleFeatures) -> str | None:
        """The rule with the same sentence."""
        return self._by_text.get(wording.text)

    def alike(self, wording: RuleFeatures, vector: Vector | None) -> list[str]:
        """Rules alike in words or in direction, most alike first."""
        shared = Counter(name for stem in wording.stems for name in self._by_stem.get(stem, ()))
        found: dict[str, float] = {}
        for name, count in shared.items():
            likeness = count / (len(wording.stems) + len(self.wordings[name].stems) - count)
            if likeness >= ALIKE_IN_WORDS and wording.subject == self.wordings[name].subject:
                found[name] = likeness
        if vector is not None and self._vectors:
            closeness = np.stack(list(self._vectors.values())) @ vector
            for name, close in zip(self._vectors, closeness.tolist(), strict=True):
                if close >= ALIKE_IN_DIRECTION:
                    found[name] = max(found.get(name, 0.0), close)
        return sorted(found, key=lambda name: (-found[name], name))
