"""Figures of a judge's weeks, one or several together, for its report and for `/memalign stats`."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.records import CurvePoint, Digest, ShadowComparison
from bot.reports.digest import compute_digest
from bot.reports.learning_curve import compute_point
from bot.reports.sequential_test import WARNING_EVIDENCE, evidence_of_worse
from bot.reports.verdict_history import VerdictHistory
from bot.runtime.clock import week_bounds
from memalign.value_types import ValueType
from storage.records import AuditLine

RECENT_WEEKS = 4
"""Weeks whose figures stand beside those of all, the running one included."""


@dataclass(frozen=True, slots=True)
class ReportFigures:
    """Computes digests of a judge's weeks, one or several together."""

    judge: str
    value_type: ValueType
    history: VerdictHistory
    audit: Sequence[AuditLine] = ()
    """The lines from which learning and forgetting are counted; none: they are not."""

    def of_all(self) -> Digest:
        """Return the figures of all weeks, and all that was learned and forgotten."""
        weeks = self.history.weeks()
        return compute_digest(
            self.judge,
            "",
            self.value_type,
            self.history.verdicts_of(weeks),
            self.audit,
            self.history.shown_in(weeks),
            self.history.late,
        )

    def of(self, weeks: Sequence[str], name: str = "") -> Digest:
        """Return the figures of some weeks in a row, under a name."""
        start, end = self._bounds(weeks[0])[0], self._bounds(weeks[-1])[1]
        audit = [line for line in self.audit if start <= line.at_ms < end]
        verdicts, shown = self.history.verdicts_of(weeks), self.history.shown_in(weeks)
        return compute_digest(self.judge, name, self.value_type, verdicts, audit, shown)

    def curve(self, most: int | None = None) -> list[CurvePoint]:
        """Return the points of the weeks in which people gave labels, by default of all; `most` are the last weeks."""
        weeks = self.history.weeks()[-most:] if most else self.history.weeks()
        points = (compute_point(week, self.value_type, self.history.verdicts_of([week])) for week in weeks)
        return [point for point in points if point is not None]

    def _bounds(self, week: str) -> tuple[int, int]:
        return week_bounds(week, self.history.zone)


def is_worse(comparison: ShadowComparison | None) -> bool:
    """Return whether a week's verdicts are worse than with the other memory, beyond chance."""
    if comparison is None:
        return False
    return evidence_of_worse(comparison.all.fixed, comparison.all.broken) >= WARNING_EVIDENCE
