"""Weekly fit of the chance that a verdict is wrong to the cards that people have answered."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.judging.wrong_score import STARTING_WEIGHTS, WrongWeights

MIN_ANSWERED_CARDS = 50
MIN_CARDS_OF_EACH_KIND = 10
"""Right verdicts and wrong ones; with fewer of either there is nothing to tell them apart by. Set by hand."""
RIDGE = (1.0, 5.0, 5.0, 50.0, 5.0, 5.0, 5.0, 5.0)
"""Pull of each weight towards its start, that of the base first. Set by hand: 50 cards hardly move a weight, 500 do.
Novelty's is strong, since a card on something new teaches also where the verdict is right."""
NEWTON_STEPS = 30

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredCard:
    """A card that people have answered, as far as the score goes."""

    features: tuple[float, ...]
    is_wrong: bool
    """True if people said that the verdict is wrong."""


def fit_weights(cards: Sequence[AnsweredCard], start: WrongWeights = STARTING_WEIGHTS) -> WrongWeights:
    """Fit logistic regression with a ridge penalty towards the starting weights, by Newton's method.

    Args:
        cards: answered ones; those with another number of features are of another version, and left out.
        start: returned as it is where there are too few cards, or too few of one kind.
    """
    usable = [card for card in cards if len(card.features) == len(start.features)]
    wrong = sum(card.is_wrong for card in usable)
    if len(usable) < MIN_ANSWERED_CARDS or min(wrong, len(usable) - wrong) < MIN_CARDS_OF_EACH_KIND:
        return start
    rows = np.array([(1.0, *card.features) for card in usable])
    base, *features = _newton(
        rows, np.array([float(card.is_wrong) for card in usable]), np.array([start.base, *start.features])
    )
    return WrongWeights(base=float(base), features=tuple(map(float, features)))


def _newton(rows: Array, outcomes: Array, start: Array) -> Array:
    """Minimise log loss + sum of ridge (w - start)^2 / 2; damped, since a full step may overshoot."""
    ridge, weights = np.array(RIDGE), start.copy()
    for _ in range(NEWTON_STEPS):
        chances = _chances(rows, weights)
        slope = rows.T @ (chances - outcomes) + ridge * (weights - start)
        curvature = (rows * (chances * (1 - chances))[:, np.newaxis]).T @ rows + np.diag(ridge)
        step = np.linalg.solve(curvature, slope)
        size = 1.0
        while size > 1e-4 and _loss(rows, outcomes, weights - size * step, start) > _loss(
            rows, outcomes, weights, start
        ):
            size /= 2
        weights = weights - size * step
    return weights


def _chances(rows: Array, weights: Array) -> Array:
    chances: Array = 1 / (1 + np.exp(-np.clip(rows @ weights, -500, 500)))
    return chances


def _loss(rows: Array, outcomes: Array, weights: Array, start: Array) -> float:
    lean = rows @ weights
    penalty = float((np.array(RIDGE) * (weights - start) ** 2).sum() / 2)
    return float((np.logaddexp(0, lean) - outcomes * lean).sum()) + penalty
