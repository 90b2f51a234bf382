"""Each guideline's record: people's votes on the verdicts that it led to.

A verdict names the guidelines that led to it. Each person's opinion on such a case is one vote on them: up where it is
the verdict's value, down otherwise. So a record follows from the episodes alone; what is forgotten leaves it, too.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from rpds import HashTrieMap, HashTrieSet

from memalign.memory.beta_posterior import is_doubtful
from memalign.memory.guideline_merge import merged_into
from memalign.records import NO_VOTES, Episode, Guideline, GuidelineRecord

Records: TypeAlias = "HashTrieMap[str, GuidelineRecord]"
CitingCases: TypeAlias = "HashTrieMap[str, HashTrieSet[str]]"
"""Guideline id -> trace ids of the cases whose verdicts it led to."""


class _Place(NamedTuple):
    """The record in which votes on one guideline id are counted."""

    guideline_id: str
    """Of the guideline that stands for it."""
    since_ms: int = 0
    """Only verdicts given after it count; 0: all."""


class GuidelineRecords:
    """The records in one version of a memory, by guideline id. Never changes.

    Persistent maps: the next version costs what has changed, however many cases there are.
    """

    def __init__(self) -> None:
        self._records: Records = HashTrieMap()
        self._cases: CitingCases = HashTrieMap()
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
        records, cases = self._records, self._cases
        for trace_id in touched:
            old, new = before.get(trace_id), after.get(trace_id)
            if old is not new:
                records = _counted(records, old, self._places, sign=-1)
                records = _counted(records, new, self._places, sign=1)
                cases = _with_cited(_without_cited(cases, old), new)
        version._cases = cases
        version._records = version._recounted(records, self._moved(records, version._places), after)
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

    def _recounted(
        self, records: Records, guideline_ids: Collection[str], episodes: Mapping[str, Episode]
    ) -> Records:
        """Count the votes for some guidelines anew, by the cases that cite them or those they stand for."""
        cited = {each for each, place in self._places.items() if place.guideline_id in guideline_ids}
        trace_ids = {
            trace_id for each in (*guideline_ids, *cited) for trace_id in self._cases.get(each, HashTrieSet())
        }
        for guideline_id in guideline_ids:
            records = records.discard(guideline_id)
        for trace_id in trace_ids:
            for guideline_id, votes in _votes(episodes[trace_id], self._places).items():
                if guideline_id in guideline_ids:
                    records = _with_votes(records, guideline_id, votes, sign=1)
        return records


def with_record(guideline: Guideline, records: GuidelineRecords) -> Guideline:
    """Derive a guideline's record, and whether it is in doubt.

    Args:
        guideline: The guideline.
        records: Those of its memory.

    Returns:
        The guideline; the same where nothing has changed.
    """
    record = records.record(guideline.id)
    doubtful = is_doubtful(record)
    if record == guideline.record and doubtful == guideline.doubtful:
        return guideline
    return replace(guideline, record=record, doubtful=doubtful)


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
        records = _with_votes(records, guideline_id, votes, sign=sign)
    return records


def _with_votes(records: Records, guideline_id: str, votes: GuidelineRecord, *, sign: int) -> Records:
    known = records.get(guideline_id, NO_VOTES)
    total = GuidelineRecord(up=known.up + sign * votes.up, down=known.down + sign * votes.down)
    return records.discard(guideline_id) if total == NO_VOTES else records.insert(guideline_id, total)


def _with_cited(cases: CitingCases, episode: Episode | None) -> CitingCases:
    for trace_id, each in _citations(episode):
        cases = cases.insert(each, cases.get(each, HashTrieSet()).insert(trace_id))
    return cases


def _without_cited(cases: CitingCases, episode: Episode | None) -> CitingCases:
    for trace_id, each in _citations(episode):
        remaining = cases.get(each, HashTrieSet()).discard(trace_id)
        cases = cases.insert(each, remaining) if remaining else cases.discard(each)
    return cases


def _citations(episode: Episode | None) -> list[tuple[str, str]]:
    """Return the case's trace id with the id of each guideline that led to its verdict."""
    if episode is None or episode.verdict is None:
        return []
    return [(episode.trace_id, each) for each in episode.verdict.guideline_ids]


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
