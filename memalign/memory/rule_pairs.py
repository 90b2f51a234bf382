"""Pairs of rules: the two whose vectors lie close together, and whether the cases they rest on split them.

Vectors only propose: a rule and its opposite lie as close together as two paraphrases. Whether two rules say the same
is a model's answer; code unites equal sentences only.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from memalign.ports import Vector
from memalign.records import Guideline, Label

MIN_PAIR_COSINE = 0.5
"""Cosine of two rules' vectors above which a model is asked about them, or believed.

Set by hand. In tests/rule_pairs with `local:/wordllama`, whose vectors know little of paraphrases, 27 of the 60 pairs
that say the same are above it, and fewer than 1 % of all pairs of guidelines.
"""
MAX_PAIRS = 40
"""Pairs that a model is asked about at once. Set by hand: some 3,000 tokens."""
MAX_NEIGHBOURS = 20
"""Nearest ones of a rule that are proposed. Set by hand: what follows them says another thing."""
_BLOCK_ROWS = 256
"""Rules that are compared with all others at once, so that thousands of them take some megabytes only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePair:
    """Two guidelines that may say the same."""

    first: Guideline
    """The one whose id comes first."""
    second: Guideline

    @classmethod
    def of(cls, rule: Guideline, other: Guideline) -> "RulePair":
        """Make the pair of two guidelines.

        Args:
            rule: The one.
            other: The other one.

        Returns:
            The pair, the same whichever comes first.
        """
        first, second = sorted((rule, other), key=lambda each: each.id)
        return cls(first=first, second=second)

    @property
    def key(self) -> tuple[str, str]:
        """The ids of both."""
        return self.first.id, self.second.id

    @property
    def texts_hash(self) -> str:
        """Name of the two texts, in whatever order: 32 hexadecimal digits."""
        texts = json.dumps(sorted((self.first.text, self.second.text)))
        return hashlib.sha256(texts.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    @property
    def was_compared(self) -> bool:
        """True if a model was asked about these two texts."""
        texts_hash = self.texts_hash
        return any(
            (each.guideline_id, each.texts_hash) == (self.second.id, texts_hash)
            for each in self.first.compared
        )


def are_split(labels: Collection[Label], others: Collection[Label], *, binary: bool) -> bool:
    """Tell whether the cases of two rules split by label, so that the two cannot say the same.

    Args:
        labels: Labels of the cases that one rule rests on.
        others: Those of the other one.
        binary: Whether there are two labels only, so that different ones are opposites.

    Returns:
        True if a binary judge's labels are not the same for both, or if two sets of categories have none in common.
        Numbers split no rules: one fault may cost more on one case than on another.
    """
    if binary:
        return set(labels) != set(others)
    is_named = any(isinstance(label, str) for label in (*labels, *others))
    return is_named and set(labels).isdisjoint(others)


def is_open_pair(pair: RulePair, *, binary: bool) -> bool:
    """Tell whether a model may be asked about a pair.

    Args:
        pair: Of guidelines that stand.
        binary: Whether the judge has two labels only.

    Returns:
        True unless it was asked before, their cases split by label, they are known as opposites, or people have decided
        on both.
    """
    first, second = pair.first, pair.second
    if second.id in first.conflicts_with or (first.is_decided_on and second.is_decided_on):
        return False
    if pair.was_compared:
        return False
    has_cases = bool(first.labels and second.labels)
    return not (has_cases and are_split(first.labels, second.labels, binary=binary))


def near_pairs(
    rules: Sequence[Guideline], vectors: Mapping[str, Vector], *, binary: bool
) -> tuple[RulePair, ...]:
    """Propose pairs of rules that a model has not been asked about.

    Args:
        rules: Guidelines that stand.
        vectors: By guideline id, of length 1; guidelines without one are passed over.
        binary: Whether the judge has two labels only.

    Returns:
        At most `MAX_PAIRS`, whose cases do not split by label: first each rule with its nearest one, the nearest
        pair first, then each with its second nearest, and so on.
    """
    known = [rule for rule in rules if rule.id in vectors]
    if len(known) < 2:
        return ()
    pairs: dict[tuple[str, str], RulePair] = {}
    for place, other in _by_rank(known, vectors):
        pair = RulePair.of(known[place], known[other])
        if pair.key not in pairs and is_open_pair(pair, binary=binary):
            pairs[pair.key] = pair
            if len(pairs) == MAX_PAIRS:
                break
    return tuple(pairs.values())


def _by_rank(rules: Sequence[Guideline], vectors: Mapping[str, Vector]) -> list[tuple[int, int]]:
    """Return the places of near rules by rank among the neighbours of one of them, the nearest of a rank first."""
    rows = np.stack([vectors[rule.id] for rule in rules])
    count = min(MAX_NEIGHBOURS, len(rules) - 1)
    ordered: list[tuple[int, float, int, int]] = []
    for start in range(0, len(rules), _BLOCK_ROWS):
        cosines = rows[start : start + _BLOCK_ROWS] @ rows.T
        places = np.arange(len(cosines))
        cosines[places, places + start] = -1
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
        for rank, place in np.argwhere(np.take_along_axis(cosines, nearest, axis=1) > MIN_PAIR_COSINE)[
            :, ::-1
        ]:
            other = int(nearest[place, rank])
            ordered.append((int(rank), -float(cosines[place, other]), int(place) + start, other))
    return [(place, other) for _, _, place, other in sorted(ordered)]
