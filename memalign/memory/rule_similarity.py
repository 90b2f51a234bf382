"""Similar rules, and the relation between two of them: the same, opposite, or unrelated.

Wording and vectors only propose: a rule and its opposite are as similar as two paraphrases, and so are rules on two
things. What decides is whether both speak of the same things, on which labels they rest, and whether one of them
holds a negation or a number that the other does not.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

from memalign.memory.text_features import negations_and_numbers, normal, stems, subject
from memalign.ports import Vector
from memalign.records import Label

Relation = Literal["same", "opposite", "unrelated"]

MIN_STEM_OVERLAP = 0.6
"""Jaccard index of two rules' stems from which on they are compared.

Set by hand, on the careful side. Measured by tests/bench/quality.py (`wordings`: guidelines kept in one round for a
rule that is worded five ways): 1.5 at 0.3, 1.7 at 0.5, 1.9 at 0.6 to 0.8, 2.0 where words never count. After 20 more,
and for the accuracy there and in `reversal`, it makes no difference.
"""
MIN_RULE_COSINE = 0.9
"""Cosine of two rules' vectors from which on they are compared.

Set by hand, on the careful side. The same measurement: 1.5 at 0.6, 1.6 at 0.7, 1.8 at 0.8, 1.9 from 0.9 on.
"""
MIN_SUBJECT_OVERLAP = 0.3
"""Jaccard index of what two rules are about from which on a model is believed that they say the opposite. Set by hand:
a rule that names the things of several others reaches it with none of them."""
MIN_SAME_COSINE = 0.68
"""Cosine of two rules' vectors from which on a model is believed that they say the same in other words.

Set by hand for local:/wordllama: of 300 pairs of unrelated rules 1 % are above 0.60.
"""


@dataclass(frozen=True, slots=True)
class RuleFeatures:
    """The parts of a rule's wording that are compared."""

    text: str
    """Normalised."""
    stems: frozenset[str]
    negations_and_numbers: frozenset[str]
    subject: frozenset[str]
    """Stems that tell what the rule is about."""

    @classmethod
    def of(cls, text: str) -> "RuleFeatures":
        """Extract the features of a rule.

        Args:
            text: The rule.

        Returns:
            Its features.
        """
        return cls(normal(text), stems(text), negations_and_numbers(text), subject(text))

    @property
    def negated(self) -> bool:
        """True if there is a negation in the rule."""
        return "not" in self.negations_and_numbers


def relation(
    rule: RuleFeatures,
    labels: Collection[Label],
    other: RuleFeatures,
    other_labels: Collection[Label],
    *,
    binary: bool,
) -> Relation:
    """Compare two similar rules.

    Args:
        rule: Features of the one rule.
        labels: Labels of the cases it rests on.
        other: Features of the other rule.
        other_labels: Labels of the cases the other one rests on.
        binary: Whether there are two labels only, so that different labels are opposite ones.

    Returns:
        How the two stand to each other.
    """
    if rule.subject != other.subject and rule.subject & other.subject:
        # “Never promise refunds” and “Never promise repairs” are as similar as paraphrases, and two rules
        return "unrelated"
    same_turn = rule.negations_and_numbers == other.negations_and_numbers
    if not binary:
        return "same" if same_turn else "unrelated"
    if len(set(labels)) != 1 or len(set(other_labels)) != 1:
        return "unrelated"
    same_label = set(labels) == set(other_labels)
    if same_turn:
        return "same" if same_label else "opposite"
    return "opposite" if same_label and rule.negated != other.negated else "unrelated"


def confirms_same(
    rule: RuleFeatures,
    labels: Collection[Label],
    other: RuleFeatures,
    other_labels: Collection[Label],
    *,
    cosine: float | None,
    binary: bool,
) -> bool:
    """Check a model's word that two rules say the same.

    Args:
        rule: Features of the one rule.
        labels: Labels of the cases it rests on.
        other: Features of the other rule.
        other_labels: Labels of the cases the other one rests on.
        cosine: Cosine of their vectors; None where one is not known.
        binary: Whether there are two labels only.

    Returns:
        True if both speak of the same things, or are similar enough where they share no word, and neither their labels
        nor a negation or a number in one of them say otherwise.
    """
    if relation(rule, labels, other, other_labels, binary=binary) != "same":
        return False
    categories = {label for label in (*labels, *other_labels) if isinstance(label, str)}
    if categories and set(labels).isdisjoint(other_labels):
        return False
    same_subject = bool(rule.subject) and rule.subject == other.subject
    return same_subject or (cosine is not None and cosine >= MIN_SAME_COSINE)


def confirms_opposite(
    rule: RuleFeatures, labels: Collection[Label], other: RuleFeatures, other_labels: Collection[Label]
) -> bool:
    """Check a model's word that two rules say the opposite.

    Args:
        rule: Features of the one rule.
        labels: Labels of the cases it rests on.
        other: Features of the other rule.
        other_labels: Labels of the cases the other one rests on.

    Returns:
        True if they speak of much the same things, and their labels, a negation or a number part them.
    """
    shared, subjects = rule.subject & other.subject, rule.subject | other.subject
    if len(shared) < MIN_SUBJECT_OVERLAP * len(subjects):
        return False
    return set(labels) != set(other_labels) or rule.negations_and_numbers != other.negations_and_numbers


class RuleIndex:
    """Finds similar rules without comparing with each one."""

    def __init__(self) -> None:
        self.features: dict[str, RuleFeatures] = {}
        """By guideline id."""
        self._by_text: dict[str, str] = {}
        self._by_stem: dict[str, list[str]] = {}
        self._vectors: dict[str, Vector] = {}

    def add(self, rule_id: str, features: RuleFeatures, vector: Vector | None) -> None:
        """Add a rule.

        Args:
            rule_id: Its guideline id.
            features: Its features.
            vector: Its vector, of shape (dimension,) and length 1; None where it is not known.
        """
        self.features[rule_id] = features
        self._by_text[features.text] = rule_id
        for stem in features.stems:
            self._by_stem.setdefault(stem, []).append(rule_id)
        if vector is not None:
            self._vectors[rule_id] = vector

    def remove(self, rule_id: str) -> None:
        """Remove a rule.

        Args:
            rule_id: Id of a rule in the index.

        Raises:
            KeyError: If there is no such rule.
        """
        features = self.features.pop(rule_id)
        self._by_text.pop(features.text, None)
        self._vectors.pop(rule_id, None)
        for stem in features.stems:
            self._by_stem[stem].remove(rule_id)

    def with_same_text(self, features: RuleFeatures) -> str | None:
        """Find the rule with the same sentence.

        Args:
            features: Features of the rule to compare with.

        Returns:
            The id of the rule, or None.
        """
        return self._by_text.get(features.text)

    def similar(self, features: RuleFeatures, vector: Vector | None) -> list[str]:
        """Find rules similar in words or in direction.

        Args:
            features: Features of the rule to compare with.
            vector: Its vector; None where it is not known, so that only words are compared.

        Returns:
            Ids of rules, most similar first.
        """
        scores = self._scores_by_words(features)
        if vector is not None and self._vectors:
            cosines = np.stack(list(self._vectors.values())) @ vector
            for rule_id, cosine in zip(self._vectors, cosines.tolist(), strict=True):
                if cosine >= MIN_RULE_COSINE:
                    scores[rule_id] = max(scores.get(rule_id, 0.0), cosine)
        return sorted(scores, key=lambda rule_id: (-scores[rule_id], rule_id))

    def _scores_by_words(self, features: RuleFeatures) -> dict[str, float]:
        shared = Counter(rule_id for stem in features.stems for rule_id in self._by_stem.get(stem, ()))
        scores: dict[str, float] = {}
        for rule_id, count in shared.items():
            other = self.features[rule_id]
            overlap = count / (len(features.stems) + len(other.stems) - count)
            if overlap >= MIN_STEM_OVERLAP and features.subject == other.subject:
                scores[rule_id] = overlap
        return scores
