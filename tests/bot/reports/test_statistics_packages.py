"""The digest's figures are those that scikit-learn, statsmodels, SciPy, irrCAC and krippendorff compute.

irrCAC pins an old SciPy, so that it is installed by `make test-statistics` alone; elsewhere its tests are skipped, and
`test_agreement.py` holds some of its figures.
"""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score
from sklearn.metrics import mean_absolute_error as sklearn_mean_absolute_error

from bot.reports.agreement import cohen_kappa, gwet_ac1, wilson_interval
from bot.reports.kappa_interval import kappa_standard_error
from bot.reports.score_agreement import mean_absolute_error, weighted_kappa
from bot.reports.single_votes import compare_single_votes

LABELS = ["good", "fair", "bad", "unnamed", "other"]
pairs_of_labels = st.integers(2, 5).flatmap(
    lambda number: st.lists(
        st.tuples(st.sampled_from(LABELS[:number]), st.sampled_from(LABELS[:number])), min_size=2, max_size=60
    )
)
pairs_of_scores = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=60)


def split(pairs: Sequence[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    return [first for first, _ in pairs], [second for _, second in pairs]


@given(pairs_of_labels)
def test_kappa_is_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    kappa = cohen_kappa(pairs)
    assume(kappa is not None)
    assert kappa == pytest.approx(cohen_kappa_score(*split(pairs)), abs=1e-12)


@given(pairs_of_scores)
def test_kappa_of_numbers_is_scikit_learns_with_quadratic_weights(pairs: list[tuple[int, int]]) -> None:
    kappa = weighted_kappa(pairs)
    assume(kappa is not None)
    expected = cohen_kappa_score(*split(pairs), weights="quadratic", labels=[1, 2, 3, 4, 5])
    assert kappa == pytest.approx(expected, abs=1e-12)


@given(pairs_of_scores)
def test_the_mean_distance_of_numbers_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    assert mean_absolute_error(pairs) == pytest.approx(sklearn_mean_absolute_error(*split(pairs)))


@given(st.integers(1, 5000), st.data())
def test_the_interval_is_scipys(n: int, data: st.DataObject) -> None:
    agreed = data.draw(st.integers(0, n))
    oracle = binomtest(agreed, n).proportion_ci(method="wilson")
    assert wilson_interval(agreed, n) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


@given(st.integers(1, 5000), st.data())
@settings(deadline=None)
def test_the_interval_is_statsmodels(n: int, data: st.DataObject) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    agreed = data.draw(st.integers(0, n))
    expected = proportion.proportion_confint(agreed, n, method="wilson")
    assert wilson_interval(agreed, n) == pytest.approx(expected, abs=1e-12)


# statsmodels divides by a standard error of 0
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:divide by zero encountered:RuntimeWarning")
@given(pairs_of_labels)
@settings(deadline=None)
def test_the_standard_error_of_kappa_is_statsmodels(pairs: list[tuple[str, str]]) -> None:
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    error = kappa_standard_error(pairs)
    assume(error is not None)
    counts = Counter(pairs)
    table = np.array([[counts[first, second] for second in LABELS] for first in LABELS])
    result = inter_rater.cohens_kappa(table)
    assert cohen_kappa(pairs) == pytest.approx(result.kappa, abs=1e-12)
    assert error == pytest.approx(np.sqrt(max(result.var_kappa, 0.0)), abs=1e-7)


@given(pairs_of_labels, st.integers(2, 5))
@settings(deadline=None, max_examples=60)
def test_ac1_is_irrcacs_with_the_labels_that_could_be_given(
    pairs: list[tuple[str, str]], number: int
) -> None:
    raw = pytest.importorskip("irrCAC.raw")
    pandas = pytest.importorskip("pandas")
    declared = [*LABELS[:number], *({label for pair in pairs for label in pair} - {*LABELS[:number]})]
    ac1 = gwet_ac1(pairs, len(declared))
    assume(ac1 is not None)
    ratings = pandas.DataFrame(pairs, columns=["judge", "people"])
    oracle = raw.CAC(ratings, categories=sorted(declared)).gwet()
    assert ac1 == pytest.approx(oracle["est"]["coefficient_value"], abs=1e-5)  # irrCAC rounds to five digits


@pytest.mark.parametrize("seed", range(20))
def test_the_agreement_of_people_is_that_in_krippendorffs_alpha(seed: int) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    chance = random.Random(seed)
    people, classes = chance.randint(2, 5), chance.randint(2, 4)
    verdicts = [[chance.randrange(classes) for _ in range(people)] for _ in range(chance.randint(10, 40))]
    votes = compare_single_votes([(0, labels) for labels in verdicts])
    assert votes is not None
    alpha = krippendorff.alpha(
        reliability_data=np.array(verdicts).T,
        level_of_measurement="nominal",
        value_domain=list(range(classes)),
    )
    totals = Counter(label for labels in verdicts for label in labels)
    number = totals.total()
    by_chance = 1 - sum(count * (count - 1) for count in totals.values()) / (number * (number - 1))
    observed = votes.among_people.agreed / votes.among_people.n
    assert 1 - (1 - observed) / by_chance == pytest.approx(alpha)


# statsmodels divides by a standard error of 0
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:divide by zero encountered:RuntimeWarning")
@given(pairs_of_scores)
@settings(deadline=None)
def test_the_standard_error_of_weighted_kappa_is_statsmodels(pairs: list[tuple[int, int]]) -> None:
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    error = kappa_standard_error(pairs, lambda first, second: 1 - (first - second) ** 2 / 16)
    assume(error is not None)
    counts = Counter(pairs)
    table = np.array([[counts[first, second] for second in range(1, 6)] for first in range(1, 6)])
    result = inter_rater.cohens_kappa(table, wt="fc")
    assert error == pytest.approx(np.sqrt(max(result.var_kappa, 0.0)), abs=1e-7)
