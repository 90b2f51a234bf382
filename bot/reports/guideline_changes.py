"""A week's changes of one judge's guidelines, counted by lesson: a rule in other words is the same lesson."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from storage.records import AuditAction, AuditLine


@dataclass(slots=True, kw_only=True)
class GuidelineChanges:
    """Changes of one judge's memory, by what of them stands at the end."""

    learned: set[str] = field(default_factory=set)
    """Ids of guidelines, each the first of its lesson."""
    retired: set[str] = field(default_factory=set)
    """Ids of guidelines, each the last of its lesson."""
    forgotten: int = 0
    """Traces."""
    current: dict[str, str] = field(default_factory=dict)
    """Id of the first guideline of a lesson learned -> id of the one that holds it at the end."""
    _decisions: dict[str, AuditAction] = field(default_factory=dict)
    """A guideline's id -> the last decision on it, which can be undone."""
    _lessons: dict[str, frozenset[str]] = field(default_factory=dict)
    """Id of a retired guideline -> hashes of what it rested on."""

    def note(self, line: AuditLine) -> None:
        """Take one line of the audit, the oldest first."""
        if line.what == "forgotten":
            self.forgotten += len(line.ids)
        lessons = line.lessons or ((),) * len(line.ids)
        for guideline_id, hashes in zip(line.ids, lessons, strict=True):
            if line.what == "guideline_undone":
                self._undo(guideline_id)
                continue
            if line.person is not None:
                self._decisions[guideline_id] = line.what
            self._note_guideline(line.what, guideline_id, frozenset((*hashes, guideline_id)))

    def _note_guideline(self, what: AuditAction, guideline_id: str, hashes: frozenset[str]) -> None:
        if what == "guideline_retired":
            self.retired.add(guideline_id)
            self._lessons[guideline_id] = hashes
        elif what == "guideline_restored":
            self.retired.discard(guideline_id)
        elif what == "guideline_learned":
            worded_anew = {each for each in self.retired if self._lessons.get(each, frozenset()) & hashes}
            self.retired -= worded_anew
            if not worded_anew:
                self.learned.add(guideline_id)
                self.current[guideline_id] = guideline_id
            for first, last in self.current.items():
                if last in worded_anew:
                    self.current[first] = guideline_id

    def _undo(self, guideline_id: str) -> None:
        decision = self._decisions.pop(guideline_id, None)
        if decision == "guideline_learned":
            self.learned.discard(guideline_id)
        elif decision == "guideline_retired":
            self.retired.discard(guideline_id)
        elif decision == "guideline_restored":
            self.retired.add(guideline_id)


def count_changes(judge: str, audit: Sequence[AuditLine]) -> GuidelineChanges:
    """Count the changes of one judge's memory.

    Args:
        judge: the judge's name.
        audit: audit lines of all judges, oldest first.
    """
    changes = GuidelineChanges()
    for line in sorted(audit, key=_order):
        if line.judge == judge:
            changes.note(line)
    return changes


def _order(line: AuditLine) -> tuple[int, bool]:
    """Put the guidelines that one change takes before those it brings: the same lesson may be among both."""
    return line.at_ms, line.what == "guideline_learned" and line.person is None
