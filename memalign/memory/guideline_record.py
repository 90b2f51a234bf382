"""Each guideline's record: people's votes on the verdicts that it led to, and whether they leave it in doubt.

A verdict names the guidelines that led to it. Each person's opinion on such a case is one vote on them: up where it is
the verdict's value, down otherwise. So a record follows from the episodes alone; what is forgotten leaves it, too.

Let t be the share of right verdicts among those that a guideline leads to. Before any vote it is Beta(2, 1), after
`up` and `down` votes Beta(2 + up, 1 + down): the beta distribution is conjugate to the binomial one (Gelman et al.,
"Bayesian Data Analysis", 3rd edition, section 2.4). The guideline is in doubt where P(t < 1/2) is above 0.9.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from rpds import HashTrieMap

from memalign.memory.guideline_merge import merged_into
from memalign.records import NO_VOTES, Episode, Guideline, GuidelineRecord

PRIOR_UP, PRIOR_DOWN = 2, 1
"""Parameters of the prior: a guideline comes from people's reasons, and so is more likely right than wrong. Set by
simulation: a guideline whose verdicts are right 12 % of the time is in doubt after a median of 5 votes, and none whose
verdicts are right 85 to 92 % of the time is."""
DOUBT_PROBABILITY = 0.9
"""Probability above which a guideline that is wrong more often than right is taken for such. Of the same simulation."""

Records: TypeAlias = "HashTrieMap[str, GuidelineRecord]"


class _Place(NamedTuple):
    """The record in which votes on one guideline id are counted."""

    guideline_id: str
    """Of the guideline that stands for it."""
    since_ms: int = 0
    """Only verdicts given after it count; 0: all."""


class GuidelineRecords:
    """The records in one version of a memory, by guideline id. Never changes.

    A persistent map: the next version costs what has changed, however many cases and guidelines there are.
    """

    def __init__(self) -> None:
        self._records: Records = HashTrieMap()
        self._places: Mapping[str, _Place] = {}

    @classmethod
    def of(cls, episodes: Mapping[str, Episode], guidelines: Iterable[Guideline]) -> "GuidelineRecords":
        """Count all votes.

        Args:
            episodes: By trace id.
            guidelines: Those of the same memory.

        Returns:
            The records.
        """
        return cls().changed({}, episodes, episodes, guidelines)

    def changed(
        self,
        before: Mapping[str, Episode],
        after: Mapping[str, Episode],
        touched: Collection[str],
        guidelines: Iterable[Guideline],
    ) -> "GuidelineRecords":
        """Make the records of the next version.

        Args:
            before: The episodes of this version by trace id.
            after: Those of the next one.
            touched: Trace ids of all episodes that may differ.
            guidelines: Of the next version. A guideline gets the votes of those that it stands for.

        Returns:
            The records.
        """
        version = GuidelineRecords()
        version._places = _places(guidelines)
        records = self._records
        for trace_id in touched:
            old, new = before.get(trace_id), after.get(trace_id)
            if old is not new:
                records = _counted(records, old, self._places, sign=-1)
                records = _counted(records, new, self._places, sign=1)
        if moved := self._moved(records, version._places):
            records = _recounted(records, moved, after, version._places)
        version._records = records
        return version

    def record(self, guideline_id: str) -> GuidelineRecord:
        """Look a record up.

        Args:
            guideline_id: Id of a guideline that stands for itself.

        Returns:
            Its record, and that of the guidelines it stands for; empty where nobody voted on any verdict of theirs.
        """
        return self._records.get(guideline_id, NO_VOTES)

    def _moved(self, records: Records, places: Mapping[str, _Place]) -> set[str]:
        """Return the records that have to be counted anew, since votes on some ids go elsewhere than before."""
        moved = set()
        for each in {guideline_id for guideline_id, _ in self._places.items() ^ places.items()}:
            old, new = self._places.get(each, _Place(each)), places.get(each, _Place(each))
            if old.since_ms or old.guideline_id in records:
                moved |= {old.guideline_id, new.guideline_id}
        return moved


def posterior_mean(record: GuidelineRecord) -> float:
    """Estimate how often verdicts that a guideline leads to are right.

    Args:
        record: The votes on them.

    Returns:
        The mean of Beta(2 + up, 1 + down), above 0 and below 1; 2/3 without votes.
    """
    votes = record.up + record.down
    return (PRIOR_UP + record.up) / (PRIOR_UP + PRIOR_DOWN + votes)


def probability_below_half(record: GuidelineRecord) -> float:
    """Find how likely it is that verdicts which a guideline leads to are wrong more often than right.

    Args:
        record: The votes on them.

    Returns:
        P(t < 1/2) of Beta(2 + up, 1 + down), that is the regularized incomplete beta function at 1/2. For integer
        parameters it is a sum of binomial probabilities (NIST Digital Library of Mathematical Functions, 8.17.5).
    """
    return _probability_below_half(record.up, record.down)


def with_record(guideline: Guideline, records: GuidelineRecords) -> Guideline:
    """Derive a guideline's record, and whether it is in doubt.

    Args:
        guideline: The guideline.
        records: Those of its memory.

    Returns:
        The guideline; the same where nothing has changed.
    """
    record = records.record(guideline.id)
    doubtful = probability_below_half(record) > DOUBT_PROBABILITY
    if record == guideline.record and doubtful == guideline.doubtful:
        return guideline
    return replace(guideline, record=record, doubtful=doubtful)


@lru_cache(maxsize=4096)
def _probability_below_half(up: int, down: int) -> float:
    successes, trials = PRIOR_UP + up, PRIOR_UP + up + PRIOR_DOWN + down - 1
    ways, fewer = 1, 0
    for number in range(successes):
        fewer += ways
        ways = ways * (trials - number) // (number + 1)
    return 1 - fewer / (1 << trials)


def _places(guidelines: Iterable[Guideline]) -> dict[str, _Place]:
    """Return where votes are counted, for ids for which it is not simply the record of that id since ever."""
    places = {}
    for rule in guidelines:
        if rule.record_since_ms:
            places[rule.id] = _Place(rule.id, rule.record_since_ms)
        for merged in merged_into(rule):
            since_ms = max(rule.record_since_ms, merged.record_since_ms)
            places[merged.id] = _Place(rule.id, since_ms)
    return places


def _counted(
    records: Records, episode: Episode | None, places: Mapping[str, _Place], *, sign: int
) -> Records:
    """Add the votes on a case to the records; with a sign of -1, take them off."""
    for guideline_id, votes in _votes(episode, places).items():
        known = records.get(guideline_id, NO_VOTES)
        total = GuidelineRecord(up=known.up + sign * votes.up, down=known.down + sign * votes.down)
        records = records.discard(guideline_id) if total == NO_VOTES else records.insert(guideline_id, total)
    return records


def _recounted(
    records: Records,
    guideline_ids: Collection[str],
    episodes: Mapping[str, Episode],
    places: Mapping[str, _Place],
) -> Records:
    for guideline_id in guideline_ids:
        records = records.discard(guideline_id)
    for episode in episodes.values():
        for guideline_id, votes in _votes(episode, places).items():
            if guideline_id in guideline_ids:
                known = records.get(guideline_id, NO_VOTES)
                total = GuidelineRecord(up=known.up + votes.up, down=known.down + votes.down)
                records = records.insert(guideline_id, total)
    return records


def _votes(episode: Episode | None, places: Mapping[str, _Place]) -> dict[str, GuidelineRecord]:
    """Return the votes on a case, for each guideline that stands for one that led to its verdict."""
    if episode is None or episode.verdict is None:
        return {}
    since: dict[str, int] = {}
    for each in episode.verdict.guideline_ids:
        place = places.get(each, _Place(each))
        since[place.guideline_id] = min(since.get(place.guideline_id, place.since_ms), place.since_ms)
    votes = {guideline_id: _votes_since(episode, since_ms) for guideline_id, since_ms in since.items()}
    return {guideline_id: record for guideline_id, record in votes.items() if record != NO_VOTES}


def _votes_since(episode: Episode, since_ms: int) -> GuidelineRecord:
    verdict = episode.verdict
    if verdict is None:
        return NO_VOTES
    # where the time of the verdict is not known, that of the vote tells best
    counted = [
        each.value == verdict.value
        for each in (*episode.opinions, *episode.minority)
        if not since_ms or (verdict.judged_ms or each.time_ms) > since_ms
    ]
    return GuidelineRecord(up=sum(counted), down=len(counted) - sum(counted))
