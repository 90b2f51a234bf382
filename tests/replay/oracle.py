"""A week's figures from what people did, by other code than the product's: scikit-learn, statsmodels and counting."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.proportion import proportion_confint

from memalign.records import Json

MIN_VERDICTS_FOR_KAPPA = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class VotedCard:
    """A card of a bool judge with the labels that people gave it within its week."""

    judge: str
    week: str
    verdict: bool
    labels: tuple[bool, ...]
    people: tuple[str, ...]
    probability: float = 1.0


def expected_figures(cards: Iterable[VotedCard], judge: str, week: str) -> Json:
    """Return those figures of `memalign digest --format json` that follow from the votes alone.

    Args:
        cards: all cards that anybody voted on.
        judge: the judge's name.
        week: the ISO week.
    """
    voted = [card for card in cards if (card.judge, card.week) == (judge, week)]
    decided = [(card, label) for card in voted if (label := _majority(card.labels)) is not None]
    agreed = sum(card.verdict == label for card, label in decided)
    figures: dict[str, Json] = {
        "n": len(decided),
        "agreed": agreed,
        "answered": len(voted),
        "split": len(voted) - len(decided),
        "people": len({person for card in voted for person in card.people}),
        "unsure": 0,
        "unnamed": 0,
        "table": _table(decided),
    }
    if decided:
        low, high = proportion_confint(agreed, len(decided), method="wilson")
        figures |= {"agreement": agreed / len(decided), "wilson_low": low, "wilson_high": high}
        figures |= _weighted(decided)
    figures["kappa"] = _kappa(decided)
    return figures


def _majority(labels: Sequence[bool]) -> bool | None:
    passes = sum(labels)
    return None if 2 * passes == len(labels) else 2 * passes > len(labels)


def _table(decided: Sequence[tuple[VotedCard, bool]]) -> Mapping[str, int]:
    counts = Counter((card.verdict, label) for card, label in decided)
    words = {True: "pass", False: "fail"}
    return {
        f"judge_{words[judge]}_people_{words[people]}": counts[judge, people]
        for judge in (True, False)
        for people in (True, False)
    }


def _kappa(decided: Sequence[tuple[VotedCard, bool]]) -> float | None:
    verdicts, labels = [card.verdict for card, _ in decided], [label for _, label in decided]
    if len(decided) < MIN_VERDICTS_FOR_KAPPA or len(set(verdicts)) < 2 or len(set(labels)) < 2:
        return None
    return float(cohen_kappa_score(verdicts, labels))


def _weighted(decided: Sequence[tuple[VotedCard, bool]]) -> Mapping[str, float]:
    """Return Hajek's weighted share, and Wilson's interval at Kish's effective number of cards."""
    weights = [1 / card.probability for card, _ in decided]
    hits = [weight for weight, (card, label) in zip(weights, decided, strict=True) if card.verdict == label]
    share = math.fsum(hits) / math.fsum(weights)
    effective = math.fsum(weights) ** 2 / math.fsum(weight**2 for weight in weights)
    low, high = proportion_confint(share * effective, effective, method="wilson")
    return {"weighted_agreement": share, "weighted_low": low, "weighted_high": high}


def differences(expected: Mapping[str, Json], digest: Mapping[str, Json]) -> list[str]:
    """Return a sentence for each figure of a digest that is not as expected."""
    wrong = (
        (name, value, digest[name]) for name, value in expected.items() if not _is_same(value, digest[name])
    )
    return [f"{name} is {found!r}, and {value!r} by other code" for name, value, found in wrong]


def _is_same(expected: Json, found: Json) -> bool:
    if isinstance(expected, float) and isinstance(found, int | float):
        return math.isclose(expected, found, abs_tol=1e-9)
    return bool(expected == found)
