"""One judge's two memories at one moment, and the next state after each kind of change."""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from memalign.errors import UnknownGuidelineError
from memalign.memory.episode_log import EpisodeLog
from memalign.memory.episodic import EpisodicMemory
from memalign.memory.erasure import episode_without
from memalign.memory.guideline_merge import merged_into, opinions_of, with_merged_support, with_support
from memalign.memory.guideline_record import GuidelineRecords
from memalign.memory.merge import GuidelineMerger
from memalign.memory.rule_pairs import RulePair
from memalign.memory.semantic import DEFAULT_POLICY, SemanticMemory
from memalign.ports import Distillation, LabelledRationale, MemoryChange, OverruledVerdict, Vector
from memalign.records import (
    Episode,
    Guideline,
    GuidelinePolicy,
    GuidelineTrial,
    MemorySize,
    OpinionKey,
    PersonLabel,
    PersonTarget,
    RolledBackCase,
    RuleRelation,
    Source,
)

_versions = itertools.count(1)
_NONE_ROLLED_BACK: Mapping[str, RolledBackCase] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryState:
    """One state of a judge's memory. Never changes; every change makes a new one."""

    judge: str
    binary: bool
    """True if the judge has two labels, one the opposite of the other."""
    episodic: EpisodicMemory = field(default_factory=EpisodicMemory)
    semantic: SemanticMemory = field(default_factory=SemanticMemory)
    undistilled: frozenset[str] = frozenset()
    """Traces whose rationales have not been distilled yet."""
    policy: GuidelinePolicy = DEFAULT_POLICY
    """The conditions on which guidelines are used."""
    rolled_back: Mapping[str, RolledBackCase] = field(default_factory=lambda: _NONE_ROLLED_BACK)
    """By trace id: cases that people rolled back, and of whose feedback nothing new is to be learned."""
    number: int = field(default=0, compare=False)
    """The version that people see: it grows with each change of what is learned, also over saving and loading."""
    records: GuidelineRecords = field(default_factory=GuidelineRecords, compare=False)
    """People's votes on the verdicts that guidelines led to."""
    first_name: str = ""
    """The name under which the judge began; empty where it was never renamed."""
    version: int = field(default_factory=lambda: next(_versions), compare=False)
    """Different for every state in the process, and growing."""

    @classmethod
    def empty(cls, judge: str, *, binary: bool, policy: GuidelinePolicy = DEFAULT_POLICY) -> "MemoryState":
        """Make the state of a judge that has learned nothing yet.

        Args:
            judge: The judge's name.
            binary: Whether its labels are two, one the opposite of the other.
            policy: The conditions on which guidelines are used; one person and no approval by default.

        Returns:
            The state.
        """
        return cls(judge=judge, binary=binary, policy=policy)

    @property
    def id_namespace(self) -> str:
        """The name that ids of guidelines are hashed with: it stays when the judge is renamed."""
        return self.first_name or self.judge

    @property
    def episodes(self) -> EpisodeLog:
        """The episodes by trace id, in order of learning."""
        return self.episodic.episodes

    @property
    def size(self) -> MemorySize:
        """The numbers of its cases, and of its guidelines in use."""
        return MemorySize(guidelines=len(self.semantic.in_use), cases=len(self.episodes))

    def next(
        self, episodic: EpisodicMemory, semantic: SemanticMemory, undistilled: Collection[str]
    ) -> "MemoryState":
        """Make the next state, with all that follows from its parts.

        Args:
            episodic: Its episodes.
            semantic: Its guidelines; what is derived of them is derived anew.
            undistilled: Trace ids; those without an episode are passed over.

        Returns:
            The state.
        """
        touched = () if episodic is self.episodic else episodic.changed_ids(self.episodic)
        records = self.records.changed(self.episodes, episodic.episodes, touched, semantic.guidelines)
        return replace(
            self,
            episodic=episodic,
            semantic=semantic.with_derived(episodic.episodes, self.policy, records),
            records=records,
            undistilled=frozenset(name for name in undistilled if name in episodic.episodes),
            version=next(_versions),
        )

    def with_rolled_back(self, cases: Mapping[str, RolledBackCase]) -> "MemoryState":
        """Replace the cases that count as rolled back.

        Args:
            cases: By trace id.

        Returns:
            The state with them.
        """
        return replace(self, rolled_back=MappingProxyType(dict(cases)), version=next(_versions))

    def _learning_again(self, trace_ids: Collection[str]) -> "MemoryState":
        """Return the state in which these cases follow people's feedback again."""
        if not any(name in self.rolled_back for name in trace_ids):
            return self
        kept = {name: case for name, case in self.rolled_back.items() if name not in trace_ids}
        return self.with_rolled_back(kept)

    def without_traces(self, trace_ids: Collection[str]) -> "MemoryState":
        """Forget traces: their episodes go, and so does what rested on them.

        Args:
            trace_ids: Ids of the traces; unknown ones are passed over.

        Returns:
            The state after it.
        """
        return self._learning_again(trace_ids).next(
            self.episodic.changed(drop=trace_ids),
            self.semantic_without(trace_ids),
            self.undistilled - frozenset(trace_ids),
        )

    def semantic_without(self, trace_ids: Collection[str]) -> SemanticMemory:
        """Take what rests on traces out of the guidelines.

        Args:
            trace_ids: Ids of the traces; unknown ones are passed over.

        Returns:
            The guidelines after these are forgotten.
        """
        texts = [
            part for name in trace_ids if name in self.episodes for part in self.episodes[name].case_text
        ]
        return self.semantic.without_opinions(opinions_on(self.semantic, trace_ids), texts)

    def without_person(self, person: str, trace_ids: Collection[str]) -> "MemoryState":
        """Forget a person: their words and decisions, and the cases they had a say on, to be learned anew.

        Args:
            person: The person.
            trace_ids: Ids of these cases.

        Returns:
            The state after it. Decisions of others on guidelines that rest on others as well stand, and so does what
            others said of cases that were rolled back: those are not learned anew.
        """
        rolled_back = self.rolled_back.keys() & set(trace_ids)
        opinions = opinions_on(self.semantic, set(trace_ids) - rolled_back)
        # theirs also where they have taken it back, and nobody names the case any more
        theirs = {key for rule in self.semantic.guidelines for key in opinions_of(rule) if key[1] == person}
        texts = [
            opinion.rationale
            for name in trace_ids
            if name in self.episodes
            for opinion in (*self.episodes[name].opinions, *self.episodes[name].minority)
            if opinion.person == person
        ]
        decided = frozenset(rule.id for rule in self.semantic.guidelines if rule.is_decided_on)
        semantic = self.semantic.without_person(person).without_opinions(theirs, texts)
        # what nobody decided on is learned anew from the others with their cases
        semantic = semantic.without_undecided(opinions - theirs, texts, decided)
        target = PersonTarget(person=person)
        kept = [
            left
            for name in rolled_back
            if name in self.episodes and (left := episode_without(self.episodes[name], target)) is not None
        ]
        rows = self.episodic.vectors
        episodic = self.episodic.changed(
            put=kept,
            drop=trace_ids,
            vectors={each.trace_id: rows[each.trace_id] for each in kept if each.trace_id in rows},
        )
        after = self.next(episodic, semantic, self.undistilled - frozenset(trace_ids))
        return after.with_rolled_back(_rolled_back_without(person, after))

    def with_episodes(
        self,
        *,
        put: Collection[Episode],
        retracted: Collection[str],
        lost: Collection[OpinionKey],
        vectors: Mapping[str, Vector],
        undistilled: Collection[str],
    ) -> "MemoryState":
        """Put episodes in the place of their older versions.

        Args:
            put: The episodes, new or changed.
            retracted: Trace ids whose episodes go.
            lost: Opinions that no longer stand.
            vectors: By trace id.
            undistilled: All traces whose rationales are not distilled, before `with_distillation`.

        Returns:
            The state after it.
        """
        changed = {*retracted, *(episode.trace_id for episode in put)}
        return self._learning_again(changed).next(
            self.episodic.changed(put=put, retract=retracted, vectors=vectors),
            self.semantic.without_opinions(lost),
            undistilled,
        )

    def with_distillation(
        self,
        distillation: Distillation,
        settled: Collection[str],
        vectors: Mapping[str, Vector],
        now_ms: int,
    ) -> "MemoryState":
        """Merge a distillation into the guidelines.

        Args:
            distillation: What the distiller made.
            settled: Ids of the waiting guidelines that were distilled again.
            vectors: Vectors of drafts and of guidelines by text, as far as they are known.
            now_ms: Milliseconds since 1970.

        Returns:
            The state after it.
        """
        merged = self._merger(self.semantic, vectors, now_ms).merge(distillation, settled)
        return self.next(self.episodic, merged, self.undistilled)

    def _merger(
        self, semantic: SemanticMemory, vectors: Mapping[str, Vector], now_ms: int
    ) -> GuidelineMerger:
        return GuidelineMerger(
            self.id_namespace,
            semantic,
            self.episodes,
            binary=self.binary,
            vectors=vectors,
            now_ms=now_ms,
            policy=self.policy,
        )

    def with_guidelines(self, guidelines: Iterable[Guideline]) -> "MemoryState":
        """Replace the guidelines.

        Args:
            guidelines: All guidelines of the new state.

        Returns:
            The state after it.
        """
        return self.next(self.episodic, self.semantic.with_guidelines(guidelines), self.undistilled)

    def with_guideline_vectors(
        self, vectors: Mapping[str, Vector], texts: Mapping[str, str]
    ) -> "MemoryState":
        """Add vectors of guidelines.

        Args:
            vectors: By guideline id.
            texts: By guideline id, of which the vectors were made; a guideline with another text now gets none.

        Returns:
            The state after it; the same where there is nothing to add.
        """
        rules = {rule.id for rule in self.semantic.guidelines if rule.text == texts.get(rule.id)}
        rows = {rule_id: row for rule_id, row in vectors.items() if rule_id in rules}
        if not rows:
            return self
        semantic = self.semantic.with_guidelines(self.semantic.guidelines, rows)
        return self.next(self.episodic, semantic, self.undistilled)

    def with_comparisons(
        self, comparisons: Sequence[tuple[RulePair, RuleRelation]], compared: Collection[str]
    ) -> "MemoryState":
        """Note what a model said of pairs of guidelines; unite those that say the same, and mark opposites.

        Args:
            comparisons: The pairs with their relations. One of which a text has changed since is passed over.
            compared: Ids of the guidelines whose nearest ones were among them.

        Returns:
            The state after it.
        """
        marked = self.semantic.with_guidelines(
            replace(rule, has_been_compared=True) if rule.id in compared else rule
            for rule in self.semantic.guidelines
        )
        merged = self._merger(marked, {}, 0).merge_compared(comparisons)
        return self.next(self.episodic, merged, self.undistilled)

    def with_supports(self, episodes: Iterable[Episode]) -> "MemoryState":
        """Count people as sources of the guidelines that they say cover a case; no model is asked.

        Args:
            episodes: The cases with their opinions. Of guidelines that are gone, or wait, nothing follows.

        Returns:
            The state after it.
        """
        supports = supports_of(episodes)
        if not supports:
            return self
        rules = (_with_supports(rule, supports) for rule in self.semantic.guidelines)
        return self.next(self.episodic, self.semantic.with_guidelines(rules), self.undistilled)

    def with_addition(self, guideline: Guideline, approved_by: str = "") -> "MemoryState":
        """Add a guideline that a person made by hand.

        Args:
            guideline: The guideline.
            approved_by: The person who approves it at once; empty: it waits where guidelines need approval.

        Returns:
            The state after it.
        """
        needs_approval = self.policy.approval == "manual"
        approved = approved_by if needs_approval else ""
        return self.with_guideline(replace(guideline, needs_approval=needs_approval, approved_by=approved))

    def with_guideline(self, guideline: Guideline) -> "MemoryState":
        """Put a guideline in the place of its earlier version, or beside the others.

        Args:
            guideline: The guideline. Its vector goes where its text is another one.

        Returns:
            The state after it.
        """
        rules = {rule.id: rule for rule in self.semantic.guidelines}
        known = rules.get(guideline.id)
        semantic = self.semantic
        if known is not None and known.text != guideline.text:
            semantic = semantic.without_vector(guideline.id)
        rules[guideline.id] = guideline
        return self.next(self.episodic, semantic.with_guidelines(rules.values()), self.undistilled)

    def with_trial(self, tried: Guideline, trial: GuidelineTrial | None) -> "MemoryState":
        """Note the outcome of a guideline's trial.

        Args:
            tried: The guideline as it was tried.
            trial: The outcome; None if there was nothing to try it on, so that it waits for no trial any more.

        Returns:
            The state after it; this one where the guideline is gone, says something else or waits for no trial by now.
        """
        current = {rule.id: rule for rule in self.semantic.guidelines}.get(tried.id)
        if current is None or current.text != tried.text or not current.awaits_trial:
            return self
        outcome = replace(current, needs_trial=False) if trial is None else replace(current, trial=trial)
        return self.with_guideline(outcome)

    def without_guideline(self, guideline_id: str) -> "MemoryState":
        """Take a guideline away.

        Args:
            guideline_id: Its id.

        Returns:
            The state after it.
        """
        rules = [rule for rule in self.semantic.guidelines if rule.id != guideline_id]
        return self.next(self.episodic, self.semantic.with_guidelines(rules), self.undistilled)

    def guideline(self, guideline_id: str) -> Guideline:
        """Find a guideline.

        Args:
            guideline_id: Its id.

        Returns:
            The guideline.

        Raises:
            UnknownGuidelineError: If there is no such guideline.
        """
        for rule in self.semantic.guidelines:
            if rule.id == guideline_id:
                return rule
        raise UnknownGuidelineError(
            f"The judge {self.judge} has no guideline {guideline_id}; `memalign guidelines` lists what it has."
        )

    def change_from(self, before: "MemoryState") -> MemoryChange:
        """Compare with an earlier state.

        Args:
            before: The state that a store has.

        Returns:
            The change that brings the store to this state.
        """
        old, new = before.episodes, self.episodes
        touched = self.episodic.changed_ids(before.episodic)
        known = {guideline.id: guideline for guideline in before.semantic.guidelines}
        current = {guideline.id: guideline for guideline in self.semantic.guidelines}
        return MemoryChange(
            put_episodes=tuple(
                new[trace_id]
                for trace_id in touched
                if trace_id in new and old.get(trace_id) is not new[trace_id]
            ),
            drop_episodes=frozenset(
                trace_id for trace_id in touched if trace_id in old and trace_id not in new
            ),
            put_guidelines=tuple(
                rule for rule_id, rule in current.items() if _is_changed(known.get(rule_id), rule)
            ),
            drop_guidelines=frozenset(known.keys() - current.keys()),
            undistilled=self.undistilled,
            put_rolled_back=tuple(
                case for name, case in self.rolled_back.items() if before.rolled_back.get(name) != case
            ),
            drop_rolled_back=frozenset(before.rolled_back.keys() - self.rolled_back.keys()),
        )


def _rolled_back_without(person: str, state: MemoryState) -> dict[str, RolledBackCase]:
    cases = {}
    for name, case in state.rolled_back.items():
        opinions = tuple(each for each in case.opinions if each[0] != person)
        if opinions or name in state.episodes:
            cases[name] = replace(case, opinions=opinions)
    return cases


def _is_changed(before: Guideline | None, rule: Guideline) -> bool:
    """Tell whether a guideline is to be stored: of a record, that it leaves it in doubt, and by which votes."""
    return before != rule or (rule.doubtful and before.record != rule.record)


def supports_of(episodes: Iterable[Episode]) -> dict[str, list[Source]]:
    """Gather the opinions that support guidelines by name.

    Args:
        episodes: The cases.

    Returns:
        Guideline id -> the opinions.
    """
    supports: dict[str, list[Source]] = {}
    for episode in episodes:
        for opinion in episode.opinions:
            for guideline_id in opinion.supports:
                supports.setdefault(guideline_id, []).append(rationale_of(episode, opinion).source)
    return supports


def _with_supports(rule: Guideline, supports: Mapping[str, Sequence[Source]]) -> Guideline:
    if not rule.stands:
        return rule
    for each in merged_into(rule):
        if each.id in supports:
            rule = with_merged_support(rule, each.id, supports[each.id])
    return with_support(rule, supports[rule.id]) if rule.id in supports else rule


def rationales_of(
    episodes: Mapping[str, Episode], guidelines: Collection[Guideline], trace_ids: Collection[str]
) -> list[LabelledRationale]:
    """Gather the rationales to distil again.

    Args:
        episodes: By trace id, in order of learning.
        guidelines: Those whose sources, for them or against them, are wanted.
        trace_ids: Traces whose rationales are all wanted.

    Returns:
        The rationales, in order of learning.
    """
    sources = {
        (source.trace_id, source.person)
        for guideline in guidelines
        for source in (*guideline.sources, *guideline.contradicted)
    }
    if not sources and not trace_ids:
        return []
    return [
        rationale_of(episode, opinion)
        for trace_id, episode in episodes.items()
        for opinion in episode.opinions
        if opinion.rationale and (trace_id in trace_ids or (trace_id, opinion.person) in sources)
    ]


def rationale_of(episode: Episode, opinion: PersonLabel) -> LabelledRationale:
    """Make material to distil from.

    Args:
        episode: The case.
        opinion: One of its opinions.

    Returns:
        The opinion's rationale with the case.
    """
    source = Source(
        trace_id=episode.trace_id, person=opinion.person, quote=opinion.rationale, time_ms=opinion.time_ms
    )
    overruled = (
        OverruledVerdict(value=episode.verdict.value)
        if episode.verdict is not None and episode.is_overruled
        else None
    )
    return LabelledRationale(source=source, label=episode.label, fields=episode.fields, overruled=overruled)


def opinions_on(semantic: SemanticMemory, trace_ids: Collection[str]) -> set[OpinionKey]:
    """Find the opinions that guidelines hold of some traces, for them or against them.

    Args:
        semantic: The guidelines.
        trace_ids: Ids of the traces.

    Returns:
        The opinions.
    """
    opinions = {key for guideline in semantic.guidelines for key in opinions_of(guideline)}
    return {(trace_id, person) for trace_id, person in opinions if trace_id in trace_ids}
