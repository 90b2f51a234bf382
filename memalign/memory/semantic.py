"""Semantic memory: guidelines and the words they rest on. A value; every change gives a new one.

What is derived (the guidelines' order, which are overruled) follows from the facts alone, so that the same facts give
the same memory, whatever order they came and went in.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from memalign.memory.episode_log import EpisodeLog
from memalign.memory.guideline_merge import contradictions_of, without_opinions, without_person
from memalign.memory.guideline_record import GuidelineRecords, with_record
from memalign.ports import MemorySnapshot, Vector
from memalign.records import WAITING_TEXT, Episode, Guideline, GuidelinePolicy, Lack, OpinionKey, Source

__all__ = ["DEFAULT_POLICY", "WAITING_TEXT", "SemanticMemory", "guidelines_of", "with_policy"]

DEFAULT_POLICY = GuidelinePolicy()
_NO_VECTORS: Mapping[str, Vector] = MappingProxyType({})
_NO_RECORDS = GuidelineRecords()


@dataclass(frozen=True, slots=True, kw_only=True)
class SemanticMemory:
    """The guidelines of one judge."""

    guidelines: tuple[Guideline, ...] = ()
    vectors: Mapping[str, Vector] = field(default_factory=dict, compare=False)
    """By guideline id, each of shape (dimension,), as far as they are known."""

    @property
    def in_use(self) -> tuple[Guideline, ...]:
        """The guidelines that judges are shown."""
        return tuple(guideline for guideline in self.guidelines if guideline.in_use)

    @property
    def standing(self) -> tuple[Guideline, ...]:
        """The guidelines that are in use or pending."""
        return tuple(guideline for guideline in self.guidelines if guideline.stands)

    @property
    def known(self) -> tuple[Guideline, ...]:
        """The guidelines that distillers are shown: those that stand, and those retired whose words are there."""
        retired = (rule for rule in self.guidelines if rule.retired and rule.has_words)
        return (*self.standing, *retired)

    @property
    def waiting(self) -> tuple[Guideline, ...]:
        """The guidelines that have to be distilled again."""
        return tuple(guideline for guideline in self.guidelines if guideline.waiting)

    def resting_on(self, trace_ids: Collection[str]) -> tuple[Guideline, ...]:
        """Find the guidelines with a source on some traces.

        Args:
            trace_ids: Ids of the traces.

        Returns:
            The guidelines, in order.
        """
        return tuple(
            guideline
            for guideline in self.guidelines
            if any(trace_id in trace_ids for trace_id, _ in (*_keys(guideline.sources), *guideline.worded_by))
        )

    def without_opinions(
        self, opinions: Collection[OpinionKey], forgotten_texts: Collection[str] | None = None
    ) -> "SemanticMemory":
        """Take opinions away.

        Args:
            opinions: The opinions that no longer stand.
            forgotten_texts: Texts of the cases, where opinions and cases are forgotten; None: they are taken back.
                A retired guideline outlives what is taken back, but not what is forgotten.

        Returns:
            The memory without the guidelines that lose all their sources. One that loses a source of its text waits to
            be distilled again from those that remain, and what was merged because of the opinions is restored.
        """
        if not opinions:
            return self
        remaining = [
            part for rule in self.guidelines for part in without_opinions(rule, opinions, forgotten_texts)
        ]
        return self.with_guidelines(remaining)

    def with_guidelines(
        self, guidelines: Iterable[Guideline], vectors: Mapping[str, Vector] = _NO_VECTORS
    ) -> "SemanticMemory":
        """Replace the guidelines.

        Args:
            guidelines: All guidelines of the new memory.
            vectors: Further vectors by guideline id; none by default.

        Returns:
            The new memory, with the vectors known so far and those given.
        """
        guidelines = tuple(guidelines)
        ids = {guideline.id for guideline in guidelines if not guideline.waiting}
        rows = {rule_id: row for rule_id, row in {**self.vectors, **vectors}.items() if rule_id in ids}
        linked = tuple(_with_links_among(guideline, ids) for guideline in guidelines)
        return SemanticMemory(guidelines=linked, vectors=rows)

    def without_undecided(
        self, opinions: Collection[OpinionKey], forgotten_texts: Collection[str], decided: Collection[str]
    ) -> "SemanticMemory":
        """Take opinions away from the guidelines on which nobody has decided anything.

        Args:
            opinions: The opinions.
            forgotten_texts: Texts that are forgotten with them.
            decided: Ids of the guidelines that stay as they are.

        Returns:
            The memory after it.
        """
        remaining = [
            part
            for rule in self.guidelines
            for part in ((rule,) if rule.id in decided else without_opinions(rule, opinions, forgotten_texts))
        ]
        return self.with_guidelines(remaining)

    def without_person(self, person: str) -> "SemanticMemory":
        """Forget what a person decided on guidelines, and the words they gave them.

        Args:
            person: The person. What they said on cases goes with the opinions.

        Returns:
            The memory without them: a decision stands without its author, words go.
        """
        remaining = [part for rule in self.guidelines for part in without_person(rule, person)]
        texts = {rule.id: rule.text for rule in remaining}
        reworded = {rule.id for rule in self.guidelines if texts.get(rule.id) != rule.text}
        rows = {rule_id: row for rule_id, row in self.vectors.items() if rule_id not in reworded}
        return replace(self, vectors=rows).with_guidelines(remaining)

    def without_vector(self, guideline_id: str) -> "SemanticMemory":
        """Drop the vector of a guideline whose text changes.

        Args:
            guideline_id: Its id; one without a vector is passed over.

        Returns:
            The memory without it.
        """
        rows = {rule_id: row for rule_id, row in self.vectors.items() if rule_id != guideline_id}
        return replace(self, vectors=rows)

    def with_derived(
        self,
        episodes: Mapping[str, Episode],
        policy: GuidelinePolicy = DEFAULT_POLICY,
        records: GuidelineRecords = _NO_RECORDS,
    ) -> "SemanticMemory":
        """Derive order, labels, overruling, records and what is pending.

        Args:
            episodes: By trace id, in order of learning.
            policy: The conditions on which guidelines are used; one person and no approval by default.
            records: The guidelines' records; none by default.

        Returns:
            The memory with guidelines in the order of their first source.
        """
        places = EpisodeLog.of(episodes)
        recorded = (with_record(guideline, records) for guideline in self.guidelines)
        guidelines = sorted(
            (
                with_policy(_with_labels(_with_ruling(guideline, places), episodes), policy)
                for guideline in recorded
            ),
            key=lambda guideline: (_first_place(guideline.sources, places), guideline.text, guideline.id),
        )
        return replace(self, guidelines=tuple(guidelines))


def guidelines_of(
    snapshot: MemorySnapshot, policy: GuidelinePolicy = DEFAULT_POLICY
) -> tuple[Guideline, ...]:
    """Derive the guidelines of a stored memory, for readers that need nothing else of it.

    Args:
        snapshot: The memory.
        policy: The conditions on which guidelines are used; one person and no approval by default.

    Returns:
        The guidelines as the memory lists them.
    """
    records = GuidelineRecords.of(snapshot.episodes, snapshot.guidelines)
    semantic = SemanticMemory(guidelines=snapshot.guidelines)
    return semantic.with_derived(snapshot.episodes, policy, records).guidelines


def with_policy(guideline: Guideline, policy: GuidelinePolicy) -> Guideline:
    """Derive whether a guideline is pending.

    Args:
        guideline: The guideline.
        policy: The conditions on which guidelines are used.

    Returns:
        The guideline, pending where it lacks people, an approval or a trial, or is in doubt and not pinned.
    """
    unapproved = policy.approval == "manual" and guideline.needs_approval and not guideline.approved_by
    conditions: Mapping[Lack, bool] = {
        "approval": unapproved,
        "people": len(guideline.people) < policy.min_people,
        "agreement": guideline.doubtful and not guideline.pinned,
        "trial": _lacks_trial(guideline, policy),
    }
    lacks = tuple(name for name, is_lacking in conditions.items() if is_lacking)
    return guideline if lacks == guideline.lacks else replace(guideline, lacks=lacks)


def _lacks_trial(guideline: Guideline, policy: GuidelinePolicy) -> bool:
    """Tell whether a guideline is to be tried, or failed its trial; a person's decision or own words stand above it."""
    if guideline.approved_by or guideline.is_worded_by_hand:
        return False
    if guideline.trial is not None:
        return guideline.trial.is_harmful
    return policy.trials and guideline.needs_trial


def _keys(sources: Sequence[Source]) -> Sequence[OpinionKey]:
    return [source.key for source in sources]


def _with_links_among(guideline: Guideline, ids: Collection[str]) -> Guideline:
    """Keep the links to guidelines that have words; one that waits, without words of its own, has none."""
    linked = () if guideline.waiting else ids
    conflicts = tuple(other for other in guideline.conflicts_with if other in linked)
    compared = tuple(each for each in guideline.compared if each.guideline_id in linked)
    if (conflicts, compared) == (guideline.conflicts_with, guideline.compared):
        return guideline
    return replace(guideline, conflicts_with=conflicts, compared=compared)


def _first_place(sources: Sequence[Source], places: EpisodeLog) -> int:
    return min((places.place(source.trace_id) for source in sources), default=places.place(""))


def _with_ruling(guideline: Guideline, places: EpisodeLog) -> Guideline:
    """Put sources in order of learning; overrule where each of its people has said the opposite since."""
    sources = tuple(sorted(guideline.sources, key=lambda source: (_recency(source, places), source.person)))
    contradicted = contradictions_of(guideline)
    supports = _latest(sources, places)
    if added := guideline.added_by:
        supports[added.person] = max(supports.get(added.person, (0, -1)), (added.time_ms, -1))
    overruled = bool(contradicted and supports) and _is_overruled(supports, contradicted, places)
    if sources == guideline.sources and overruled == guideline.overruled:
        return guideline
    return replace(guideline, sources=sources, overruled=overruled)


def _is_overruled(
    supports: Mapping[str, tuple[int, int]], contradicted: Sequence[Source], places: EpisodeLog
) -> bool:
    opposes = _latest(contradicted, places)
    return all(person in opposes and opposes[person] > when for person, when in supports.items())


def _with_labels(guideline: Guideline, episodes: Mapping[str, Episode]) -> Guideline:
    known = [episodes[source.trace_id].label for source in guideline.sources if source.trace_id in episodes]
    labels = tuple(known) if len(known) == len(guideline.sources) else ()
    # True == 1, so that labels of another type may be equal
    same = labels == guideline.labels and list(map(type, labels)) == list(map(type, guideline.labels))
    return guideline if same else replace(guideline, labels=labels)


def _latest(sources: Sequence[Source], places: EpisodeLog) -> dict[str, tuple[int, int]]:
    latest: dict[str, tuple[int, int]] = {}
    for source in sources:
        latest[source.person] = max(latest.get(source.person, (0, -1)), _recency(source, places))
    return latest


def _recency(source: Source, places: EpisodeLog) -> tuple[int, int]:
    """Return the time of the opinion; where none is known, the order of learning decides."""
    return source.time_ms, places.place(source.trace_id)
