"""Choice of the cases that a judge is shown for a record, from those most similar to it."""

from collections.abc import Callable, Iterator
from itertools import islice

from memalign.memory.episodic import label_key
from memalign.records import RetrievedEpisode

CaseChoice = Callable[[Iterator[RetrievedEpisode], int], tuple[RetrievedEpisode, ...]]
"""Chooses at most so many of the cases, which come best first."""


def best_cases(ranked: Iterator[RetrievedEpisode], count: int) -> tuple[RetrievedEpisode, ...]:
    """Choose the most similar cases whatever their labels.

    Args:
        ranked: Cases, most similar first.
        count: Most cases.

    Returns:
        The cases, most similar first.
    """
    return tuple(islice(ranked, count))


def contrasting_cases(ranked: Iterator[RetrievedEpisode], count: int) -> tuple[RetrievedEpisode, ...]:
    """Choose the most similar cases, one of another label among them.

    Where all of them have one label, the last place goes to the most similar case of another one: a judge that sees
    one label only has nothing to tell it from.

    Args:
        ranked: Cases, most similar first.
        count: Most cases.

    Returns:
        The cases, most similar first.
    """
    chosen = best_cases(ranked, count)
    labels = {label_key(case) for case in chosen}
    if count < 2 or len(chosen) < count or len(labels) > 1:
        return chosen
    contrast = next((case for case in ranked if label_key(case) not in labels), chosen[-1])
    return (*chosen[:-1], contrast)
