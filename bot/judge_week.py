"""One judge's week as files tell it: the digest's report, the verdicts that count, and the curve up to it."""

from dataclasses import dataclass

from bot.records import CurvePoint
from bot.weekly_report import WeeklyReport
from memalign.records import Label
from memalign.value_types import ValueType
from storage.records import CardSelection


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedVerdict:
    """A verdict of which people have a majority."""

    judge: str
    week: str
    trace_id: str
    verdict_id: str
    value: Label
    """The judge's."""
    people_label: Label | None
    """None where people only say that the value is wrong."""
    agreed: bool
    people: int
    """People who answered."""
    selection: CardSelection
    is_blind: bool
    is_hidden: bool
    """True while its card does not show the value."""
    link: str
    """Address of its card; empty where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeWeek:
    """One judge's week."""

    report: WeeklyReport
    value_type: ValueType
    verdicts: tuple[CountedVerdict, ...]
    """In order of judging; `report.figures.n` there are."""
    curve: tuple[CurvePoint, ...]
    """The weeks of the last year up to this one in which people gave labels."""
