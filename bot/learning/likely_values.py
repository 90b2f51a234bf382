"""Values to choose a correction from."""

from bot.blocks.primitives import fits_a_menu
from memalign.judge_memory import JudgeMemory
from memalign.records import Label
from storage.records import StoredVerdict


def likely_values(stored: StoredVerdict, memory: JudgeMemory) -> tuple[Label, ...]:
    """Return the judge's categories, or values people gave before and neighbours; not the judge's own value."""
    value_type = memory.definition.value_type
    labels = {episode.label for episode in memory.episodes.values()}
    values = value_type.categories or tuple(sorted(labels | _neighbours(stored.verdict.value)))
    return tuple(value for value in values if value != stored.verdict.value and fits_a_menu(value))


def _neighbours(value: Label) -> set[Label]:
    if isinstance(value, int) and not isinstance(value, bool):
        return {value + step for step in (-2, -1, 1, 2) if value + step >= 0 or value < 0}
    return set()
