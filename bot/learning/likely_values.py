"""Values to choose a correction from."""

import math
from dataclasses import dataclass

from bot.blocks.blind_card import answer_values
from bot.blocks.primitives import fits_a_menu
from memalign.judge_memory import JudgeMemory
from memalign.records import Label
from storage.records import StoredVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueChoices:
    """Values that a person chooses from."""

    values: tuple[Label, ...]
    is_complete: bool
    """True if the judge has no other ones, so that none has to be typed."""


def values_to_choose(stored: StoredVerdict, memory: JudgeMemory) -> ValueChoices:
    """Return the values of a judge with the verdict's own among them: all where they are few, else likely ones."""
    every = answer_values(memory.definition.value_type)
    values = every or sorted({*likely_values(stored, memory), stored.verdict.value}, key=place_of)
    fitting = tuple(value for value in values if fits_a_menu(value))
    return ValueChoices(values=fitting, is_complete=bool(every) and len(fitting) == len(every))


def place_of(value: Label) -> tuple[float, str]:
    """Return the place of a value among others of its type: numbers by size, words by their letters."""
    return (0.0, value) if isinstance(value, str) else (value, "")


def likely_values(stored: StoredVerdict, memory: JudgeMemory) -> tuple[Label, ...]:
    """Return all values of the judge where they are few, else those given before and neighbours; not its own value."""
    value_type = memory.definition.value_type
    values = value_type.categories or value_type.small_range or _values_so_far(stored, memory)
    return tuple(value for value in values if value != stored.verdict.value and fits_a_menu(value))


def _values_so_far(stored: StoredVerdict, memory: JudgeMemory) -> tuple[Label, ...]:
    labels = {episode.label for episode in memory.episodes.values()} | _neighbours(stored.verdict.value)
    low, high = memory.definition.value_type.value_range or (-math.inf, math.inf)
    return tuple(
        sorted(label for label in labels if not isinstance(label, int | float) or low <= label <= high)
    )


def _neighbours(value: Label) -> set[Label]:
    if isinstance(value, int) and not isinstance(value, bool):
        return {value + step for step in (-2, -1, 1, 2) if value + step >= 0 or value < 0}
    return set()
