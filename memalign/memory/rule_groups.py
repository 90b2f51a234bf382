"""Groups of rules that each rest on one record and lie close together: their records may teach one rule."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from memalign.memory.rule_pairs import are_split, cosines_of
from memalign.ports import Matrix, Vector
from memalign.records import Guideline

MIN_GROUP_RULES = 3
MAX_GROUP_RULES = 10
"""Set by hand: what ten records teach together is read off them."""
MIN_GROUP_COSINE = 0.6
"""Cosine of a rule's vector with each other one of its group.

Set by hand, above that of a pair: in `local:/wordllama` the median of 200 pairs on one thing is 0.7, and most pairs on
two things are below it.
"""


def close_groups(
    rules: Sequence[Guideline], vectors: Mapping[str, Vector], *, binary: bool, limit: int
) -> tuple[tuple[Guideline, ...], ...]:
    """Find groups of close rules whose records were never distilled together.

    Args:
        rules: Guidelines.
        vectors: By guideline id, of length 1; guidelines without one are passed over.
        binary: Whether the judge has two labels only.
        limit: Most groups.

    Returns:
        The groups, each of 3 to 10 guidelines, largest first. Each guideline is in one of them at most.
    """
    open_rules = [rule for rule in rules if _is_open(rule) and rule.id in vectors]
    if len(open_rules) < MIN_GROUP_RULES:
        return ()
    cosines = cosines_of(open_rules, vectors)
    groups: list[tuple[Guideline, ...]] = []
    taken: set[int] = set()
    for seed in np.argsort(-(cosines > MIN_GROUP_COSINE).sum(axis=1), kind="stable").tolist():
        if seed in taken or len(groups) == limit:
            continue
        group = _group_of(seed, open_rules, cosines, taken, binary=binary)
        if len(group) >= MIN_GROUP_RULES:
            taken.update(group)
            groups.append(tuple(open_rules[place] for place in group))
    return tuple(groups)


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
