"""The statistics of `local:/cases`: a regularised linear model over features, which can explain its predictions.

Logistic regression (scikit-learn) for categories, ridge regression for numbers. Classes are balanced, regularisation is
strong, features of named parts count a little less than those of the whole, and the vector of the output's text is a
weak voice among the features.

The numbers below were chosen by kappa on traces that were not learned, and are no sharp optimum. Measured again as
tests/bench/local_models.py does it, on BEGIN, FeedbackQA (UK), HaluQuestQA (complete) and SQuALITY (overall), after 50
and 100 cases, three splits each, up to 150 traces a split, the mean kappa is 0.41; each constant says what others give.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memalign.models.local.features import WHOLE, Feature, Features
from memalign.records import Label

MIN_CASES_TO_FIT = 6
"""Below it the majority of the labels is at least as good; tests/bench/local_models.py measures from 8 on."""
_LOGISTIC_STRENGTH = 0.05
"""C of scikit-learn's LogisticRegression: inverse of the regularisation, whose default is 1.

Kappa 0.38 at 0.0125, 0.42 at 0.1, 0.44 at 0.2.
"""
_RIDGE_PENALTY = 20.0
"""Added to the diagonal of the normal equations. Set by hand: the sets above have no numeric labels."""
_PART_SCALE = 0.7
"""Scale of the features of named parts; those of the whole have 1. Kappa 0.41 at 0.35, 0.42 at 1."""
_VECTOR_SCALE = 0.2
"""Scale of the vector's numbers, once these have about unit variance.

Kappa 0.40 without the vector, 0.44 at 0.4, owing to SQuALITY and HaluQuestQA: BEGIN and FeedbackQA lose 0.02.
"""
_MAX_DEVIATIONS = 3.0
"""In standard deviations: one outlier must not decide alone. Kappa 0.42 at 1.5, 0.41 at 6 and without a limit."""
_CLOSE_CALL = 0.2
"""Difference of the two best scores below which a choice is called close; set by hand, and words only."""
_MAX_NAMED_CASES = 3

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A labelled case to fit to."""

    trace_id: str
    label: Label
    weight: float
    """1 when all who labelled it agreed, less when some were outvoted."""
    features: Features


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """The part of one feature in a prediction."""

    feature: Feature
    support: float
    """Above 0 where it spoke for the value, below 0 where it spoke against."""
    much: bool
    """True if the trace has more of it than the cases have on average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A value, and what spoke for it."""

    value: Label
    close: bool
    """True when another value was almost as likely."""
    contributions: tuple[Contribution, ...]
    """Strongest support first."""
    wording: float
    """Support of the output's vector: of its topic and wording."""
    trace_ids: tuple[str, ...]
    """Cases that weighed most for the value, heaviest first; at most three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureScale:
    """Standardisation of features, fitted to cases: shapes are (features,), and (dimension,) for the vector."""

    features: tuple[Feature, ...]
    centre: Array
    spread: Array
    vector_centre: Array

    def row(self, features: Features) -> Array:
        """Standardise a trace's features.

        Args:
            features: The trace's; one that it does not have counts as average.

        Returns:
            Comparable numbers, of shape (features + dimension,).
        """
        values = np.array(
            [features.values.get(feature, np.nan) for feature in self.features], dtype=np.float64
        )
        standard = np.nan_to_num((values - self.centre) / self.spread, nan=0.0, posinf=0.0, neginf=0.0)
        parts = np.array([1.0 if _whole(feature) else _PART_SCALE for feature in self.features])
        vector = (features.vector - self.vector_centre) * np.sqrt(len(features.vector)) * _VECTOR_SCALE
        return np.concatenate([np.clip(standard, -_MAX_DEVIATIONS, _MAX_DEVIATIONS) * parts, vector])


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearModel:
    """A model fitted to cases: one direction for each class, or a single one for numbers."""

    cases: tuple[Case, ...]
    choices: tuple[Label, ...]
    scale: FeatureScale
    rows: Array
    """Shape (cases, features + dimension)."""
    coefficients: Array
    """Shape (classes, features + dimension); one row when the labels are numbers."""
    offsets: Array
    """Shape (classes,)."""
    pulls: Array
    """Shape (cases, classes): weighted residual, the pull of each case towards each class."""
    numeric: bool

    def predict(self, features: Features) -> Prediction:
        """Predict a value, and take the prediction apart into what each feature and each case added to it.

        Args:
            features: The trace's.

        Returns:
            The prediction.
        """
        row = self.scale.row(features)
        value, towards, close = self._number(row) if self.numeric else self._choice(row)
        added = (towards @ self.coefficients) * row
        count = len(self.scale.features)
        contributions = [
            Contribution(feature=feature, support=float(support), much=bool(height > 0))
            for feature, support, height in zip(self.scale.features, added[:count], row[:count], strict=True)
        ]
        return Prediction(
            value=value,
            close=close,
            contributions=tuple(sorted(contributions, key=lambda each: -each.support)),
            wording=float(added[count:].sum()),
            trace_ids=self._decisive(row, towards, value),
        )

    def _choice(self, row: Array) -> tuple[Label, Array, bool]:
        scores = self.coefficients @ row + self.offsets
        first, second = np.argsort(-scores, kind="stable")[:2]
        towards = np.zeros(len(scores))
        towards[first], towards[second] = 1.0, -1.0
        return self.choices[first], towards, bool(scores[first] - scores[second] < _CLOSE_CALL)

    def _number(self, row: Array) -> tuple[Label, Array, bool]:
        lean = float(self.coefficients[0] @ row)
        levels = np.array(self.choices, dtype=np.float64)
        distances = np.abs(levels - (lean + self.offsets[0]))
        value = self.choices[int(np.argmin(distances))]
        return value, np.array([1.0 if lean >= 0 else -1.0]), False

    def _decisive(self, row: Array, towards: Array, value: Label) -> tuple[str, ...]:
        weights = (self.pulls @ towards) * (self.rows @ row)
        order = np.argsort(-weights, kind="stable")
        agreeing = [place for place in order if weights[place] > 0 and self.cases[place].label == value]
        return tuple(self.cases[place].trace_id for place in agreeing[:_MAX_NAMED_CASES])


def fit(cases: Sequence[Case], *, numeric: bool) -> LinearModel:
    """Fit a model to cases; blocks for some milliseconds, and for a second where scikit-learn is imported first.

    Args:
        cases: At least two, with at least two different labels.
        numeric: Whether labels are numbers to be ordered, not classes.

    Returns:
        The model.
    """
    scale = _scale(cases)
    rows = np.stack([scale.row(case.features) for case in cases])
    choices = tuple(dict.fromkeys(case.label for case in cases))
    solve = _ridge if numeric else _logistic
    coefficients, offsets, pulls = solve(rows, cases, choices)
    return LinearModel(
        cases=tuple(cases),
        choices=choices,
        scale=scale,
        rows=rows,
        coefficients=coefficients,
        offsets=offsets,
        pulls=pulls,
        numeric=numeric,
    )


def _whole(feature: Feature) -> bool:
    return feature.input_part == feature.output_part == WHOLE


def _scale(cases: Sequence[Case]) -> FeatureScale:
    counts = Counter(feature for case in cases for feature in case.features.values)
    features = tuple(sorted(feature for feature, count in counts.items() if count > 1))
    values = np.array([[case.features.values.get(feature, np.nan) for feature in features] for case in cases])
    values = values.reshape(len(cases), len(features))
    spread = np.nanstd(values, axis=0)
    return FeatureScale(
        features=features,
        centre=np.nanmean(values, axis=0),
        # A feature that never varies among the cases says nothing.
        spread=np.where(spread > 1e-9, spread, np.inf),
        vector_centre=np.mean([case.features.vector for case in cases], axis=0, dtype=np.float64),
    )


def _logistic(rows: Array, cases: Sequence[Case], choices: Sequence[Label]) -> tuple[Array, Array, Array]:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  (a second that only a fit should cost)

    classes = np.array([choices.index(case.label) for case in cases])
    sizes = np.bincount(classes)
    weights = np.array([case.weight for case in cases]) * len(cases) / (len(sizes) * sizes[classes])
    model = LogisticRegression(C=_LOGISTIC_STRENGTH, max_iter=2000).fit(rows, classes, sample_weight=weights)
    coefficients, offsets = model.coef_, model.intercept_
    if len(choices) == 2:
        coefficients, offsets = np.vstack([-coefficients, coefficients]), np.append(-offsets, offsets)
    residuals = np.eye(len(choices))[classes] - model.predict_proba(rows)
    return coefficients, offsets, residuals * weights[:, None]


def _ridge(rows: Array, cases: Sequence[Case], choices: Sequence[Label]) -> tuple[Array, Array, Array]:
    del choices
    labels = np.array([float(case.label) for case in cases])
    weights = np.array([case.weight for case in cases])
    mean = float(np.average(labels, weights=weights))
    weighted = rows * weights[:, None]
    penalty = _RIDGE_PENALTY * np.eye(rows.shape[1])
    coefficients = np.linalg.solve(rows.T @ weighted + penalty, weighted.T @ (labels - mean))
    residuals = labels - mean - rows @ coefficients
    return coefficients[None, :], np.array([mean]), (residuals * weights)[:, None]
