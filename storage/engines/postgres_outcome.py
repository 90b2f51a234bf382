"""The outcome of a transaction whose connection broke while it was committed."""

import time
from contextlib import suppress

import psycopg

from storage.engines.postgres_errors import NoConnectionError
from storage.engines.postgres_session import Session
from storage.errors import StoreFileError

_OUTCOME_SECONDS = 30.0
"""For so long the database is asked, before the outcome is told as unknown."""
_PAUSE_SECONDS = 0.2


def was_committed(session: Session, transaction_id: str, problem: psycopg.Error) -> bool:
    """Ask the database over a new connection. Raises `StoreFileError` where it does not tell."""
    deadline = time.monotonic() + _OUTCOME_SECONDS
    while time.monotonic() < deadline:
        with suppress(NoConnectionError, psycopg.OperationalError):
            status = _status_of(session, transaction_id)
            if status != "in progress":
                return status == "committed"
        time.sleep(_PAUSE_SECONDS)
    raise StoreFileError(
        f"The database at {session.location} went away in the middle of a change. Whether that change was "
        "kept is not known; memalign tries again by itself."
    ) from problem


def _status_of(session: Session, transaction_id: str) -> str | None:
    try:
        query = "SELECT pg_xact_status(%s::xid8)"
        row = session.connection().execute(query, (transaction_id,)).fetchone()
    except psycopg.errors.InvalidParameterValue:
        # a server that took over knows nothing of it: it never got there
        return None
    return None if row is None else row[0]
