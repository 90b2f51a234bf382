"""Times as tracing tools write them. Pure."""

from datetime import UTC, datetime, timedelta

from memalign.records import Json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(moment: Json) -> int | None:
    """Return a time of RFC 3339 as milliseconds since 1970, one without a zone as UTC; None for anything else."""
    try:
        time = datetime.fromisoformat(moment)
    except (TypeError, ValueError):
        return None
    # rounded down: what began then is still found from then on
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - EPOCH) // timedelta(milliseconds=1)


def moment_of(time_ms: int) -> str:
    """Return milliseconds since 1970 as a time of RFC 3339."""
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
