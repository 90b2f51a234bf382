"""The plan of a day: which judges show their traces at once, and which draw cards from windows. Pure."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from types import MappingProxyType

from bot.config import JudgeSettings, Settings
from bot.judging.traffic_forecast import CardDemand, allowances, expected_hours
from bot.judging.windows import day_bounds, slots_for, window_ends
from storage.records import CandidateWindow

Traffic = Mapping[str, Mapping[str, Sequence[int]]]
"""By judge and day, arrivals by hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgePlan:
    """One judge's day."""

    cards: int
    """Cards that it may show on the day."""
    ends_ms: tuple[int, ...] = ()
    """Ends of its windows; none: its traces are judged at once, and shown."""
    expected: float = 0.0
    """Traces that are expected on the day; 0 where nothing is known."""

    @property
    def is_spread(self) -> bool:
        """True if its cards are drawn from windows."""
        return bool(self.ends_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPlan:
    """One day of all judges."""

    day: str
    """Such as `2026-11-20`."""
    start_ms: int
    end_ms: int
    """The first millisecond of the next day."""
    caps: Mapping[str, int]
    """Cards that each channel may be shown."""
    judges: Mapping[str, JudgePlan] = field(default_factory=lambda: MappingProxyType({}))

    def window_at(self, judge: str, ms: int) -> CandidateWindow:
        """Return the judge's window at a time of the day; the whole day where it has none."""
        ends = self.judges[judge].ends_ms or (self.end_ms,)
        place = min(bisect_right(ends, ms), len(ends) - 1)
        start_ms = ends[place - 1] if place else self.start_ms
        return CandidateWindow(judge=judge, start_ms=start_ms, end_ms=ends[place])


def plan_day(
    day: date, zone: tzinfo, settings: Settings, caps: Mapping[str, int], traffic: Traffic
) -> DayPlan:
    """Plan a day.

    Args:
        day: the calendar day.
        zone: the time zone in which it is one.
        settings: the judges, and `[sampling]`.
        caps: cards that each channel may be shown.
        traffic: what arrived on earlier days.
    """
    start_ms, end_ms = day_bounds(day, zone)
    plans: dict[str, JudgePlan] = {}
    for channel, cap in caps.items():
        judges = [judge for judge in settings.judges if judge.channel == channel]
        plans |= _plan_channel(day, zone, settings, judges, cap, traffic)
    return DayPlan(day=day.isoformat(), start_ms=start_ms, end_ms=end_ms, caps=caps, judges=plans)


def _plan_channel(
    day: date,
    zone: tzinfo,
    settings: Settings,
    judges: Sequence[JudgeSettings],
    cap: int,
    traffic: Traffic,
) -> dict[str, JudgePlan]:
    hours = {judge.name: expected_hours(traffic.get(judge.name, {}), day) for judge in judges}
    most = {judge.name: min(cap, settings.max_per_day_of(judge)) for judge in judges}
    expected = {name: None if known is None else sum(known) for name, known in hours.items()}
    demands = {name: CardDemand(expected=expected[name], most=most[name]) for name in hours}
    allowed = allowances(cap, demands, day)
    ends = {
        name: window_ends(known, slots_for(allowed[name], sum(known)), day, zone)
        for name, known in hours.items()
        if settings.sampling.spread and known and 0 < allowed[name] < sum(known)
    }
    # where somebody's windows go on until the evening, nobody else may take all cards of the channel before
    limits = allowed if ends else most
    return {
        name: JudgePlan(cards=limits[name], ends_ms=ends.get(name, ()), expected=expected[name] or 0.0)
        for name in hours
    }
