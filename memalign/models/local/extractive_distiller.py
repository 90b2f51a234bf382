"""`local:/extract`: distils by taking rule-like sentences from rationales, word for word; needs no key."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2

import numpy as np

from memalign.errors import ModelError
from memalign.models.local.rule_sentences import GOOD_ENOUGH, MANY, Sentence, Vocabulary, candidates
from memalign.models.local.wordllama import WordLlamaEmbedder
from memalign.ports import Distillation, Draft, Embedder, LabelledRationale, Matrix, Vector
from memalign.records import Guideline, Label, Source

NAME = "local:/extract"
_SAME = 0.68
"""Cosine from which on two sentences of one label count as saying the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    record: LabelledRationale
    sentence: Sentence
    vector: Vector
    score: float = 0.0


class ExtractiveDistiller:
    """Takes at most one sentence of each rationale, as it stands, and unites those that say the same.

    It invents no word: where no sentence reads like a rule, nothing is learned. Vectors cannot tell a rule from
    its opposite, so only sentences from cases with the same label are united.
    """

    def __init__(self, embedder: Embedder | None = None) -> None:
        self._embedder = embedder or WordLlamaEmbedder()

    @property
    def name(self) -> str:
        """`local:/extract`."""
        return NAME

    async def distil(
        self, instructions: str, records: Sequence[LabelledRationale], known: Sequence[Guideline]
    ) -> Distillation:
        """Distil the records. The instructions are not needed; a failing embedder is told in `failed`."""
        del instructions
        usable = [guideline for guideline in known if not guideline.waiting]
        found = await asyncio.to_thread(_found, records, usable)
        if not found:
            return Distillation()
        texts = [sentence.text for _, sentence in found] + [guideline.text for guideline in usable]
        try:
            embedded = await self._embedder.embed(texts)
        except ModelError as error:
            return Distillation(failed={record.source.trace_id: str(error) for record, _ in found})
        distilled = await asyncio.to_thread(_distilled, found, usable, embedded.vectors, _bar(records))
        return replace(distilled, usage=embedded.usage)


def _distilled(
    found: Sequence[tuple[LabelledRationale, Sentence]],
    known: Sequence[Guideline],
    vectors: Matrix,
    bar: float,
) -> Distillation:
    sentences, rules = vectors[: len(found)], vectors[len(found) :]
    pool = [
        _Candidate(record=record, sentence=sentence, vector=vector)
        for (record, sentence), vector in zip(found, sentences, strict=True)
    ]
    supports, rest = _supporting(_chosen(pool), known, rules)
    return Distillation(drafts=_drafts(rest, bar), supports=supports)


def _found(
    records: Sequence[LabelledRationale], known: Sequence[Guideline]
) -> list[tuple[LabelledRationale, Sentence]]:
    quotes = [source.quote for guideline in known for source in guideline.sources]
    vocabulary = Vocabulary(records, quotes)
    return [(record, sentence) for record in records for sentence in candidates(record, vocabulary)]


def _chosen(pool: Sequence[_Candidate]) -> list[_Candidate]:
    """Keep the best sentence of each rationale; what others say of other traces too, is the better rule."""
    vectors = np.stack([candidate.vector for candidate in pool])
    near = vectors @ vectors.T >= _SAME
    best: dict[Source, _Candidate] = {}
    for candidate, row in zip(pool, near, strict=True):
        traces = {
            pool[place].record.source.trace_id
            for place in np.flatnonzero(row).tolist()
            if _alike(pool[place].record.label, candidate.record.label)
        }
        scored = replace(candidate, score=candidate.sentence.score + 0.5 * log2(max(1, len(traces))))
        source = candidate.record.source
        if source not in best or scored.score > best[source].score:
            best[source] = scored
    return list(best.values())


def _supporting(
    chosen: Sequence[_Candidate], known: Sequence[Guideline], rules: Matrix
) -> tuple[Mapping[str, tuple[Source, ...]], list[_Candidate]]:
    """Part those that merely confirm a known guideline from those that say something new."""
    supports: dict[str, tuple[Source, ...]] = {}
    rest: list[_Candidate] = []
    for candidate in chosen:
        guideline = _confirmed(candidate, known, rules)
        if guideline is None:
            rest.append(candidate)
        else:
            supports[guideline.id] = (*supports.get(guideline.id, ()), candidate.record.source)
    return supports, rest


def _confirmed(candidate: _Candidate, known: Sequence[Guideline], rules: Matrix) -> Guideline | None:
    closeness = [float(rule @ candidate.vector) for rule in rules]
    for place in sorted(range(len(known)), key=lambda place: -closeness[place]):
        guideline = known[place]
        if closeness[place] < _SAME:
            return None
        labels = guideline.labels
        if any(_alike(label, candidate.record.label) for label in labels) or (
            not labels and guideline.text == candidate.sentence.text
        ):
            return guideline
    return None


def _bar(records: Sequence[LabelledRationale]) -> float:
    """What a sentence that nobody else confirms must score: among many rationales, more than among few."""
    traces = len({record.source.trace_id for record in records})
    return GOOD_ENOUGH + min(0.5, max(0, traces - MANY) / 200)


def _drafts(chosen: Sequence[_Candidate], bar: float) -> tuple[Draft, ...]:
    groups: list[list[_Candidate]] = []
    for candidate in sorted(chosen, key=lambda one: -one.score):
        for group in groups:
            first = group[0]
            if (
                _alike(first.record.label, candidate.record.label)
                and first.vector @ candidate.vector >= _SAME
            ):
                group.append(candidate)
                break
        else:
            groups.append([candidate])
    return tuple(
        _draft(group)
        for group in groups
        if group[0].score >= (GOOD_ENOUGH if _confirmed_by_others(group) else bar)
    )


def _confirmed_by_others(group: Sequence[_Candidate]) -> bool:
    return len({candidate.record.source.trace_id for candidate in group}) > 1


def _draft(group: Sequence[_Candidate]) -> Draft:
    return Draft(
        text=group[0].sentence.text,
        sources=tuple(candidate.record.source for candidate in group),
        labels=tuple(candidate.record.label for candidate in group),
    )


def _alike(one: Label, other: Label) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)
