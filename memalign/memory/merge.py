"""Merging what was distilled into the known guidelines: same sentences unite, opposites are marked."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from memalign.memory.rule_similarity import Relation, RuleFeatures, RuleIndex, relation
from memalign.memory.semantic import SemanticMemory
from memalign.memory.text_features import normal
from memalign.ports import Distillation, Draft, Vector
from memalign.records import Episode, Guideline, Label, Source


class GuidelineMerger:
    """Merges one distillation, once. What was distilled from an episode that is no longer there is left out.

    Args:
        judge: The judge's name; guideline ids are made of it and the text.
        memory: The guidelines before.
        episodes: By trace id, as they are now.
        binary: Whether the judge has two labels only.
        vectors: Vectors of drafts by their text, as far as they are known.
        now_ms: Milliseconds since 1970, noted in new guidelines.
    """

    def __init__(
        self,
        judge: str,
        memory: SemanticMemory,
        episodes: Mapping[str, Episode],
        *,
        binary: bool,
        vectors: Mapping[str, Vector],
        now_ms: int,
    ) -> None:
        self._judge = judge
        self._memory = memory
        self._episodes = episodes
        self._binary = binary
        self._draft_vectors = vectors
        self._now_ms = now_ms
        self._guidelines = {guideline.id: guideline for guideline in memory.guidelines}
        self._vectors = dict(memory.vectors)
        self._replaced: list[Guideline] = []
        """Waiting guidelines in whose place drafts come."""
        self._index = RuleIndex()

    def merge(self, distillation: Distillation, settled: Collection[str]) -> SemanticMemory:
        """Merge a distillation.

        Args:
            distillation: What the distiller made of the records.
            settled: Ids of the waiting guidelines that were distilled again; drafts take their place.

        Returns:
            The memory with all of it.
        """
        self._replaced = [self._guidelines.pop(rule_id) for rule_id in settled if rule_id in self._guidelines]
        for known in self._guidelines.values():
            if not known.waiting:
                self._index.add(known.id, RuleFeatures.of(known.text), self._vectors.get(known.id))
        for guideline_id, sources in distillation.supports.items():
            self._support(guideline_id, sources)
        for guideline_id, sources in distillation.contradicts.items():
            self._contradict(guideline_id, sources)
        for draft in distillation.drafts:
            self._add_draft(draft)
        for text, guideline_id in distillation.conflicts:
            self._mark_conflict(self._id_of(text), guideline_id)
        for rule_ids in distillation.same:
            self._merge_known(rule_ids)
        return self._memory.with_guidelines(self._guidelines.values(), self._vectors)

    def _current(self, sources: Sequence[Source]) -> tuple[Source, ...]:
        """Return the sources whose opinion is in memory as it was when it was distilled."""
        return tuple(
            source
            for source in sources
            if (episode := self._episodes.get(source.trace_id))
            and any(
                opinion.person == source.person and opinion.rationale == source.quote
                for opinion in episode.opinions
            )
        )

    def _support(self, guideline_id: str, sources: Sequence[Source]) -> None:
        known = self._guidelines.get(guideline_id)
        if known and known.in_use:
            united = _union(known.sources, self._current(sources))
            self._guidelines[guideline_id] = replace(known, sources=united)

    def _contradict(self, guideline_id: str, sources: Sequence[Source]) -> None:
        known = self._guidelines.get(guideline_id)
        if known:
            contradicted = _union(known.contradicted, self._current(sources))
            self._guidelines[guideline_id] = replace(known, contradicted=contradicted)

    def _add_draft(self, draft: Draft) -> None:
        text = " ".join(draft.text.split())
        sources = self._current(draft.sources)
        if not text or not sources:
            return
        vector = self._draft_vectors.get(draft.text)
        features = RuleFeatures.of(text)
        relations = self._relations(features, sources, vector)
        same = next((rule_id for rule_id, kind in relations.items() if kind == "same"), None)
        if same is not None:
            self._unite(same, text, features, sources, vector)
            return
        own_id = self._add(text, features, sources, vector)
        for rule_id, kind in relations.items():
            if kind == "opposite":
                self._mark_conflict(own_id, rule_id)

    def _unite(
        self,
        rule_id: str,
        text: str,
        features: RuleFeatures,
        sources: tuple[Source, ...],
        vector: Vector | None,
    ) -> None:
        """Add a draft's sources to a rule that says the same, in the rule's words.

        What is distilled again takes the shorter words instead: those do not depend on which of the two came
        back first, so that the order of forgetting makes no difference.
        """
        known = self._guidelines[rule_id]
        united = _union(known.sources, sources)
        again = any(set(sources) <= set(replaced.sources) for replaced in self._replaced)
        if not again or (len(known.text), known.text) <= (len(text), text):
            self._guidelines[rule_id] = replace(known, sources=united)
            return
        self._remove(rule_id)
        own_id = self._add(text, features, united, vector)
        self._guidelines[own_id] = replace(known, id=own_id, text=text, sources=united, conflicts_with=())
        for other in known.conflicts_with:
            self._mark_conflict(own_id, other)

    def _merge_known(self, rule_ids: Sequence[str]) -> None:
        """Make one of known rules that say the same: the best supported one's words, the sources of all.

        Rules that rest on different labels, or are in conflict, are left apart, whatever a model says of them.
        """
        known = [self._guidelines[rule_id] for rule_id in rule_ids if rule_id in self._guidelines]
        known.sort(key=lambda rule: (-len(rule.sources), len(rule.text), rule.text))
        for other in known[1:]:
            best = self._guidelines[known[0].id]
            in_conflict = other.id in best.conflicts_with or best.id in other.conflicts_with
            if in_conflict or (self._binary and self._labels(best.sources) != self._labels(other.sources)):
                continue
            self._guidelines[best.id] = replace(
                best,
                sources=_union(best.sources, other.sources),
                contradicted=_union(best.contradicted, other.contradicted),
            )
            self._remove(other.id)
            for opposed in other.conflicts_with:
                self._mark_conflict(best.id, opposed)

    def _remove(self, rule_id: str) -> None:
        del self._guidelines[rule_id]
        self._vectors.pop(rule_id, None)
        self._index.remove(rule_id)

    def _add(
        self, text: str, features: RuleFeatures, sources: tuple[Source, ...], vector: Vector | None
    ) -> str:
        own_id = self._id_of(text)
        self._guidelines[own_id] = Guideline(
            id=own_id,
            text=text,
            sources=sources,
            learned_ms=self._now_ms,
            contradicted=self._inherited_contradictions(sources),
        )
        if vector is not None:
            self._vectors[own_id] = vector
        self._index.add(own_id, features, vector)
        return own_id

    def _relations(
        self, features: RuleFeatures, sources: Sequence[Source], vector: Vector | None
    ) -> dict[str, Relation]:
        """Return how similar rules stand to a draft, by guideline id."""
        same = self._index.with_same_text(features)
        if same is not None:
            return {same: "same"}
        labels = self._labels(sources)
        return {
            rule_id: relation(
                features,
                labels,
                self._index.features[rule_id],
                self._labels(self._guidelines[rule_id].sources),
                binary=self._binary,
            )
            for rule_id in self._index.similar(features, vector)
        }

    def _labels(self, sources: Sequence[Source]) -> set[Label]:
        return {
            self._episodes[source.trace_id].label for source in sources if source.trace_id in self._episodes
        }

    def _inherited_contradictions(self, sources: Sequence[Source]) -> tuple[Source, ...]:
        """Return the sources against the guideline in whose place a new one comes."""
        own = set(sources)
        return tuple(
            source
            for replaced in self._replaced
            if own <= set(replaced.sources)
            for source in self._current(replaced.contradicted)
        )

    def _mark_conflict(self, rule_id: str, other_id: str) -> None:
        for own, opposed in ((rule_id, other_id), (other_id, rule_id)):
            rule = self._guidelines.get(own)
            if rule and opposed in self._guidelines and opposed not in rule.conflicts_with:
                self._guidelines[own] = replace(rule, conflicts_with=(*rule.conflicts_with, opposed))

    def _id_of(self, text: str) -> str:
        digest = hashlib.sha256(f"{self._judge}\n{normal(text)}".encode("utf-8", "surrogatepass"))
        return f"g-{digest.hexdigest()[:16]}"


def _union(sources: Sequence[Source], more: Sequence[Source]) -> tuple[Source, ...]:
    united = {(source.trace_id, source.person): source for source in sources}
    for source in more:
        united.setdefault((source.trace_id, source.person), source)
    return tuple(united.values())
