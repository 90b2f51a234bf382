"""`local:/extract`: distils by taking rule-like sentences from rationales, word for word; needs no key.

Without a language model nothing can tell a paraphrase from an opposite: equal sentences are one rule, others are not.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2

import numpy as np

from memalign.errors import ModelError
from memalign.memory.text_features import repeats, sentence_key
from memalign.models.local.rule_sentences import (
    MIN_FOR_WORD_COUNTS,
    MIN_RULE_SCORE,
    RuleSentence,
    Vocabulary,
    rule_sentences,
)
from memalign.models.local.wordllama import WordLlamaEmbedder
from memalign.ports import Distillation, Draft, Embedder, LabelledRationale, Matrix, Vector
from memalign.records import Guideline, Label, Source

NAME = "local:/extract"
MIN_CONFIRMING_COSINE = 0.68
"""Cosine from which on a sentence of the same label, on another trace, confirms that one is a rule.

Set by hand for wordllama's vectors. Of the wordings in tests/bench/rules.py 72 % of the pairs of paraphrases reach it,
and 4 % of the pairs on different things; so do 93 % of the pairs of opposites, which is why labels are compared too.
"""
_CONFIRMATION_WEIGHT = 0.5
"""Added to a sentence's score for each doubling of the traces on which the same is said."""
_MAX_EXTRA_SCORE = 0.5
_TRACES_PER_EXTRA_POINT = 200
"""Among many rationales a sentence that nobody else confirms needs a higher score: 0.5 more from 120 traces on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    rationale: LabelledRationale
    sentence: RuleSentence
    vector: Vector
    score: float = 0.0
    is_confirmed: bool = False
    """True if a sentence like it is said of another trace."""


class ExtractiveDistiller:
    """Takes at most one sentence of each rationale, as it stands, and unites equal ones.

    It invents no word: where no sentence reads like a rule, nothing is learned. Vectors only tell which sentence of a
    rationale is confirmed by others.

    Args:
        embedder: Embeds sentences; wordllama by default.
    """

    def __init__(self, embedder: Embedder | None = None) -> None:
        self._embedder = embedder or WordLlamaEmbedder()

    @property
    def name(self) -> str:
        """The model as `local:/extract`."""
        return NAME

    async def distil(
        self, instructions: str, rationales: Sequence[LabelledRationale], known: Sequence[Guideline]
    ) -> Distillation:
        """See `memalign.ports.Distiller.distil`. The instructions are not needed."""
        del instructions
        usable = [guideline for guideline in known if not guideline.waiting]
        sentences = await asyncio.to_thread(_sentences, rationales, usable)
        if not sentences:
            return Distillation()
        try:
            embeddings = await self._embedder.embed([sentence.text for _, sentence in sentences])
        except ModelError as error:
            return Distillation(failed={rationale.source.trace_id: str(error) for rationale, _ in sentences})
        vectors, min_score = embeddings.vectors, _min_unconfirmed_score(rationales)
        distillation = await asyncio.to_thread(_distil, sentences, usable, vectors, min_score)
        return replace(distillation, usage=embeddings.usage)


def _sentences(
    rationales: Sequence[LabelledRationale], known: Sequence[Guideline]
) -> list[tuple[LabelledRationale, RuleSentence]]:
    quotes = [source.quote for guideline in known for source in guideline.sources]
    vocabulary = Vocabulary(rationales, quotes)
    return [
        (rationale, sentence)
        for rationale in rationales
        for sentence in rule_sentences(rationale, vocabulary)
    ]


def _distil(
    sentences: Sequence[tuple[LabelledRationale, RuleSentence]],
    known: Sequence[Guideline],
    vectors: Matrix,
    min_unconfirmed_score: float,
) -> Distillation:
    candidates = [
        _Candidate(rationale=rationale, sentence=sentence, vector=vector)
        for (rationale, sentence), vector in zip(sentences, vectors, strict=True)
    ]
    supports, rest = _supporting(_best_of_each(candidates), known)
    return Distillation(drafts=_drafts(rest, min_unconfirmed_score), supports=supports)


def _best_of_each(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Keep the best sentence of each rationale; what others say of other traces too, is the better rule."""
    vectors = np.stack([candidate.vector for candidate in candidates])
    similar = vectors @ vectors.T >= MIN_CONFIRMING_COSINE
    best: dict[Source, _Candidate] = {}
    for candidate, row in zip(candidates, similar, strict=True):
        traces = {
            candidates[place].rationale.source.trace_id
            for place in np.flatnonzero(row).tolist()
            if _same_label(candidates[place].rationale.label, candidate.rationale.label)
        }
        confirmation = _CONFIRMATION_WEIGHT * log2(max(1, len(traces)))
        scored = replace(
            candidate, score=candidate.sentence.score + confirmation, is_confirmed=len(traces) > 1
        )
        source = candidate.rationale.source
        if source not in best or scored.score > best[source].score:
            best[source] = scored
    return list(best.values())


def _supporting(
    candidates: Sequence[_Candidate], known: Sequence[Guideline]
) -> tuple[Mapping[str, tuple[Source, ...]], list[_Candidate]]:
    """Part those that merely confirm a known guideline from those that say something new."""
    by_sentence = {sentence_key(guideline.text): guideline.id for guideline in known}
    retired = [guideline for guideline in known if guideline.retired]
    supports: dict[str, tuple[Source, ...]] = {}
    rest: list[_Candidate] = []
    for candidate in candidates:
        text = candidate.sentence.text
        said_again = (guideline.id for guideline in retired if repeats(text, guideline.text))
        rule_id = by_sentence.get(sentence_key(text)) or next(said_again, None)
        if rule_id is None:
            rest.append(candidate)
        else:
            supports[rule_id] = (*supports.get(rule_id, ()), candidate.rationale.source)
    return supports, rest


def _min_unconfirmed_score(rationales: Sequence[LabelledRationale]) -> float:
    traces = len({rationale.source.trace_id for rationale in rationales})
    extra = max(0, traces - MIN_FOR_WORD_COUNTS) / _TRACES_PER_EXTRA_POINT
    return MIN_RULE_SCORE + min(_MAX_EXTRA_SCORE, extra)


def _drafts(candidates: Sequence[_Candidate], min_unconfirmed_score: float) -> tuple[Draft, ...]:
    return tuple(
        _draft(group)
        for group in _groups(candidates)
        if group[0].score >= (MIN_RULE_SCORE if group[0].is_confirmed else min_unconfirmed_score)
    )


def _groups(candidates: Sequence[_Candidate]) -> list[list[_Candidate]]:
    """Unite equal sentences, best first."""
    groups: dict[str, list[_Candidate]] = {}
    for candidate in sorted(candidates, key=lambda candidate: -candidate.score):
        groups.setdefault(sentence_key(candidate.sentence.text), []).append(candidate)
    return list(groups.values())


def _draft(group: Sequence[_Candidate]) -> Draft:
    return Draft(
        text=group[0].sentence.text,
        sources=tuple(candidate.rationale.source for candidate in group),
        labels=tuple(candidate.rationale.label for candidate in group),
    )


def _same_label(first: Label, second: Label) -> bool:
    # a truth value equals 0 or 1
    return first == second and isinstance(first, bool) == isinstance(second, bool)
