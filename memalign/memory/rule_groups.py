"""Groups of rules that each rest on one record and lie close together: their records may teach one rule."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from memalign.memory.rule_pairs import are_split
from memalign.ports import Matrix, Vector
from memalign.records import Guideline

MIN_GROUP_RULES = 3
MAX_GROUP_RULES = 10
"""Set by hand: what ten records teach together is read off them."""
MIN_GROUP_COSINE = 0.6
"""Cosine of a rule's vector with each other one of its group.

Set by hand, above that of a pair: in tests/rule_pairs with `local:/wordllama` the median of two guidelines of which one
is a part of the other is 0.7.
"""
MAX_CANDIDATES = 400
"""Rules nearest to new ones among which groups are looked for. Set by hand, so that it takes milliseconds."""


def close_groups(
    rules: Sequence[Guideline],
    vectors: Mapping[str, Vector],
    new: Collection[str],
    *,
    binary: bool,
    limit: int,
) -> tuple[tuple[Guideline, ...], ...]:
    """Find groups of close rules whose records were never distilled together.

    Args:
        rules: Guidelines.
        vectors: By guideline id, of length 1; guidelines without one are passed over.
        new: Ids of guidelines that are new; each group is close to one of them.
        binary: Whether the judge has two labels only.
        limit: Most groups.

    Returns:
        The groups, each of 3 to 10 guidelines, largest first. Each guideline is in one of them at most.
    """
    near = _near_new([rule for rule in rules if _is_open(rule) and rule.id in vectors], vectors, new)
    if len(near) < MIN_GROUP_RULES:
        return ()
    rows = np.stack([vectors[rule.id] for rule in near])
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -1)
    groups: list[tuple[Guideline, ...]] = []
    taken: set[int] = set()
    for seed in np.argsort(-(cosines > MIN_GROUP_COSINE).sum(axis=1), kind="stable").tolist():
        if seed in taken or len(groups) == limit:
            continue
        group = _group_of(seed, near, cosines, taken, binary=binary)
        if len(group) >= MIN_GROUP_RULES:
            taken.update(group)
            groups.append(tuple(near[place] for place in group))
    return tuple(groups)


def _near_new(
    rules: Sequence[Guideline], vectors: Mapping[str, Vector], new: Collection[str]
) -> list[Guideline]:
    """Return new rules and those close to one of them, the closest ones where there are too many."""
    newest = [rule for rule in rules if rule.id in new][:MAX_CANDIDATES]
    if not newest:
        return []
    rows = np.stack([vectors[rule.id] for rule in rules])
    closest = (rows @ np.stack([vectors[rule.id] for rule in newest]).T).max(axis=1)
    places = np.argsort(-closest, kind="stable")[:MAX_CANDIDATES]
    return [rules[place] for place in places.tolist() if closest[place] > MIN_GROUP_COSINE]


def _group_of(
    seed: int, rules: Sequence[Guideline], cosines: Matrix, taken: Collection[int], *, binary: bool
) -> list[int]:
    """Return the places of a rule and of the nearest ones that are close to it and to each other."""
    group = [seed]
    for place in np.argsort(-cosines[seed], kind="stable").tolist():
        is_close = place not in taken and bool((cosines[place, group] > MIN_GROUP_COSINE).all())
        if is_close and not are_split(rules[place].labels, rules[seed].labels, binary=binary):
            group.append(place)
        if len(group) == MAX_GROUP_RULES:
            break
    return group


def _is_open(rule: Guideline) -> bool:
    is_plain = not (rule.is_decided_on or rule.merged or rule.conflicts_with or rule.contradicted)
    return rule.in_use and is_plain and len(rule.sources) == 1 and not rule.has_been_joined
