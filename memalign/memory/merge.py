"""Merging what was distilled into the known guidelines: equal sentences unite, opposites are marked.

That other sentences say the same or the opposite, only a model says. It is believed where their vectors lie close
together and, for the same, where the cases they rest on do not split by label.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from memalign.memory.episode_log import EpisodeLog
from memalign.memory.guideline_handling import guideline_id
from memalign.memory.guideline_merge import merge, merged_into, union, with_merged_support, with_support
from memalign.memory.rule_pairs import MIN_PAIR_COSINE, RulePair, are_split
from memalign.memory.semantic import DEFAULT_POLICY, SemanticMemory
from memalign.memory.text_features import repeats, sentence_key
from memalign.ports import Distillation, Draft, Vector
from memalign.records import (
    Comparison,
    Episode,
    Guideline,
    GuidelinePolicy,
    Label,
    OpinionKey,
    RuleRelation,
    Source,
)


class GuidelineMerger:
    """Merges one distillation, once. What was distilled from an episode that is no longer there is left out.

    Args:
        judge: The judge's name; guideline ids are made of it and the text.
        memory: The guidelines before.
        episodes: By trace id, as they are now.
        binary: Whether the judge has two labels only.
        vectors: Vectors of drafts and of guidelines by their text, as far as they are known.
        now_ms: Milliseconds since 1970, noted in new guidelines.
        policy: The conditions on which new guidelines are used.
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
        policy: GuidelinePolicy = DEFAULT_POLICY,
    ) -> None:
        self._judge = judge
        self._memory = memory
        self._episodes = episodes
        self._places = EpisodeLog.of(episodes)
        self._binary = binary
        self._vectors_by_text = vectors
        self._now_ms = now_ms
        self._needs_approval = policy.approval == "manual"
        self._trials = policy.trials
        self._guidelines = {guideline.id: guideline for guideline in memory.guidelines}
        self._vectors = dict(memory.vectors)
        self._replaced: list[Guideline] = []
        """Waiting guidelines in whose place drafts come."""
        self._reworded: dict[str, Guideline] = {}
        """Retired guidelines that wait for new words, by id."""
        self._by_sentence: dict[str, str] = {}
        """Guideline ids by the sentence that the guideline is, see `sentence_key`."""
        self._standing_for: dict[str, str] = {}
        """Id of a merged guideline -> id of the one that stands for it."""

    def merge(self, distillation: Distillation, settled: Collection[str]) -> SemanticMemory:
        """Merge a distillation.

        Args:
            distillation: What the distiller made of the records.
            settled: Ids of the waiting guidelines that were distilled again; drafts take their place.

        Returns:
            The memory with all of it.
        """
        again = [self._guidelines[rule_id] for rule_id in settled if rule_id in self._guidelines]
        self._replaced = [self._guidelines.pop(rule.id) for rule in again if not rule.retired]
        self._reworded = {rule.id: rule for rule in again if rule.retired}
        self._note_known()
        for rule_id, sources in distillation.supports.items():
            self._support(rule_id, sources)
        for rule_id, sources in distillation.contradicts.items():
            self._contradict(rule_id, sources)
        # first those that give a retired rule words again: what says the same is known by them
        for draft in sorted(distillation.drafts, key=lambda draft: self._retired_on(draft.sources) is None):
            self._add_draft(draft)
        for text, rule_id in distillation.conflicts:
            self._mark_near_conflict(self._id_of(text), rule_id)
        for rule_ids in distillation.same:
            self._merge_known(rule_ids, distillation.prompted_by.get(rule_ids, ()), self._may_be_same)
        for rule_id in self._reworded:
            # the model found no words for it: it stays out of use without any, and is not asked about again
            self._guidelines[rule_id] = replace(self._guidelines[rule_id], waiting=False)
        return self._memory.with_guidelines(self._guidelines.values(), self._vectors)

    def merge_compared(self, comparisons: Iterable[tuple[RulePair, RuleRelation]]) -> SemanticMemory:
        """Unite guidelines that a model, with nothing but their texts in front of it, takes for the same.

        Args:
            comparisons: The pairs with the model's answers; one of which a text is another one now is passed over.

        Returns:
            The memory after it, with the answers noted.
        """
        self._note_known()
        current = [(pair, relation) for pair, relation in comparisons if self._is_current(pair)]
        for pair, relation in current:
            self._note_comparison(pair, relation)
            if relation == "opposite":
                self._mark_near_conflict(*pair.key)
        for pair, relation in current:
            if relation == "same":
                # one of them may be merged already, so that another one stands for it
                ids = [self._standing_for.get(rule_id, rule_id) for rule_id in pair.key]
                wording = (key for rule in (pair.first, pair.second) for key in _wording_of(rule))
                self._merge_known(ids, tuple(dict.fromkeys(wording)), self._agree_on_labels)
        return self._memory.with_guidelines(self._guidelines.values(), self._vectors)

    def _note_known(self) -> None:
        for known in self._guidelines.values():
            if not known.waiting and known.has_words:
                self._by_sentence[sentence_key(known.text)] = known.id
            self._standing_for.update((each.id, known.id) for each in merged_into(known))

    def _is_current(self, pair: RulePair) -> bool:
        rules = (self._guidelines.get(rule_id) for rule_id in pair.key)
        texts = [rule.text for rule in rules if rule and rule.stands]
        return texts == [pair.first.text, pair.second.text]

    def _note_comparison(self, pair: RulePair, relation: RuleRelation) -> None:
        rule, other_id = self._guidelines[pair.first.id], pair.second.id
        others = (each for each in rule.compared if each.guideline_id != other_id)
        noted = Comparison(guideline_id=other_id, texts_hash=pair.texts_hash, relation=relation)
        self._guidelines[rule.id] = replace(rule, compared=(*others, noted))

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

    def _support(self, rule_id: str, sources: Sequence[Source]) -> None:
        known = self._guidelines.get(rule_id)
        if known and (known.stands or known.retired):
            self._guidelines[rule_id] = with_support(known, self._current(sources))

    def _contradict(self, rule_id: str, sources: Sequence[Source]) -> None:
        known = self._guidelines.get(rule_id)
        if known:
            contradicted = union(known.contradicted, self._current(sources))
            self._guidelines[rule_id] = replace(known, contradicted=contradicted)

    def _add_draft(self, draft: Draft) -> None:
        text = " ".join(draft.text.split())
        sources = self._current(draft.sources)
        if not text or not sources:
            return
        if standing := self._standing_for.get(self._id_of(text)):
            known = self._guidelines[standing]
            self._guidelines[standing] = with_merged_support(known, self._id_of(text), sources)
            return
        known_again = self._guidelines.get(self._id_of(text))
        if known_again and (known_again.retired or not known_again.waiting):
            # its first words: it has others since somebody edited it, or none since they are forgotten
            self._guidelines[known_again.id] = with_support(known_again, sources)
            return
        vector = self._vectors_by_text.get(draft.text)
        same = self._by_sentence.get(sentence_key(text)) or self._retired_saying(text)
        if same is not None:
            self._unite(same, text, sources, vector)
        elif retired := self._retired_on(sources):
            self._reword_retired(retired, text, sources, vector)
        else:
            self._add(text, sources, vector)

    def _retired_saying(self, text: str) -> str | None:
        """Return the id of a retired rule that a text says again, in other order or forms of its words."""
        retired = (rule for rule in self._guidelines.values() if rule.retired and rule.has_words)
        return next((rule.id for rule in retired if repeats(text, rule.text)), None)

    def _retired_on(self, sources: Sequence[Source]) -> Guideline | None:
        """Return a retired rule without words that rests on one of these sources: they may say it again."""
        keys = set(_keys(sources))
        return next(
            (
                rule
                for rule in self._guidelines.values()
                if rule.retired and not rule.has_words and not keys.isdisjoint(_keys(rule.sources))
            ),
            None,
        )

    def _reword_retired(
        self,
        retired: Guideline,
        text: str,
        sources: tuple[Source, ...],
        vector: Vector | None,
    ) -> None:
        """Give a retired rule new words; it keeps its id, by which its first words are known again."""
        self._reworded.pop(retired.id, None)
        reworded = replace(
            with_support(retired, sources), text=text, waiting=False, worded_by=_keys(sources), trial=None
        )
        self._guidelines[retired.id] = reworded
        if vector is not None:
            self._vectors[retired.id] = vector
        self._by_sentence[sentence_key(text)] = retired.id

    def _unite(
        self,
        rule_id: str,
        text: str,
        sources: tuple[Source, ...],
        vector: Vector | None,
    ) -> None:
        """Add a draft's sources to a rule that says the same, in the rule's words.

        Of what is distilled again the words of whoever taught first are taken instead: those do not depend on which of
        the two came back first, so that the order of forgetting makes no difference.
        """
        known = self._guidelines[rule_id]
        again = any(set(sources) <= set(replaced.sources) for replaced in self._replaced)
        if (
            known.is_decided_on
            or not again
            or self._rank(known.text, known.sources) <= self._rank(text, sources)
        ):
            self._guidelines[rule_id] = with_support(known, sources)
            return
        self._remove(rule_id)
        own_id = self._add(text, sources, vector)
        reworded = replace(
            known,
            id=own_id,
            text=text,
            sources=sources,
            worded_by=_keys(sources),
            conflicts_with=(),
            needs_trial=self._guidelines[own_id].needs_trial or "trial" in known.lacks,
            trial=None,
        )
        self._guidelines[own_id] = with_support(reworded, known.sources)
        for other in known.conflicts_with:
            self._mark_conflict(own_id, other)

    def _rank(self, text: str, sources: Sequence[Source]) -> tuple[int, int, str]:
        """Return the place of a text among those that say the same: by who taught first, then the shorter one."""
        places = (self._places.place(source.trace_id) for source in sources)
        return min(places, default=0), len(text), text

    def _merge_known(
        self,
        rule_ids: Sequence[str],
        prompted_by: Sequence[OpinionKey],
        may_be_same: Callable[[Guideline, Guideline], bool],
    ) -> None:
        """Let one of known rules that say the same stand for the others: one in use, of most people, taught first.

        Only those are merged that `may_be_same`, whatever a model says of them.
        """
        rules = (self._guidelines.get(rule_id) for rule_id in dict.fromkeys(rule_ids))
        known = [rule for rule in rules if rule and (rule.stands or (rule.retired and rule.has_words))]
        known.sort(
            key=lambda rule: (
                not rule.retired,
                not rule.is_decided_on,
                rule.pending,
                -len(rule.people),
                self._rank(rule.text, rule.sources),
            )
        )
        for other in known[1:]:
            best = self._guidelines[known[0].id]
            in_conflict = other.id in best.conflicts_with or best.id in other.conflicts_with
            # what people decided on is never swallowed: it is theirs to take out of use
            if in_conflict or other.is_decided_on or not may_be_same(best, other):
                continue
            self._remove(other.id)
            self._guidelines[best.id] = merge(best, other, prompted_by)
            self._standing_for.update((each.id, best.id) for each in (other, *merged_into(other)))
            for opposed in other.conflicts_with:
                self._mark_conflict(best.id, opposed)

    def _may_be_same(self, rule: Guideline, other: Guideline) -> bool:
        """Check the word of a model that had reasons in front of it, any of which may have asked it to say so."""
        if rule.retired and repeats(other.text, rule.text):
            return True
        return self._are_near(rule, other) and self._agree_on_labels(rule, other)

    def _agree_on_labels(self, rule: Guideline, other: Guideline) -> bool:
        labels, others = self._labels(rule.sources), self._labels(other.sources)
        return not (labels and others and are_split(labels, others, binary=self._binary))

    def _are_near(self, rule: Guideline, other: Guideline) -> bool:
        row, other_row = self._vector_of(rule), self._vector_of(other)
        return row is not None and other_row is not None and float(row @ other_row) > MIN_PAIR_COSINE

    def _vector_of(self, rule: Guideline) -> Vector | None:
        row = self._vectors.get(rule.id)
        return self._vectors_by_text.get(rule.text) if row is None else row

    def _remove(self, rule_id: str) -> None:
        self._by_sentence.pop(sentence_key(self._guidelines[rule_id].text), None)
        del self._guidelines[rule_id]
        self._vectors.pop(rule_id, None)

    def _add(self, text: str, sources: tuple[Source, ...], vector: Vector | None) -> str:
        own_id = self._id_of(text)
        replaced = [
            rule
            for rule in self._replaced
            if set(sources) <= set(rule.sources) or (rule.sources and set(rule.sources) <= set(sources))
        ]
        self._guidelines[own_id] = Guideline(
            id=own_id,
            text=text,
            sources=sources,
            learned_ms=self._now_ms,
            contradicted=tuple(source for rule in replaced for source in self._current(rule.contradicted)),
            worded_by=_keys(sources),
            needs_approval=all(rule.needs_approval for rule in replaced)
            if replaced
            else self._needs_approval,
            approved_by=next((rule.approved_by for rule in replaced if rule.approved_by), ""),
            pinned_by=next((rule.pinned_by for rule in replaced if rule.pinned_by), None),
            record_since_ms=max((rule.record_since_ms for rule in replaced), default=0),
            needs_trial=self._needs_trial(sources, replaced),
        )
        if vector is not None:
            self._vectors[own_id] = vector
        self._by_sentence[sentence_key(text)] = own_id
        return own_id

    def _needs_trial(self, sources: Sequence[Source], replaced: Sequence[Guideline]) -> bool:
        """Tell whether a rule is to be tried: one that is new, or in the place of one that was not proved.

        There has to be a case to try it on, beside its own only source.
        """
        if not self._trials or (replaced and not any("trial" in rule.lacks for rule in replaced)):
            return False
        traces = {source.trace_id for source in sources}
        return len(self._episodes) > (1 if len(traces) == 1 else 0)

    def _labels(self, sources: Sequence[Source]) -> set[Label]:
        return {
            self._episodes[source.trace_id].label for source in sources if source.trace_id in self._episodes
        }

    def _mark_near_conflict(self, rule_id: str, other_id: str) -> None:
        """Mark two rules that a model takes for opposites, where they are on much the same thing."""
        rule, other = self._guidelines.get(rule_id), self._guidelines.get(other_id)
        if rule and other and self._are_near(rule, other):
            self._mark_conflict(rule_id, other_id)

    def _mark_conflict(self, rule_id: str, other_id: str) -> None:
        for own, opposed in ((rule_id, other_id), (other_id, rule_id)):
            rule = self._guidelines.get(own)
            if rule and opposed in self._guidelines and opposed not in rule.conflicts_with:
                self._guidelines[own] = replace(rule, conflicts_with=(*rule.conflicts_with, opposed))

    def _id_of(self, text: str) -> str:
        return guideline_id(self._judge, text)


def _wording_of(rule: Guideline) -> tuple[OpinionKey, ...]:
    return rule.worded_by or _keys(rule.sources)


def _keys(sources: Sequence[Source]) -> tuple[OpinionKey, ...]:
    return tuple(source.key for source in sources)
