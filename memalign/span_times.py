"""Times of spans, in whatever unit and form a tool writes them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from memalign.records import Json

START_NAMES = ("starttimeunixnano", "starttimens", "starttime", "start", "startedat", "timestamp")
END_NAMES = ("endtimeunixnano", "endtimens", "endtime", "end", "endedat")
_TOO_LATE = 1e30
"""Number from which on, infinity included, a value is no time in any unit."""
_NANOSECONDS = ((10**17, 1), (10**14, 1_000), (10**11, 1_000_000), (0, 1_000_000_000))
"""Least number since 1970 of nano-, micro-, milliseconds and seconds, with the nanoseconds in one."""


def read_time(plain: Mapping[str, Json], names: Iterable[str]) -> int | None:
    """Read a time of a span.

    Args:
        plain: The span's parts, by names in lower case without underscores.
        names: `START_NAMES` or `END_NAMES`.

    Returns:
        Nanoseconds since 1970, of a number in any unit or of ISO 8601; None where there is no time.
    """
    start_ms = plain.get("startms")
    if names is START_NAMES and isinstance(start_ms, int | float) and abs(start_ms) < _TOO_LATE:
        return int(start_ms * 1_000_000)
    value = next((plain[name] for name in names if plain.get(name) is not None), None)
    if isinstance(value, str) and not value.replace(".", "", 1).isdecimal():
        return _iso_time(value)
    try:
        number = (
            float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
        )
    except (ValueError, OverflowError):
        return None
    if number is None or not 0 <= number < _TOO_LATE:
        return None
    exact = int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else number
    return int(exact * next(factor for least, factor in _NANOSECONDS if number >= least))


def _iso_time(value: str) -> int | None:
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1e9)


def milliseconds_of(nanoseconds: int) -> int | float:
    """Convert a duration.

    Args:
        nanoseconds: The duration.

    Returns:
        Milliseconds; below ten with one decimal.
    """
    milliseconds = nanoseconds / 1_000_000
    return round(milliseconds) if milliseconds >= 10 else round(milliseconds, 1)
