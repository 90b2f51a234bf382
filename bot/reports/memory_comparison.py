"""Comparison of the verdicts that people were shown with those of another memory on the same traces.

Each value stood before anybody answered, so that no memory had learned from the answers it is measured by: a
prequential evaluation. A. P. Dawid, "Present position and potential developments: some personal views. Statistical
theory: the prequential approach", J. R. Stat. Soc. A 147 (1984).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.feedback import Feedback
from bot.records import MemoryComparison, ShadowComparison
from bot.reports.answered_weeks import AnsweredVerdict
from bot.reports.mcnemar import mcnemar_mid_p
from bot.reports.verdict_label import UNNAMED, label_verdict
from memalign.value_types import ValueType
from storage.records import ShadowKind, StoredVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedVerdict:
    """The correctness of the value shown, and of another memory's value on the same trace."""

    right_now: bool
    right_then: bool
    resembles_case: bool = False
    """True if the memory held a near copy of the trace."""


def pair_with_shadow(
    stored: StoredVerdict, feedback: Sequence[Feedback], value_type: ValueType, kind: ShadowKind
) -> PairedVerdict | None:
    """Pair a verdict with its shadow, each right where it is the label that most people gave.

    Args:
        stored: the verdict.
        feedback: people's feedback on it.
        value_type: the judge's.
        kind: the other memory.

    Returns:
        The pair. None without such a shadow or without a label; of another value than the one shown where nobody named
        the right one; and of free texts, where two that mean the same are hardly ever equal.
    """
    if value_type.kind == "str":
        return None
    case = label_verdict(stored, feedback, value_type)
    shadow = next((each for each in stored.shadows if each.kind == kind), None)
    if case is None or shadow is None:
        return None
    if shadow.value == case.value:
        right_then = case.agreed
    elif case.people_label is UNNAMED:
        return None
    else:
        right_then = shadow.value == case.people_label
    return PairedVerdict(right_now=case.agreed, right_then=right_then, resembles_case=stored.resembles_case)


def compare_memories(
    verdicts: Sequence[AnsweredVerdict], value_type: ValueType, kind: ShadowKind
) -> ShadowComparison | None:
    """Compare a judge's verdicts with those that another memory would have led to.

    Args:
        verdicts: The verdicts, each with the feedback on it.
        value_type: The type of the judge's values.
        kind: The other memory.

    Returns:
        The comparison, of near copies of learned cases apart; None without any pair.
    """
    pairs = [pair for each in verdicts if (pair := pair_with_shadow(*each, value_type, kind))]
    if not pairs:
        return None
    return ShadowComparison(
        all=_compare(pairs),
        new=_compare([pair for pair in pairs if not pair.resembles_case]),
        seen_before=_compare([pair for pair in pairs if pair.resembles_case]),
    )


def _compare(pairs: Sequence[PairedVerdict]) -> MemoryComparison:
    fixed = sum(pair.right_now and not pair.right_then for pair in pairs)
    broken = sum(pair.right_then and not pair.right_now for pair in pairs)
    return MemoryComparison(
        n=len(pairs),
        right_now=sum(pair.right_now for pair in pairs),
        right_then=sum(pair.right_then for pair in pairs),
        fixed=fixed,
        broken=broken,
        p_value=mcnemar_mid_p(fixed, broken),
    )
