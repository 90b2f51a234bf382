"""Precision and recall of anything that unites guidelines. Only the standard library."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.rule_pairs.table import RulePair


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeScore:
    """Unions against the pairs that say the same."""

    right: tuple[RulePair, ...]
    """United, and the same."""
    wrong: tuple[RulePair, ...]
    """United, and not the same."""
    missed: tuple[RulePair, ...]
    """The same, and not united."""

    @property
    def precision(self) -> float | None:
        """The share of unions that are right; None where nothing was united."""
        return _share(self.right, self.wrong)

    @property
    def recall(self) -> float | None:
        """The share of pairs that say the same and were united; None where no pair says the same."""
        return _share(self.right, self.missed)


def merge_score(pairs: Iterable[RulePair], unites: Callable[[RulePair], bool]) -> MergeScore:
    """Score what unites pairs; it is asked about each of them once, in their order."""
    answers = [(pair, unites(pair)) for pair in pairs]
    return MergeScore(
        right=tuple(pair for pair, united in answers if united and pair.relation == "same"),
        wrong=tuple(pair for pair, united in answers if united and pair.relation != "same"),
        missed=tuple(pair for pair, united in answers if not united and pair.relation == "same"),
    )


def _share(part: tuple[RulePair, ...], rest: tuple[RulePair, ...]) -> float | None:
    return len(part) / (len(part) + len(rest)) if part or rest else None
