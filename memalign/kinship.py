"""Whether two rules say the same, the opposite, or neither.

Wording and vectors only propose: a rule and its opposite are as alike as two paraphrases. What decides is on
which labels the rules rest, and whether one of them holds a negation or a number that the other does not.
"""

from collections.abc import Collection
from typing import Literal

from memalign.ports import Vectors
from memalign.records import Label
from memalign.wording import likeness, normal, turns

Kinship = Literal["same", "opposite", "none"]

ALIKE_IN_WORDS = 0.6
ALIKE_IN_DIRECTION = 0.9


def kinship(
    one: tuple[str, Collection[Label]],
    other: tuple[str, Collection[Label]],
    *,
    closeness: float | None,
    binary: bool,
) -> Kinship:
    """Compare two rules, each given as its text and the labels it rests on.

    `closeness` is the cosine of their vectors, None when not known. `binary`: there are two labels only, so
    that different labels are opposite ones.
    """
    if normal(one[0]) == normal(other[0]):
        return "same"
    alike = likeness(one[0], other[0]) >= ALIKE_IN_WORDS
    if not alike and (closeness is None or closeness < ALIKE_IN_DIRECTION):
        return "none"
    same_turns = turns(one[0]) == turns(other[0])
    labels, others = set(one[1]), set(other[1])
    if not binary:
        return "same" if same_turns else "none"
    if len(labels) != 1 or len(others) != 1:
        return "none"
    if same_turns:
        return "same" if labels == others else "opposite"
    return "opposite" if labels == others and _negated(one[0]) != _negated(other[0]) else "none"


def closeness_of(one: Vectors | None, other: Vectors | None) -> float | None:
    """The cosine of two vectors of length 1, if both are known."""
    return None if one is None or other is None else float(one @ other)


def _negated(text: str) -> bool:
    return "not" in turns(text)
