"""Which guidelines enter a prompt when they do not all fit: the most supported, then the most relevant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from memalign.memory.semantic import SemanticMemory
from memalign.memory.text_features import stems
from memalign.ports import Vector
from memalign.records import Guideline
from memalign.tokens import count_tokens

_LINE_TOKENS = 8
"""What a guideline takes in a prompt beside its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Guidelines for one prompt, best first."""

    guidelines: tuple[Guideline, ...]
    left_out: int


class GuidelineSelector:
    """The guidelines in use at one moment, best supported first; made once and asked for each trace.

    Of two that contradict each other only the better supported one stands.
    """

    def __init__(self, memory: SemanticMemory, limit: int) -> None:
        """`limit`: the tokens that guidelines may take in a prompt."""
        self.memory = memory
        self._limit = limit
        self._standing = _undisputed(sorted(memory.in_use, key=_strength, reverse=True))
        self._sizes = {one.id: count_tokens(one.text) + _LINE_TOKENS for one in self._standing}
        self._all_fit = sum(self._sizes.values()) <= limit
        self._core = () if self._all_fit else self._filled((), self._standing, limit // 2)
        chosen = {one.id for one in self._core}
        self._others = [] if self._all_fit else [one for one in self._standing if one.id not in chosen]
        self._stems = {one.id: stems(one.text) for one in self._others}

    def choose(self, text: str, vector: Vector | None) -> Choice:
        """Choose for a trace with this text and vector.

        While all fit, the choice is the same for every trace, which is what prompt caches live on; else half of
        the room goes by support, half by relevance.
        """
        if self._all_fit:
            return Choice(guidelines=tuple(self._standing), left_out=0)
        words = stems(text)
        relevance = {one.id: self._relevance(one, words, vector) for one in self._others}
        by_relevance = sorted(self._others, key=lambda one: -relevance[one.id])
        chosen = self._filled(self._core, by_relevance, self._limit)
        return Choice(guidelines=chosen, left_out=len(self._standing) - len(chosen))

    def _relevance(self, rule: Guideline, words: frozenset[str], vector: Vector | None) -> float:
        """The share of the rule's words that the text has, or the cosine of their vectors."""
        own, row = self._stems[rule.id], self.memory.vectors.get(rule.id)
        shared = len(own & words) / len(own) if own else 0.0
        return shared if row is None or vector is None else max(shared, float(row @ vector))

    def _filled(
        self, chosen: Sequence[Guideline], more: Iterable[Guideline], limit: int
    ) -> tuple[Guideline, ...]:
        filled, room = list(chosen), limit - sum(self._sizes[one.id] for one in chosen)
        for guideline in more:
            if self._sizes[guideline.id] <= room:
                filled.append(guideline)
                room -= self._sizes[guideline.id]
        return tuple(filled)


def _undisputed(by_strength: Sequence[Guideline]) -> list[Guideline]:
    standing: dict[str, Guideline] = {}
    for guideline in by_strength:
        if not any(other in standing for other in guideline.conflicts_with):
            standing[guideline.id] = guideline
    return list(standing.values())


def _strength(guideline: Guideline) -> tuple[int, int, int]:
    newest = max((source.time_ms for source in guideline.sources), default=0)
    return len(guideline.people), len(guideline.sources), newest
