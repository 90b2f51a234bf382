"""Taking in what was distilled: the same sentences unite, near-duplicates merge, opposites are marked."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from memalign.memory.rule_similarity import Kinship, RuleFeatures, Rules, kinship
from memalign.memory.semantic import SemanticMemory
from memalign.memory.text_features import normal
from memalign.ports import Distilled, Draft, Vector
from memalign.records import Episode, Guideline, Label, Source


class GuidelineMerger:
    """One round of taking in. Everything distilled from an episode that is no longer there is left out."""

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
        self._text_vectors = vectors
        """By text of a draft, as far as they are known."""
        self._now_ms = now_ms
        self._held = {guideline.id: guideline for guideline in memory.guidelines}
        self._vectors = dict(memory.vectors)
        self._settled: list[Guideline] = []
        self._rules = Rules()

    def take(self, distilled: Distilled, settled: Collection[str]) -> SemanticMemory:
        """The memory with all of it; `settled` are the waiting guidelines that were distilled again."""
        self._settled = [self._held.pop(name) for name in settled if name in self._held]
        for known in self._held.values():
            if not known.waiting:
                self._rules.add(known.id, RuleFeatures.of(known.text), self._vectors.get(known.id))
        for guideline_id, sources in distilled.supports.items():
            self._support(guideline_id, sources)
        for guideline_id, sources in distilled.contradicts.items():
            self._contradict(guideline_id, sources)
        for draft in distilled.drafts:
            self._draft(draft)
        for text, guideline_id in distilled.conflicts:
            self._oppose(self._id_of(text), guideline_id)
        for names in distilled.same:
            self._merge(names)
        return self._memory.holding(self._held.values(), self._vectors)

    def _standing(self, sources: Sequence[Source]) -> tuple[Source, ...]:
        """The sources whose opinion is in memory as it was when it was distilled."""
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
        known = self._held.get(guideline_id)
        if known and known.in_use:
            self._held[guideline_id] = replace(known, sources=_united(known.sources, self._standing(sources)))

    def _contradict(self, guideline_id: str, sources: Sequence[Source]) -> None:
        known = self._held.get(guideline_id)
        if known:
            against = _united(known.contradicted, self._standing(sources))
            self._held[guideline_id] = replace(known, contradicted=against)

    def _draft(self, draft: Draft) -> None:
        text = " ".join(draft.text.split())
        sources = self._standing(draft.sources)
        if not text or not sources:
            return
        vector = self._text_vectors.get(draft.text)
        wording = RuleFeatures.of(text)
        kin = self._kin(wording, sources, vector)
        same = next((name for name, how in kin.items() if how == "same"), None)
        if same is not None:
            self._unite(same, text, wording, sources, vector)
            return
        own_id = self._new(text, wording, sources, vector)
        for name, how in kin.items():
            if how == "opposite":
                self._oppose(own_id, name)

    def _unite(
        self, name: str, text: str, wording: RuleFeatures, sources: tuple[Source, ...], vector: Vector | None
    ) -> None:
        """Add a draft's sources to a rule that says the same, in the rule's words.

        What is distilled again takes the shorter words instead: those do not depend on which of the two came
        back first, so that forgetting gives the same memory in whatever order.
        """
        known = self._held[name]
        united = _united(known.sources, sources)
        again = any(set(sources) <= set(settled.sources) for settled in self._settled)
        if not again or (len(known.text), known.text) <= (len(text), text):
            self._held[name] = replace(known, sources=united)
            return
        self._drop(name)
        own_id = self._new(text, wording, united, vector)
        self._held[own_id] = replace(known, id=own_id, text=text, sources=united, conflicts_with=())
        for other in known.conflicts_with:
            self._oppose(own_id, other)

    def _merge(self, names: Sequence[str]) -> None:
        """Make one of known rules that say the same: the best supported one's words, the sources of all.

        Rules that rest on different labels, or are in conflict, are left apart, whatever a model says of them.
        """
        known = [self._held[name] for name in names if name in self._held]
        known.sort(key=lambda one: (-len(one.sources), len(one.text), one.text))
        for other in known[1:]:
            best = self._held[known[0].id]
            labels, others = self._labels(best.sources), self._labels(other.sources)
            in_conflict = other.id in best.conflicts_with or best.id in other.conflicts_with
            if in_conflict or (self._binary and labels != others):
                continue
            self._held[best.id] = replace(
                best,
                sources=_united(best.sources, other.sources),
                contradicted=_united(best.contradicted, other.contradicted),
            )
            self._drop(other.id)
            for against in other.conflicts_with:
                self._oppose(best.id, against)

    def _drop(self, name: str) -> None:
        del self._held[name]
        self._vectors.pop(name, None)
        self._rules.remove(name)

    def _new(
        self, text: str, wording: RuleFeatures, sources: tuple[Source, ...], vector: Vector | None
    ) -> str:
        own_id = self._id_of(text)
        self._held[own_id] = Guideline(
            id=own_id,
            text=text,
            sources=sources,
            learned_ms=self._now_ms,
            contradicted=self._inherited(sources),
        )
        if vector is not None:
            self._vectors[own_id] = vector
        self._rules.add(own_id, wording, vector)
        return own_id

    def _kin(
        self, wording: RuleFeatures, sources: Sequence[Source], vector: Vector | None
    ) -> dict[str, Kinship]:
        """How known rules stand to a draft; those that have nothing to do with it are left out."""
        same = self._rules.same(wording)
        if same is not None:
            return {same: "same"}
        labels = self._labels(sources)
        return {
            name: kinship(
                wording,
                labels,
                self._rules.wordings[name],
                self._labels(self._held[name].sources),
                binary=self._binary,
            )
            for name in self._rules.alike(wording, vector)
        }

    def _labels(self, sources: Sequence[Source]) -> set[Label]:
        return {
            self._episodes[source.trace_id].label for source in sources if source.trace_id in self._episodes
        }

    def _inherited(self, sources: Sequence[Source]) -> tuple[Source, ...]:
        """Who had turned against the guideline in whose place this one comes."""
        own = set(sources)
        return tuple(
            source
            for settled in self._settled
            if own <= set(settled.sources)
            for source in self._standing(settled.contradicted)
        )

    def _oppose(self, one: str, other: str) -> None:
        for name, against in ((one, other), (other, one)):
            guideline = self._held.get(name)
            if guideline and against in self._held and against not in guideline.conflicts_with:
                self._held[name] = replace(guideline, conflicts_with=(*guideline.conflicts_with, against))

    def _id_of(self, text: str) -> str:
        digest = hashlib.sha256(f"{self._judge}\n{normal(text)}".encode("utf-8", "surrogatepass"))
        return f"g-{digest.hexdigest()[:16]}"


def _united(sources: Sequence[Source], more: Sequence[Source]) -> tuple[Source, ...]:
    united = {(source.trace_id, source.person): source for source in sources}
    for source in more:
        united.setdefault((source.trace_id, source.person), source)
    return tuple(united.values())
