"""The shape of the table of pairs."""

from collections import Counter

import pytest

from memalign.rule_refusal import refusal_of
from tests.rule_pairs.table import RulePair, meaning_of, relation_between, rule_pairs

SENTENCES = [text for pair in rule_pairs() for text in (pair.first, pair.second)]


def test_it_has_200_pairs_in_three_languages() -> None:
    assert Counter(pair.language for pair in rule_pairs()) == {"en": 100, "de": 50, "fr": 50}


def test_each_relation_is_there_in_each_language() -> None:
    assert Counter(pair.relation for pair in rule_pairs()) == {
        "same": 60,
        "opposite": 60,
        "narrower": 40,
        "different": 40,
    }
    assert len({(pair.language, pair.relation) for pair in rule_pairs()}) == 3 * 4


def test_no_sentence_is_there_twice() -> None:
    assert [text for text, count in Counter(SENTENCES).items() if count > 1] == []


def test_labels_alone_do_not_tell_opposites_from_paraphrases() -> None:
    same_labels = Counter(pair.relation for pair in rule_pairs() if pair.first_label == pair.second_label)

    assert same_labels["same"] == 60, "where the cases split by label, nothing is united"
    assert same_labels["opposite"] >= 40


@pytest.mark.parametrize("text", SENTENCES)
def test_each_sentence_may_become_a_guideline(text: str) -> None:
    assert refusal_of(text) is None
    assert text == text.strip()
    assert len(text.split()) <= 25


def test_a_relation_is_found_in_either_order() -> None:
    for pair in rule_pairs():
        assert relation_between(pair.first, pair.second) == pair.relation
        assert relation_between(pair.second, pair.first) == pair.relation
    one, another = rule_pairs()[:2]
    assert relation_between(one.first, another.first) == "different"
    assert relation_between(one.first, one.first) == "same"


def test_two_sentences_have_one_meaning_where_they_say_the_same() -> None:
    for pair in rule_pairs():
        assert (meaning_of(pair.first) == meaning_of(pair.second)) == (pair.relation == "same")
    assert meaning_of("Somebody else's rule.") is None


def test_a_reversed_pair_keeps_each_label_with_its_sentence() -> None:
    pair = RulePair(
        language="en", relation="opposite", first="a", first_label=True, second="b", second_label=False
    )

    assert (pair.reversed.first, pair.reversed.first_label) == ("b", False)
    assert pair.reversed.reversed == pair
