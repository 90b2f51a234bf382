"""Figures about the bot and its judges, as views and the command line are given them."""

from collections.abc import Mapping
from dataclasses import dataclass

from memalign.records import Json

MIN_VERDICTS_FOR_KAPPA = 20
"""Below this number of verdicts, chance-corrected agreement says little and is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeStatus:
    """One judge's memory in numbers."""

    name: str
    model: str
    cases: int
    guidelines: int
    waiting: int
    """Guidelines out of use until distilled again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The whole bot in numbers."""

    connected: bool
    traces_waiting: int
    feedback_waiting: int
    posts_waiting: int
    judges: tuple[JudgeStatus, ...]
    troubles: tuple[str, ...]
    """The reasons why something waits, a sentence each."""

    @property
    def ready(self) -> bool:
        """True if the bot is connected and able to work."""
        return self.connected


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One judge's week."""

    judge: str
    week: str
    """The ISO week, such as `2026-W47`."""
    n: int
    """Verdicts on which people had a majority."""
    agreed: int
    """Verdicts on which that majority had the judge's value."""
    agreement: float | None
    """`agreed / n`; None without verdicts."""
    wilson_low: float | None
    """Lower bound of the 95 % Wilson interval of the agreement."""
    wilson_high: float | None
    """Upper bound of the 95 % Wilson interval of the agreement."""
    table: Mapping[str, int] | None
    """Counts of judge's value by people's label; of bool judges only."""
    kappa: float | None
    """Cohen's kappa; None below `MIN_VERDICTS_FOR_KAPPA`, or where one side used one class only."""
    ac1: float | None
    """Gwet's AC1; None as for `kappa`."""
    people: int
    """People who voted."""
    guidelines_learned: int
    guidelines_retired: int
    forgotten: int
    """Traces forgotten."""

    def as_json(self) -> dict[str, Json]:
        """Return the shape of `memalign digest --format json`."""
        return {name: getattr(self, name) for name in self.__slots__}
