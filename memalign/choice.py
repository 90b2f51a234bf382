"""Which guidelines enter a prompt when they do not all fit: the most supported, then the most relevant."""

from collections.abc import Sequence
from dataclasses import dataclass

from memalign.kinship import closeness_of
from memalign.ports import Vectors
from memalign.records import Guideline
from memalign.semantic import SemanticMemory
from memalign.tokens import count_tokens
from memalign.wording import relevance, stems

_LINE_TOKENS = 8
"""What a guideline takes in a prompt beside its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Guidelines for one prompt, best first."""

    guidelines: tuple[Guideline, ...]
    left_out: int


def choose(memory: SemanticMemory, text: str, vector: Vectors | None, limit: int) -> Choice:
    """Choose what fits in `limit` tokens for a trace with this text and vector.

    Of two rules that contradict each other the better supported one stands. While all fit, the choice is the
    same for every trace, which is what prompt caches live on; else half of the room goes by support, half by
    relevance.
    """
    standing = _undisputed(sorted(memory.in_use, key=_strength, reverse=True))
    if sum(map(_size, standing)) <= limit:
        return Choice(guidelines=tuple(standing), left_out=0)
    chosen = _filled([], standing, limit // 2)
    words = stems(text)
    by_relevance = sorted(
        (one for one in standing if one not in chosen),
        key=lambda one: max(
            closeness_of(vector, memory.vectors.get(one.id)) or 0.0, relevance(one.text, words)
        ),
        reverse=True,
    )
    chosen = _filled(chosen, by_relevance, limit)
    return Choice(guidelines=tuple(chosen), left_out=len(standing) - len(chosen))


def _undisputed(by_strength: Sequence[Guideline]) -> list[Guideline]:
    standing: dict[str, Guideline] = {}
    for guideline in by_strength:
        if not any(other in standing for other in guideline.conflicts_with):
            standing[guideline.id] = guideline
    return list(standing.values())


def _filled(chosen: Sequence[Guideline], more: Sequence[Guideline], limit: int) -> list[Guideline]:
    filled, room = list(chosen), limit - sum(map(_size, chosen))
    for guideline in more:
        if _size(guideline) <= room:
            filled.append(guideline)
            room -= _size(guideline)
    return filled


def _strength(guideline: Guideline) -> tuple[int, int, int]:
    newest = max((source.time_ms for source in guideline.sources), default=0)
    return len(guideline.people), len(guideline.sources), newest


def _size(guideline: Guideline) -> int:
    return count_tokens(guideline.text) + _LINE_TOKENS
