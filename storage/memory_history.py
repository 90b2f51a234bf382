"""The log of versions of judges' memories, for people to read."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from memalign.memory.version_diff import diff_of
from memalign.records import Episode, ForgetTarget, Guideline, MemoryDiff, MemoryVersion, VersionKind
from storage.memories import Memories
from storage.memory_undo import MemoryUndo
from storage.repository import Repository, Store, reads
from storage.undo_records import Part, UndoRecord, current_guidelines

CONSEQUENCES: Collection[VersionKind] = frozenset({"trial", "settings"})
"""Kinds of versions that nobody undoes for themselves."""
MAX_VERSIONS_SEARCHED = 1_000
"""Newest versions among which the last change is looked for, so that nobody waits long for the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A version with its differences from the one before, as far as they are not forgotten since."""

    version: MemoryVersion
    difference: MemoryDiff


class MemoryHistory(Repository):
    """Reads versions. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store, memories: Memories, undo: MemoryUndo) -> None:
        super().__init__(store)
        self._memories = memories
        self._undo = undo

    @reads
    def log(self, judge: str, limit: int = -1) -> list[LogEntry]:
        """Return a judge's versions with what came and went, newest first; all by default."""
        versions = self._undo.versions(judge, limit)
        if not versions:
            return []
        differences = self._differences(judge, versions[-1].number - 1)
        return [
            LogEntry(version=version, difference=differences.get(version.number, MemoryDiff()))
            for version in versions
        ]

    @reads
    def versions(self, judge: str) -> list[MemoryVersion]:
        """Return all of a judge's versions, newest first, without what came and went."""
        return self._undo.versions(judge)

    @reads
    def newest_change(self, judge: str) -> int:
        """Return the number of the newest version that people's words, decisions or forgetting made; 0 for none.

        Trials only follow from what was learned, and changes of the settings change nothing in the memory.
        """
        versions = self._undo.versions(judge, MAX_VERSIONS_SEARCHED)
        return next((each.number for each in versions if each.kind not in CONSEQUENCES), 0)

    @reads
    def version_at(self, judge: str, time_ms: int) -> int:
        """Return the number of the version that a judge's memory had at a time, in milliseconds since 1970."""
        later = range(1, self._memories.find_number(judge) + 1)
        return bisect_left(later, time_ms, key=lambda number: self._made_ms(judge, number))

    def _made_ms(self, judge: str, number: int) -> int:
        version = self._undo.find_version(judge, number)
        return 0 if version is None else version.at_ms

    @reads
    def oldest_equal(self, judge: str, number: int) -> int:
        """Return the oldest version known to hold the same as this one, which may have gone back to it."""
        while (version := self._undo.find_version(judge, number)) is not None:
            if version.rollback_to is not None:
                number = version.rollback_to
            elif version.kind == "settings":
                number -= 1
            else:
                break
        return number

    @reads
    def guidelines_of(self, target: ForgetTarget) -> list[Guideline]:
        """Return the guidelines of earlier versions that rest on a trace or a person, in all their forms."""
        rules = [rule for record in self._undo.records_of(target) for rule in record.guidelines]
        return list({(rule.id, rule.text): rule for rule in rules}.values())

    async def difference(self, judge: str, before: int, after: int) -> MemoryDiff:
        """Compare two versions. Raises `UnknownVersionError` and `StorageError`."""
        old = await self._memories.load_version(judge, before)
        new = await self._memories.load_version(judge, after)
        return diff_of(
            guidelines_before=old.guidelines,
            guidelines_after=new.guidelines,
            episodes_before=old.episodes,
            episodes_after=new.episodes,
        )

    def _differences(self, judge: str, number: int) -> Mapping[int, MemoryDiff]:
        """Return the differences that each version after this one made."""
        later: dict[Part, UndoRecord] = {}
        differences = {}
        for changed, group in groupby(self._undo.records_after(judge, number), lambda record: record.number):
            before = {record.part: record for record in group}
            after = {part: later.get(part) or self._memories.find_part(judge, part) for part in before}
            differences[changed] = _difference(before.values(), after.values())
            later.update(before)
        return differences


def _difference(before: Iterable[UndoRecord], after: Iterable[UndoRecord]) -> MemoryDiff:
    before, after = list(before), list(after)
    return diff_of(
        guidelines_before=current_guidelines(before),
        guidelines_after=current_guidelines(after),
        episodes_before=_episodes(before),
        episodes_after=_episodes(after),
    )


def _episodes(records: Iterable[UndoRecord]) -> dict[str, Episode]:
    return {record.part_id: record.episode for record in records if record.episode is not None}
