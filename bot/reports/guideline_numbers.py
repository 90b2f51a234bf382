"""The numbers by which people name a judge's guidelines: in order of learning, from 1."""

from collections.abc import Iterable

from memalign.records import Guideline


def number_guidelines(guidelines: Iterable[Guideline]) -> dict[str, int]:
    """Return the number of each guideline by its id.

    Args:
        guidelines: all of a judge's guidelines as its memory lists them, which is the order of learning.
    """
    return {rule.id: number for number, rule in enumerate(guidelines, start=1)}
