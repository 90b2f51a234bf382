"""Proposals: which guidelines a model is asked about."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from memalign.memory.rule_groups import close_groups
from memalign.memory.rule_pairs import MAX_PAIRS, RulePair, near_pairs
from memalign.ports import Vector
from memalign.records import Comparison, Guideline, Handling, Label
from tests.factories import a_guideline, a_source


def rule(name: str, label: Label = False) -> Guideline:
    return replace(a_guideline(f"Rule {name}.", a_source(f"tr-{name}"), guideline_id=name), labels=(label,))


def at(*degrees: float) -> list[Vector]:
    """Vectors at these angles."""
    return [
        np.array([np.cos(np.radians(each)), np.sin(np.radians(each))], dtype=np.float32) for each in degrees
    ]


def pairs_of(
    rules: Sequence[Guideline], degrees: Sequence[float], *, binary: bool = True
) -> list[tuple[str, str]]:
    vectors = dict(zip((each.id for each in rules), at(*degrees), strict=True))
    return [pair.key for pair in near_pairs(rules, vectors, binary=binary)]


def test_the_nearest_of_each_come_first_and_far_ones_not_at_all() -> None:
    rules = [rule(name) for name in "abcd"]

    assert pairs_of(rules, (0, 10, 25, 90)) == [("a", "b"), ("b", "c"), ("a", "c")]


def test_cases_that_split_by_label_and_rules_without_a_vector_are_passed_over() -> None:
    rules = [rule("a"), rule("b", True), rule("c")]

    assert pairs_of(rules, (0, 1, 2)) == [("a", "c")]
    assert pairs_of([rule("a", "poor"), rule("b", "good")], (0, 1), binary=False) == []
    assert pairs_of([rule("a", 1), rule("b", 2)], (0, 1), binary=False) == [("a", "b")]
    assert near_pairs(rules, {"a": at(0)[0]}, binary=True) == ()


def test_a_rule_that_rests_on_no_case_is_compared_whatever_the_label_of_the_other() -> None:
    added = replace(rule("a"), sources=(), labels=(), added_by=Handling(person="zoe"))

    assert pairs_of([added, rule("b", True)], (0, 1)) == [("a", "b")]


def test_known_opposites_and_two_rules_that_people_decided_on_are_passed_over() -> None:
    opposite = replace(rule("a"), conflicts_with=("b",))
    pinned = [replace(rule(name), pinned_by=Handling(person="zoe")) for name in "ab"]

    assert pairs_of([opposite, rule("b")], (0, 1)) == []
    assert pairs_of(pinned, (0, 1)) == []
    assert pairs_of([pinned[0], rule("b")], (0, 1)) == [("a", "b")]


def test_a_pair_is_proposed_again_only_once_one_of_its_texts_is_another() -> None:
    first, second = rule("a"), rule("b")
    texts_hash = RulePair.of(second, first).texts_hash
    compared = replace(
        first, compared=(Comparison(guideline_id="b", texts_hash=texts_hash, relation="different"),)
    )

    assert pairs_of([compared, second], (0, 1)) == []
    assert pairs_of([compared, replace(second, text="Edited.")], (0, 1)) == [("a", "b")]


def test_there_is_a_most_of_pairs_and_each_rule_has_its_nearest_among_them() -> None:
    rules = [rule(f"{number:03}") for number in range(60)]
    pairs = pairs_of(rules, [number / 10 for number in range(60)])

    assert len(pairs) == len(set(pairs)) == MAX_PAIRS
    assert len({name for pair in pairs for name in pair}) > MAX_PAIRS / 2


@pytest.mark.parametrize(
    "name", ["pinned", "merged", "two records", "opposed", "joined before", "out of use"]
)
def test_only_plain_rules_of_one_record_in_use_are_grouped(name: str) -> None:
    source = a_source("tr-other")
    changes: Mapping[str, Mapping[str, Any]] = {
        "pinned": {"pinned_by": Handling(person="zoe")},
        "merged": {"own_sources": (), "merged": ("x",)},
        "two records": {"sources": (source, a_source("tr-a"))},
        "opposed": {"contradicted": (source,)},
        "joined before": {"has_been_joined": True},
        "out of use": {"overruled": True},
    }
    rules = [rule(each) for each in "abc"]
    vectors = dict(zip("abc", at(0, 1, 2), strict=True))

    (group,) = close_groups(rules, vectors, {"a"}, binary=True, limit=1)
    changed = [replace(rules[0], **changes[name]), *rules[1:]]
    others = close_groups(changed, vectors, set("abc"), binary=True, limit=1)

    assert {each.id for each in group} == {"a", "b", "c"}
    assert others == ()


def test_a_group_holds_what_is_close_to_each_other_and_of_one_label() -> None:
    rules = [*(rule(name) for name in "abcd"), rule("e", True)]
    vectors = dict(zip("abcde", at(0, 20, 40, 75, 21), strict=True))

    (group,) = close_groups(rules, vectors, {"b"}, binary=True, limit=5)

    assert {each.id for each in group} in ({"a", "b", "c"}, {"b", "c", "d"})


def test_groups_far_from_all_new_rules_are_not_looked_for_again() -> None:
    rules = [rule(name) for name in "abcd"]
    vectors = dict(zip("abcd", at(0, 1, 2, 90), strict=True))

    assert close_groups(rules, vectors, {"d"}, binary=True, limit=5) == ()
    assert len(close_groups(rules, vectors, {"c"}, binary=True, limit=5)) == 1


def test_thousands_of_rules_are_compared_within_a_few_neighbours_of_each() -> None:
    rules = [rule(f"{number:04}") for number in range(2_000)]
    vectors = {each.id: at(number / 2_000)[0] for number, each in enumerate(rules)}

    assert len(near_pairs(rules, vectors, binary=True)) == MAX_PAIRS
    (group,) = close_groups(rules, vectors, {"0000"}, binary=True, limit=1)
    assert len(group) == 10
