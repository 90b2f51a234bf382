"""The pause that another service asks for with its answer."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

FIRST_MOMENT_SECONDS = 1e9
"""Greater numbers are seconds since 1970, not seconds to wait."""


def retry_after_seconds(value: str | None, now: datetime | None = None) -> float:
    """Return the seconds of a header such as Retry-After; 0 for none.

    It holds seconds or a date (RFC 9110, 10.2.3); those that tell when a limit ends may hold seconds since 1970, or a
    time of ISO 8601.
    """
    if not value:
        return 0.0
    present = now or datetime.now(UTC)
    try:
        seconds = float(value)
    except ValueError:
        pass
    else:
        seconds -= present.timestamp() if seconds > FIRST_MOMENT_SECONDS else 0.0
        return max(0.0, seconds) if isfinite(seconds) else 0.0
    moment = _moment(value)
    return 0.0 if moment is None else max(0.0, (moment - present).total_seconds())


def _moment(text: str) -> datetime | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text)
        except (ValueError, TypeError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
