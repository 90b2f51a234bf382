"""The traffic that is expected today, and the shares of a channel's cards that judges are allowed for it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

DAYS_OF_FORECAST = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDemand:
    """One judge's wish for cards in a channel."""

    expected: float | None
    """Traces that are expected today; None where nothing is known yet."""
    most: int
    """The judge's own maximum of cards a day."""


def expected_hours(days: Mapping[str, Sequence[int]], today: date) -> tuple[float, ...] | None:
    """Return the traces expected in each hour of the day: the mean of the last 7 days since the first arrival.

    Args:
        days: arrivals by day such as `2026-11-20` and hour; days without any may be missing.
        today: the day of which nothing counts yet.

    Returns:
        24 numbers; None where no earlier day is known.
    """
    first = today - timedelta(days=DAYS_OF_FORECAST)
    known = {day: hours for day, hours in days.items() if first <= date.fromisoformat(day) < today}
    if not known:
        return None
    number_of_days = (today - date.fromisoformat(min(known))).days
    return tuple(sum(hours) / number_of_days for hours in zip(*known.values(), strict=True))


def allowances(cap: int, demands: Mapping[str, CardDemand], today: date) -> dict[str, int]:
    """Share a channel's cards among its judges in proportion to their expected traffic.

    Each judge is allowed one at least; where there are fewer cards than judges, they take turns by day. A judge of
    which nothing is known counts as the mean of the others. What a judge's own maximum leaves goes to the others.

    Args:
        cap: cards of the channel a day.
        demands: by judge.
        today: the day.
    """
    if not demands:
        return {}
    shares = _shares(cap, demands, today)
    bounded = {judge: demands[judge].most for judge in demands if shares[judge] > demands[judge].most}
    if not bounded:
        return shares
    others = {judge: demand for judge, demand in demands.items() if judge not in bounded}
    return bounded | allowances(cap - sum(bounded.values()), others, today)


def _shares(cap: int, demands: Mapping[str, CardDemand], today: date) -> dict[str, int]:
    judges = sorted(demands)
    if cap < len(judges):
        turn = today.toordinal() % len(judges)
        in_turn = [*judges[turn:], *judges[:turn]]
        return {judge: int(place < cap) for place, judge in enumerate(in_turn)}
    known = [demand.expected for demand in demands.values() if demand.expected is not None]
    mean = sum(known) / len(known) if sum(known) else 1.0
    weights = {judge: mean if (e := demands[judge].expected) is None else e for judge in judges}
    if not (total := sum(weights.values())):
        weights, total = dict.fromkeys(judges, 1.0), float(len(judges))
    spare = cap - len(judges)
    quotas = {judge: spare * weight / total for judge, weight in weights.items()}
    shares = {judge: 1 + int(quota) for judge, quota in quotas.items()}
    # largest remainder: each of those left goes to a judge whose share was cut most
    left = cap - sum(shares.values())
    for judge in sorted(judges, key=lambda each: int(quotas[each]) - quotas[each])[:left]:
        shares[judge] += 1
    return shares
