"""Agreement of people who answered before they saw the verdict, and of those who saw it first."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.feedback import Feedback
from bot.records import BlindAgreement
from bot.reports.agreement import newcombe_interval
from bot.reports.answered_weeks import AnsweredVerdict
from bot.reports.verdict_label import majority
from bot.reports.weighted_agreement import WeightedCase, weighted_agreement
from memalign.value_types import ValueType
from storage.records import StoredVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAnswer:
    """The first answer to a card: what others say after it may be swayed by it."""

    case: WeightedCase
    is_blind: bool
    """True if it was given before the verdict was shown."""


def first_answers(verdicts: Sequence[AnsweredVerdict], value_type: ValueType) -> list[FirstAnswer]:
    """Return the first answers to cards; none to cards of which the first could not tell, and none of free texts.

    The answers to a card that asks first are those given before it showed the verdict: mostly one, else that of most
    people. Of another card it is the first of the votes that stand, so that both are of one person.

    Args:
        verdicts: the verdicts, each with people's votes.
        value_type: the judge's.
    """
    if value_type.kind == "str":
        return []
    answers = []
    for stored, votes in verdicts:
        agreed = _blind_answer(stored, votes) if stored.is_blind else _first_vote(votes)
        if agreed is not None:
            case = WeightedCase(agreed=agreed, probability=stored.selection.probability)
            answers.append(FirstAnswer(case=case, is_blind=stored.is_blind))
    return answers


def _blind_answer(stored: StoredVerdict, votes: Sequence[Feedback]) -> bool | None:
    value = majority([vote.blind_value for vote in votes if vote.blind_value is not None])
    return None if value is None else value == stored.verdict.value


def _first_vote(votes: Sequence[Feedback]) -> bool | None:
    first = min(votes, key=lambda vote: vote.time_ms, default=None)
    return None if first is None or first.vote == "unsure" else first.vote == "up"


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
