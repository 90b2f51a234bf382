"""The score on answers made by hand."""

from tests.rule_pairs.scoring import merge_score
from tests.rule_pairs.table import Relation, RulePair


def a_pair(relation: Relation, number: int = 0) -> RulePair:
    return RulePair(
        language="en",
        relation=relation,
        first=f"{relation} {number}",
        first_label=False,
        second=f"{relation} {number} again",
        second_label=False,
    )


SAME = [a_pair("same", number) for number in range(4)]
OTHERS = [a_pair("opposite"), a_pair("narrower"), a_pair("different")]


def test_uniting_what_is_the_same_and_nothing_else_is_perfect() -> None:
    score = merge_score([*SAME, *OTHERS], lambda pair: pair.relation == "same")

    assert (score.precision, score.recall) == (1, 1)
    assert (score.wrong, score.missed) == ((), ())


def test_a_union_of_anything_but_the_same_costs_precision() -> None:
    for other in OTHERS:
        score = merge_score([*SAME, *OTHERS], lambda pair, other=other: pair in (*SAME, other))  # type: ignore[misc]

        assert (score.precision, score.recall) == (4 / 5, 1)
        assert score.wrong == (other,)


def test_what_is_the_same_and_left_apart_costs_recall() -> None:
    score = merge_score([*SAME, *OTHERS], lambda pair: pair == SAME[0])

    assert (score.precision, score.recall) == (1, 1 / 4)
    assert score.missed == tuple(SAME[1:])


def test_both_are_lost_together_where_both_kinds_of_error_are_made() -> None:
    score = merge_score([*SAME, *OTHERS], lambda pair: pair in (SAME[0], OTHERS[0], OTHERS[1]))

    assert (score.precision, score.recall) == (1 / 3, 1 / 4)


def test_the_precision_of_no_union_is_not_defined() -> None:
    score = merge_score([*SAME, *OTHERS], lambda _: False)

    assert (score.precision, score.recall) == (None, 0)


def test_the_recall_is_not_defined_where_no_pair_is_the_same() -> None:
    assert merge_score(OTHERS, lambda _: False).recall is None
