"""Times as tracing tools write them. Pure."""

from datetime import UTC, datetime

from memalign.records import Json


def milliseconds(moment: Json) -> int | None:
    """Return a time of RFC 3339 as milliseconds since 1970, one without a zone as UTC; None for anything else."""
    try:
        time = datetime.fromisoformat(moment)
    except (TypeError, ValueError):
        return None
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def moment_of(time_ms: int) -> str:
    """Return milliseconds since 1970 as a time of RFC 3339."""
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
