"""The order in which people read a judge's guidelines."""

from collections.abc import Iterable

from memalign.memory.beta_posterior import posterior_mean
from memalign.records import Guideline


def by_record(guidelines: Iterable[Guideline]) -> list[Guideline]:
    """Order guidelines for people: those to be decided on first, then those that led to right verdicts most often.

    Args:
        guidelines: a judge's guidelines in order of learning, which decides among equals.
    """
    return sorted(
        guidelines, key=lambda rule: (not (rule.stands and rule.doubtful), -posterior_mean(rule.record))
    )
