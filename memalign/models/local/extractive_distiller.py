"""`local:/extract`: distils by taking rule-like sentences from rationales, word for word; needs no key."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2

import numpy as np

from memalign.errors import ModelError
from memalign.memory.text_features import negations_and_numbers
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
MIN_SAME_RULE_COSINE = 0.68
"""Cosine from which on two sentences of one label count as saying the same.

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


class ExtractiveDistiller:
    """Takes at most one sentence of each rationale, as it stands, and unites those that say the same.

    It invents no word: where no sentence reads like a rule, nothing is learned. Vectors cannot tell a rule from
    its opposite, so only sentences from cases with the same label are united.

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
        texts = [sentence.text for _, sentence in sentences] + [guideline.text for guideline in usable]
        try:
            embeddings = await self._embedder.embed(texts)
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
    sentence_vectors, rule_vectors = vectors[: len(sentences)], vectors[len(sentences) :]
    candidates = [
        _Candidate(rationale=rationale, sentence=sentence, vector=vector)
        for (rationale, sentence), vector in zip(sentences, sentence_vectors, strict=True)
    ]
    supports, rest = _supporting(_best_of_each(candidates), known, rule_vectors)
    return Distillation(drafts=_drafts(rest, min_unconfirmed_score), supports=supports)


def _best_of_each(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Keep the best sentence of each rationale; what others say of other traces too, is the better rule."""
    vectors = np.stack([candidate.vector for candidate in candidates])
    similar = vectors @ vectors.T >= MIN_SAME_RULE_COSINE
    best: dict[Source, _Candidate] = {}
    for candidate, row in zip(candidates, similar, strict=True):
        traces = {
            candidates[place].rationale.source.trace_id
            for place in np.flatnonzero(row).tolist()
            if _same_label(candidates[place].rationale.label, candidate.rationale.label)
        }
        confirmation = _CONFIRMATION_WEIGHT * log2(max(1, len(traces)))
        scored = replace(candidate, score=candidate.sentence.score + confirmation)
        source = candidate.rationale.source
        if source not in best or scored.score > best[source].score:
            best[source] = scored
    return list(best.values())


def _supporting(
    candidates: Sequence[_Candidate], known: Sequence[Guideline], rule_vectors: Matrix
) -> tuple[Mapping[str, tuple[Source, ...]], list[_Candidate]]:
    """Part those that merely confirm a known guideline from those that say something new."""
    supports: dict[str, tuple[Source, ...]] = {}
    rest: list[_Candidate] = []
    for candidate in candidates:
        guideline = _confirmed(candidate, known, rule_vectors)
        if guideline is None:
            rest.append(candidate)
        else:
            supports[guideline.id] = (*supports.get(guideline.id, ()), candidate.rationale.source)
    return supports, rest


def _confirmed(candidate: _Candidate, known: Sequence[Guideline], rule_vectors: Matrix) -> Guideline | None:
    cosines = [float(rule @ candidate.vector) for rule in rule_vectors]
    for place in sorted(range(len(known)), key=lambda place: -cosines[place]):
        guideline = known[place]
        if cosines[place] < MIN_SAME_RULE_COSINE:
            return None
        if _says_the_same(guideline, candidate):
            return guideline
    return None


def _says_the_same(guideline: Guideline, candidate: _Candidate) -> bool:
    """Tell a paraphrase from an opposite; a retired rule, or one added by hand, holds whatever the case's label is."""
    text = candidate.sentence.text
    if guideline.retired or not guideline.sources:
        return negations_and_numbers(guideline.text) == negations_and_numbers(text)
    if not guideline.labels:
        return guideline.text == text
    return any(_same_label(label, candidate.rationale.label) for label in guideline.labels)


def _min_unconfirmed_score(rationales: Sequence[LabelledRationale]) -> float:
    traces = len({rationale.source.trace_id for rationale in rationales})
    extra = max(0, traces - MIN_FOR_WORD_COUNTS) / _TRACES_PER_EXTRA_POINT
    return MIN_RULE_SCORE + min(_MAX_EXTRA_SCORE, extra)


def _drafts(candidates: Sequence[_Candidate], min_unconfirmed_score: float) -> tuple[Draft, ...]:
    return tuple(
        _draft(group)
        for group in _groups(candidates)
        if group[0].score >= (MIN_RULE_SCORE if _is_confirmed(group) else min_unconfirmed_score)
    )


def _groups(candidates: Sequence[_Candidate]) -> list[list[_Candidate]]:
    """Unite those that say the same as a better one, best first."""
    groups: list[list[_Candidate]] = []
    for candidate in sorted(candidates, key=lambda candidate: -candidate.score):
        same = next((group for group in groups if _same_rule(group[0], candidate)), None)
        if same is None:
            groups.append([candidate])
        else:
            same.append(candidate)
    return groups


def _same_rule(first: _Candidate, second: _Candidate) -> bool:
    return _same_label(first.rationale.label, second.rationale.label) and bool(
        first.vector @ second.vector >= MIN_SAME_RULE_COSINE
    )


def _is_confirmed(group: Sequence[_Candidate]) -> bool:
    return len({candidate.rationale.source.trace_id for candidate in group}) > 1


def _draft(group: Sequence[_Candidate]) -> Draft:
    return Draft(
        text=group[0].sentence.text,
        sources=tuple(candidate.rationale.source for candidate in group),
        labels=tuple(candidate.rationale.label for candidate in group),
    )


def _same_label(first: Label, second: Label) -> bool:
    # a truth value equals 0 or 1
    return first == second and isinstance(first, bool) == isinstance(second, bool)
