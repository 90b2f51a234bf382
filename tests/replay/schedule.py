"""The simulated weeks: when traces arrive."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.replay.recording import RecordedTrace

FIRST_MONDAY = datetime(2026, 8, 3, tzinfo=UTC)
HOURS = (8, 10, 12, 14, 16, 20)
"""Hours of a day at which traces come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Some traces that come at one moment."""

    at: datetime
    traces: tuple[RecordedTrace, ...]


def schedule(traces: Sequence[RecordedTrace], weeks: int, seed: int = 1) -> list[list[Arrival]]:
    """Spread traces over weeks in a random order, the same number in each, more on working days than else.

    Args:
        traces: the traces.
        weeks: the number of weeks.
        seed: of the order.

    Returns:
        For each week its arrivals, earliest first.
    """
    chance = random.Random(seed)
    order = list(traces)
    chance.shuffle(order)
    return [_week(order[number::weeks], number, chance) for number in range(weeks)]


def _week(traces: Sequence[RecordedTrace], number: int, chance: random.Random) -> list[Arrival]:
    by_moment: dict[datetime, list[RecordedTrace]] = {}
    for trace in traces:
        day = chance.choices(range(7), weights=(5, 5, 5, 5, 5, 1, 1))[0]
        moment = FIRST_MONDAY + timedelta(weeks=number, days=day, hours=chance.choice(HOURS))
        by_moment.setdefault(moment, []).append(trace)
    return [Arrival(at=at, traces=tuple(found)) for at, found in sorted(by_moment.items())]
