"""Selection of the guidelines for a prompt that cannot hold them all: the best supported, and the most relevant."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from memalign.memory.beta_posterior import posterior_mean
from memalign.memory.semantic import SemanticMemory
from memalign.memory.text_features import stems
from memalign.ports import Vector
from memalign.records import NO_VOTES, Guideline
from memalign.tokens import count_tokens

GUIDELINE_TOKENS = 4_000
"""Room that guidelines may take in a prompt: about 150 sentences of 25 tokens. Set by hand."""
SUPPORT_SHARE = 4
"""This fraction of the room (a quarter) goes by support. Set by hand: what matters for the trace comes first."""
RECORD_STEPS = 10
"""Records are compared in steps of a tenth: a finer order would change the cached part of prompts with each vote."""
_LINE_TOKENS = 8
"""Tokens that a guideline takes in a prompt beside its text: number, JSON marks, line end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineSelection:
    """Guidelines for one prompt."""

    guidelines: tuple[Guideline, ...]
    """Those shown with every trace in order of learning, then those chosen for this one, the most relevant last."""
    chosen: int
    """Number of the last `guidelines` that were chosen for this trace."""
    left_out: int
    """Number of guidelines in use for which there was no room."""
    ranking: tuple[str, ...] = ()
    """Ids of the guidelines, the one to be kept longest first: the best supported and the most relevant by turns."""


class GuidelineSelector:
    """Selects among the guidelines in use of one semantic memory; made once for it and asked for each trace.

    Of two guidelines that contradict each other only the better supported one is ever selected.

    Args:
        memory: The guidelines, and their vectors as far as they are known.
        max_tokens: Room that guidelines may take in a prompt.
    """

    def __init__(self, memory: SemanticMemory, max_tokens: int) -> None:
        self.memory = memory
        self._max_tokens = max_tokens
        self._ranked = _without_contradicted(sorted(memory.in_use, key=_support, reverse=True))
        self._sizes = {rule.id: count_tokens(rule.text) + _LINE_TOKENS for rule in self._ranked}
        self._all_fit = sum(self._sizes.values()) <= max_tokens
        self._constant = self._in_order(
            self._ranked if self._all_fit else self._pinned_and_best(max_tokens // SUPPORT_SHARE)
        )
        selected = {rule.id for rule in self._constant}
        self._others = [rule for rule in self._ranked if rule.id not in selected]
        self._room = max_tokens - sum(self._sizes[rule.id] for rule in self._constant)
        self._stems = {rule.id: stems(rule.text) for rule in self._ranked}

    def select(self, text: str, vector: Vector | None) -> GuidelineSelection:
        """Select guidelines for a trace.

        While all fit, the selection is the same for every trace, and in an order that does not change with votes:
        prompt caches of providers depend on both. Else a part of the room goes by record and support, the same for
        every trace, and the rest by relevance, where a bad record counts against a rule; pinned ones are never left out
        while they fit.

        Args:
            text: The trace's text.
            vector: The text's vector; None where it is not known, so that words alone decide on relevance.

        Returns:
            The guidelines, and how many were left out.
        """
        words = stems(text)
        relevance = {
            rule.id: self._relevance(rule, words, vector) * _reliability(rule) for rule in self._ranked
        }
        by_relevance = sorted(self._others, key=lambda rule: -relevance[rule.id])
        chosen = self._filled(by_relevance, self._room)
        selected = (*self._constant, *reversed(chosen))
        return GuidelineSelection(
            guidelines=selected,
            chosen=len(chosen),
            left_out=len(self._ranked) - len(selected),
            ranking=_ranking(selected, relevance),
        )

    def most_relevant(self, text: str, vector: Vector | None, limit: int) -> tuple[Guideline, ...]:
        """Find the guidelines in use that may cover a trace.

        Args:
            text: The trace's text.
            vector: The text's vector; None where it is not known, so that words alone decide on relevance.
            limit: Most guidelines to return.

        Returns:
            The guidelines, the most relevant first; none without any relation to the text.
        """
        words = stems(text)
        relevance = {rule.id: self._relevance(rule, words, vector) for rule in self._ranked}
        related = [rule for rule in self._ranked if relevance[rule.id] > 0]
        return tuple(sorted(related, key=lambda rule: -relevance[rule.id])[:limit])

    def _pinned_and_best(self, support_room: int) -> tuple[Guideline, ...]:
        """Return the pinned guidelines that fit at all, and the best supported others that fit in a part of it."""
        pinned = self._filled((rule for rule in self._ranked if rule.pinned), self._max_tokens)
        room = support_room - sum(self._sizes[rule.id] for rule in pinned)
        return (*pinned, *self._filled((rule for rule in self._ranked if not rule.pinned), room))

    def _in_order(self, rules: Iterable[Guideline]) -> tuple[Guideline, ...]:
        """Return guidelines in order of learning, pinned ones first."""
        ids = {rule.id for rule in rules}
        selected = (rule for rule in self.memory.in_use if rule.id in ids)
        return tuple(sorted(selected, key=lambda rule: not rule.pinned))

    def _relevance(self, rule: Guideline, words: frozenset[str], vector: Vector | None) -> float:
        """Return the share of the rule's stems that the text has, or the cosine of their vectors if higher."""
        own, row = self._stems[rule.id], self.memory.vectors.get(rule.id)
        shared = len(own & words) / len(own) if own else 0.0
        return shared if row is None or vector is None else max(shared, float(row @ vector))

    def _filled(self, candidates: Iterable[Guideline], room: int) -> tuple[Guideline, ...]:
        filled = []
        for rule in candidates:
            if self._sizes[rule.id] <= room:
                filled.append(rule)
                room -= self._sizes[rule.id]
        return tuple(filled)


def _without_contradicted(ranked: Sequence[Guideline]) -> list[Guideline]:
    standing: dict[str, Guideline] = {}
    for rule in ranked:
        if not any(other in standing for other in rule.conflicts_with):
            standing[rule.id] = rule
    return list(standing.values())


def _ranking(selected: Sequence[Guideline], relevance: Mapping[str, float]) -> tuple[str, ...]:
    by_support = sorted(selected, key=_support, reverse=True)
    by_relevance = sorted(selected, key=lambda rule: -relevance[rule.id])
    pinned = (rule.id for rule in by_support if rule.pinned)
    by_turns = (rule.id for pair in zip(by_support, by_relevance, strict=True) for rule in pair)
    return tuple(dict.fromkeys((*pinned, *by_turns)))


def _reliability(rule: Guideline) -> float:
    """Return how far a rule's record is worse than none, 0 to 1: a good one must not keep new rules out."""
    return min(posterior_mean(rule.record) / posterior_mean(NO_VOTES), 1.0)


def _support(rule: Guideline) -> tuple[bool, int, int, int, int]:
    """Return the sort key of a rule: pinned first, then by record, people, cases, and newest source."""
    newest = max((source.time_ms for source in rule.sources), default=rule.learned_ms)
    record = round(posterior_mean(rule.record) * RECORD_STEPS)
    return rule.pinned, record, len(rule.people), len(rule.sources), newest
