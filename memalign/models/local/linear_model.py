"""The statistics of `local:/cases`: a regularised linear model over features, which can tell what swayed it.

Chosen by measurement (see tests/bench/local_models.py): balanced classes, strong regularisation, named
parts a little behind the whole, and the direction of the output's text as a weak voice among the features.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memalign.models.local.features import WHOLE, Feature, Features
from memalign.records import Label

FEWEST = 6
"""Cases needed for a fit; below it the majority of the labels is at least as good."""
_LOGISTIC_STRENGTH = 0.05
_RIDGE_PENALTY = 20.0
_PART_SCALE = 0.7
_VECTOR_SCALE = 0.2
_FARTHEST = 3.0
"""In standard deviations: one outlier must not decide alone."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A labelled case to fit to."""

    trace_id: str
    label: Label
    weight: float
    """1 when all who labelled it agreed, less when some were outvoted."""
    features: Features


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What one trait added to a response."""

    trait: Feature
    support: float
    """Above 0 where it spoke for the value, below 0 where it spoke against."""
    much: bool
    """Whether the trace has more of the trait than the cases have, or less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A value and what swayed the model towards it."""

    value: Label
    close: bool
    """True when another value was almost as likely."""
    reasons: tuple[Reason, ...]
    """Strongest support first."""
    wording: float
    """The support of what the output is about and how it is worded."""
    trace_ids: tuple[str, ...]
    """The cases that weighed most for the value, heaviest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Turns features into a row of comparable numbers."""

    traits: tuple[Feature, ...]
    centre: Matrix
    spread: Matrix
    vector_centre: Matrix

    def row(self, features: Features) -> Matrix:
        """Standardise; a trait that the trace does not have counts as average."""
        values = np.array([features.traits.get(trait, np.nan) for trait in self.traits], dtype=np.float64)
        standard = np.nan_to_num((values - self.centre) / self.spread, nan=0.0, posinf=0.0, neginf=0.0)
        parts = np.array([1.0 if _whole(trait) else _PART_SCALE for trait in self.traits])
        vector = (features.vector - self.vector_centre) * np.sqrt(len(features.vector)) * _VECTOR_SCALE
        return np.concatenate([np.clip(standard, -_FARTHEST, _FARTHEST) * parts, vector])


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A model fitted to cases: one direction a class, or a single one for numbers."""

    cases: tuple[Case, ...]
    choices: tuple[Label, ...]
    scale: Scale
    rows: Matrix
    coefficients: Matrix
    """One row a class; a single row when the labels are numbers."""
    offsets: Matrix
    pulls: Matrix
    """Cases by classes: how strongly each case pulls the model towards each class."""
    numeric: bool

    def answer(self, features: Features) -> Answer:
        """Decide, and take the response apart into what each trait and each case added to it."""
        row = self.scale.row(features)
        value, towards, close = self._number(row) if self.numeric else self._choice(row)
        added = (towards @ self.coefficients) * row
        count = len(self.scale.traits)
        reasons = [
            Reason(trait=trait, support=float(support), much=bool(height > 0))
            for trait, support, height in zip(self.scale.traits, added[:count], row[:count], strict=True)
        ]
        return Answer(
            value=value,
            close=close,
            reasons=tuple(sorted(reasons, key=lambda reason: -reason.support)),
            wording=float(added[count:].sum()),
            trace_ids=self._decisive(row, towards, value),
        )

    def _choice(self, row: Matrix) -> tuple[Label, Matrix, bool]:
        scores = self.coefficients @ row + self.offsets
        first, second = np.argsort(-scores, kind="stable")[:2]
        towards = np.zeros(len(scores))
        towards[first], towards[second] = 1.0, -1.0
        return self.choices[first], towards, bool(scores[first] - scores[second] < 0.2)

    def _number(self, row: Matrix) -> tuple[Label, Matrix, bool]:
        lean = float(self.coefficients[0] @ row)
        levels = np.array(self.choices, dtype=np.float64)
        distances = np.abs(levels - (lean + self.offsets[0]))
        value = self.choices[int(np.argmin(distances))]
        return value, np.array([1.0 if lean >= 0 else -1.0]), False

    def _decisive(self, row: Matrix, towards: Matrix, value: Label) -> tuple[str, ...]:
        weights = (self.pulls @ towards) * (self.rows @ row)
        order = np.argsort(-weights, kind="stable")
        agreeing = [place for place in order if weights[place] > 0 and self.cases[place].label == value]
        return tuple(self.cases[place].trace_id for place in agreeing[:3])


def fit(cases: Sequence[Case], *, numeric: bool) -> Fit:
    """Fit to at least two cases with at least two different labels; blocks for some milliseconds."""
    scale = _scale(cases)
    rows = np.stack([scale.row(case.features) for case in cases])
    choices = tuple(dict.fromkeys(case.label for case in cases))
    solve = _ridge if numeric else _logistic
    coefficients, offsets, pulls = solve(rows, cases, choices)
    return Fit(
        cases=tuple(cases),
        choices=choices,
        scale=scale,
        rows=rows,
        coefficients=coefficients,
        offsets=offsets,
        pulls=pulls,
        numeric=numeric,
    )


def _whole(trait: Feature) -> bool:
    return trait.given == trait.made == WHOLE


def _scale(cases: Sequence[Case]) -> Scale:
    counts = Counter(trait for case in cases for trait in case.features.traits)
    traits = tuple(sorted(trait for trait, count in counts.items() if count > 1))
    values = np.array([[case.features.traits.get(trait, np.nan) for trait in traits] for case in cases])
    values = values.reshape(len(cases), len(traits))
    spread = np.nanstd(values, axis=0)
    return Scale(
        traits=traits,
        centre=np.nanmean(values, axis=0),
        # A trait that never varies among the cases says nothing.
        spread=np.where(spread > 1e-9, spread, np.inf),
        vector_centre=np.mean([case.features.vector for case in cases], axis=0, dtype=np.float64),
    )


def _logistic(rows: Matrix, cases: Sequence[Case], choices: Sequence[Label]) -> tuple[Matrix, Matrix, Matrix]:
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


def _ridge(rows: Matrix, cases: Sequence[Case], choices: Sequence[Label]) -> tuple[Matrix, Matrix, Matrix]:
    del choices
    labels = np.array([float(case.label) for case in cases])
    weights = np.array([case.weight for case in cases])
    mean = float(np.average(labels, weights=weights))
    weighted = rows * weights[:, None]
    penalty = _RIDGE_PENALTY * np.eye(rows.shape[1])
    coefficients = np.linalg.solve(rows.T @ weighted + penalty, weighted.T @ (labels - mean))
    residuals = labels - mean - rows @ coefficients
    return coefficients[None, :], np.array([mean]), (residuals * weights)[:, None]
