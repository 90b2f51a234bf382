"""One judge's figures over its life, in short."""

from dataclasses import dataclass
from datetime import date

from bot.records import CurvePoint, Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeStats:
    """Figures of a judge and its memory as they are now."""

    judge: str
    title: str
    """The judge as people call it; not escaped."""
    last_week: Digest
    last_weeks: Digest
    """Of `weeks` weeks, the running one included."""
    weeks: int
    life: Digest
    curve: tuple[CurvePoint, ...]
    """The last weeks in which people gave labels, the oldest first."""
    since: date | None
    """Day of the first verdict; None before it."""
    cases: int
    in_use: int
    """Guidelines."""
    doubtful: int
    """Guidelines that somebody has to decide on."""
