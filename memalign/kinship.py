"""Which rules could say the same as another one, and whether they do: the same, the opposite, or neither.

Wording and vectors only propose: a rule and its opposite are as alike as two paraphrases. What decides is on
which labels the rules rest, and whether one of them holds a negation or a number that the other does not.
"""

from collections import Counter
from collections.abc import Collection
from typing import Literal

import numpy as np

from memalign.ports import Vectors
from memalign.records import Label
from memalign.wording import normal, stems, turns

Kinship = Literal["same", "opposite", "none"]

ALIKE_IN_WORDS = 0.6
ALIKE_IN_DIRECTION = 0.9


def kinship(
    one: tuple[str, Collection[Label]],
    other: tuple[str, Collection[Label]],
    *,
    binary: bool,
) -> Kinship:
    """Compare two rules that are alike, each given as its text and the labels it rests on.

    `binary`: there are two labels only, so that different labels are opposite ones.
    """
    same_turns = turns(one[0]) == turns(other[0])
    labels, others = set(one[1]), set(other[1])
    if not binary:
        return "same" if same_turns else "none"
    if len(labels) != 1 or len(others) != 1:
        return "none"
    if same_turns:
        return "same" if labels == others else "opposite"
    return "opposite" if labels == others and _negated(one[0]) != _negated(other[0]) else "none"


class Rules:
    """Rules to be found by what is like them, without comparing with each one."""

    def __init__(self) -> None:
        self._by_text: dict[str, str] = {}
        self._by_stem: dict[str, list[str]] = {}
        self._stems: dict[str, int] = {}
        self._vectors: dict[str, Vectors] = {}

    def add(self, name: str, text: str, vector: Vectors | None) -> None:
        """Take a rule in under a name."""
        self._by_text[normal(text)] = name
        own = stems(text)
        self._stems[name] = len(own)
        for stem in own:
            self._by_stem.setdefault(stem, []).append(name)
        if vector is not None:
            self._vectors[name] = vector

    def same(self, text: str) -> str | None:
        """The rule with the same sentence."""
        return self._by_text.get(normal(text))

    def alike(self, text: str, vector: Vectors | None) -> list[str]:
        """Rules alike in words or in direction, most alike first."""
        own = stems(text)
        shared = Counter(name for stem in own for name in self._by_stem.get(stem, ()))
        likeness = {
            name: count / (len(own) + self._stems[name] - count)
            for name, count in shared.items()
            if count >= ALIKE_IN_WORDS * max(len(own), self._stems[name])
        }
        found = {name: share for name, share in likeness.items() if share >= ALIKE_IN_WORDS}
        if vector is not None and self._vectors:
            closeness = np.stack(list(self._vectors.values())) @ vector
            for name, close in zip(self._vectors, closeness.tolist(), strict=True):
                if close >= ALIKE_IN_DIRECTION:
                    found[name] = max(found.get(name, 0.0), close)
        return sorted(found, key=lambda name: (-found[name], name))


def _negated(text: str) -> bool:
    return "not" in turns(text)
