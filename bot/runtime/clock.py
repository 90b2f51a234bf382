"""The time now, calendar days and weeks, and back-off."""

import random
import re
import time
from datetime import UTC, date, datetime, timedelta, tzinfo

DAY_MS = 24 * 60 * 60 * 1000
FIRST_WEEK, LAST_WEEK = "1971-W01", "9989-W52"
"""Of those that people may name: the weeks of years before and after them are dates, too."""


def now_ms() -> int:
    """Return the time now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def from_ms(ms: int, zone: tzinfo = UTC) -> datetime:
    """Return the date and time of milliseconds since 1970, in a time zone."""
    return datetime.fromtimestamp(ms / 1000, tz=zone)


def day_of(ms: int, zone: tzinfo) -> str:
    """Return the calendar day in a time zone, as `2026-11-20`."""
    return from_ms(ms, zone).date().isoformat()


def week_of(day: date) -> str:
    """Return the ISO week of a day, as `2026-W47`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def named_week(text: str, today: date) -> str | None:
    """Return the ISO week that people mean by a text: none for this one, `last`, or `2026-W47`; None for no week."""
    name = text.strip().upper().removesuffix("WEEK").strip()
    if name in ("", "THIS"):
        return week_of(today)
    if name == "LAST":
        return week_of(today - timedelta(days=7))
    try:
        week_bounds(name, UTC)
    except ValueError:
        return None
    return name if FIRST_WEEK <= name <= LAST_WEEK else None


def monday_of(week: str) -> date:
    """Return the first day of an ISO week, such as `2026-W47`. Raises `ValueError` if there is no such week."""
    if not re.fullmatch(r"\d{4}-W\d{2}", week):
        raise ValueError(f"there is no week {week!r}")
    return date.fromisocalendar(int(week[:4]), int(week[-2:]), 1)


def last_weeks(week: str, number: int) -> list[str]:
    """Return an ISO week and those before it, so many in all, the oldest first. Raises `ValueError` as `monday_of`."""
    monday = monday_of(week)
    return [week_of(monday - timedelta(weeks=each)) for each in range(number - 1, -1, -1)]


def week_bounds(week: str, zone: tzinfo) -> tuple[int, int]:
    """Return the first millisecond of an ISO week and of the next. Raises `ValueError` if there is no such week."""
    monday = monday_of(week)
    try:
        days = (monday, monday + timedelta(days=7))
    except OverflowError:
        raise ValueError(f"there is no week {week!r}") from None
    bounds = [datetime.combine(day, datetime.min.time(), zone) for day in days]
    return int(bounds[0].timestamp() * 1000), int(bounds[1].timestamp() * 1000)


def backoff_ms(attempts: int, longest_ms: int = 300_000) -> int:
    """Return the milliseconds to wait after `attempts` failures: doubling from one second, with jitter.

    Exponential back-off with equal jitter (M. Brooker, "Exponential Backoff And Jitter", AWS, 2015).
    """
    full = min(longest_ms, 1000 << min(attempts, 20))
    return full // 2 + random.randrange(full // 2 + 1)  # noqa: S311 - spreads load, guards nothing
