"""Agreement of people who answered before they saw the verdict, and of those who saw it first."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.records import BlindAgreement
from bot.reports.agreement import newcombe_interval
from bot.reports.weighted_agreement import WeightedCase, weighted_agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAnswer:
    """The first answer to a card: what others say after it may be swayed by it."""

    case: WeightedCase
    is_blind: bool
    """True if it was given before the verdict was shown."""


def compare_blind(answers: Sequence[FirstAnswer], weeks: int = 1) -> BlindAgreement | None:
    """Compare first answers to cards that ask before they show the verdict with those to other cards.

    A card asks first by chance alone, so that the two kinds differ in nothing else: the difference is the effect of
    seeing the verdict, an anchor (A. Tversky, D. Kahneman, "Judgment under uncertainty: heuristics and biases", Science
    185 (1974)). Shares are weighed as in `weighted_agreement`, the interval of their difference is Newcombe's.

    Args:
        answers: First answers, those to either kind of card.
        weeks: Number of weeks that they are of; 1 by default.

    Returns:
        Both shares and their difference; None without an answer to a card that asks first.
    """
    blind = [answer.case for answer in answers if answer.is_blind]
    shown = [answer.case for answer in answers if not answer.is_blind]
    unanchored, anchored = weighted_agreement(blind), weighted_agreement(shown)
    if unanchored is None:
        return None
    effect_low, effect_high = newcombe_interval(anchored, unanchored) if anchored else (None, None)
    return BlindAgreement(
        n=len(blind),
        agreed=sum(case.agreed for case in blind),
        agreement=unanchored.share,
        low=unanchored.low,
        high=unanchored.high,
        anchored_n=len(shown),
        anchored_agreed=sum(case.agreed for case in shown),
        effect=anchored.share - unanchored.share if anchored else None,
        effect_low=effect_low,
        effect_high=effect_high,
        weeks=weeks,
    )
