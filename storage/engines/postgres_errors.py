"""Errors of PostgreSQL and of the way to it as sentences with a remedy; none repeats a password."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from storage.errors import StoreFileError, translate_file_errors

UNREACHABLE = (
    "The database at {place} does not answer ({detail}): start it, or correct the address in [storage] url or "
    "MEMALIGN_DATABASE_URL; memalign tries again by itself."
)
_REFUSED = (
    "The database at {place} does not let this user in ({detail}): correct the user and password in "
    "MEMALIGN_DATABASE_URL, or the server's pg_hba.conf."
)
_NO_DATABASE = (
    "There is no such database at {place} ({detail}): create it with `createdb`, or correct the name in "
    "[storage] url or MEMALIGN_DATABASE_URL."
)
_NO_TLS = (
    "No trusted TLS connection to the database at {place} came about ({detail}): check sslmode and sslrootcert "
    "in its URL, and the server's certificate."
)
_TOO_MANY = (
    "The database at {place} has no connection left ({detail}): raise its max_connections or end other programs; "
    "memalign tries again by itself."
)
_STARTING = (
    "The database at {place} is starting, stopping or failing over ({detail}): nothing was changed, and memalign "
    "tries again by itself."
)
_LOST = (
    "The connection to the database at {place} broke off ({detail}): nothing was changed, and memalign connects "
    "again by itself."
)
_STANDBY = (
    "The database at {place} takes no changes ({detail}): name the primary server, or add "
    "target_session_attrs=read-write to the URL where it names several."
)
_FULL = (
    "The disk or memory of the database at {place} is full ({detail}): free some space there and try again; "
    "nothing was changed."
)
_BUSY = (
    "The database at {place} was held too long by another program ({detail}): wait until that has finished and "
    "try again; nothing was changed."
)
_FORBIDDEN = (
    "The user may not do this in the database at {place} ({detail}): grant CREATE on it, or make the user the "
    "owner of the schema's tables."
)
_MISSING = (
    "A table of the store at {place} is missing ({detail}): another program changed it; bring back a copy of the "
    "database, or stop that program."
)
_DAMAGED = "The database at {place} is damaged ({detail}) and was left as it is: bring back a copy from your backups."
_TOO_LONG = (
    "The database at {place} takes no name or id of this length ({detail}): shorten the id where it is made; "
    "nothing was changed."
)
_FAILING = "The database at {place} failed ({detail}): look into the server's log; what was confirmed before is kept."
_OLD = "The database at {place} is PostgreSQL {detail}: memalign needs version 13 or later."
OLDEST_SERVER = 130000

_BY_STATE = {
    "28": _REFUSED,
    "3D": _NO_DATABASE,
    "53300": _TOO_MANY,
    "53": _FULL,
    "57P": _STARTING,
    "57014": _BUSY,
    "55P03": _BUSY,
    "40": _BUSY,
    "25P03": _LOST,
    "25": _STANDBY,
    "08": _LOST,
    "42501": _FORBIDDEN,
    "42P01": _MISSING,
    "3F": _MISSING,
    "42703": _MISSING,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
    "54": _TOO_LONG,
    "58": _FAILING,
}
"""Sentences by SQLSTATE, or by its beginning (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""
_BY_WORDS = (
    ("password authentication failed", _REFUSED),
    ("no password supplied", _REFUSED),
    ("authentication failed", _REFUSED),
    ("no pg_hba.conf entry", _REFUSED),
    ("is not permitted to log in", _REFUSED),
    ("permission denied for database", _REFUSED),
    ('role "', _REFUSED),
    ('database "', _NO_DATABASE),
    ("too many clients", _TOO_MANY),
    ("too many connections", _TOO_MANY),
    ("connection slots are reserved", _TOO_MANY),
    ("starting up", _STARTING),
    ("shutting down", _STARTING),
    ("recovery", _STARTING),
    ("not accepting connections", _STARTING),
    ("session is read-only", _STANDBY),
    ("in hot standby", _STANDBY),
    ("ssl", _NO_TLS),
    ("certificate", _NO_TLS),
)
"""Sentences by words in a refused connection, for which the driver has no SQLSTATE."""


class NoConnectionError(Exception):
    """No connection came about; the driver's error is its cause."""


class StandbyError(Exception):
    """The server only reads, as one does that follows another."""


class OldServerError(Exception):
    """The server is of a version that lacks what the engine needs."""


@contextmanager
def translate_errors(location: object) -> Iterator[None]:
    """Raise errors of files and of PostgreSQL inside as `StoreFileError`; mistakes of ours pass as they are."""
    try:
        with translate_file_errors(location):
            yield
    except OldServerError as problem:
        raise StoreFileError(_OLD.format(place=location, detail=problem)) from problem
    except StandbyError as problem:
        raise StoreFileError(_STANDBY.format(place=location, detail=problem)) from problem
    except NoConnectionError as problem:
        raise StoreFileError(_refusal(str(problem)).format(place=location, detail=problem)) from problem
    except psycopg.Error as problem:
        sentence = sentence_of(problem)
        if sentence is None:
            raise
        raise StoreFileError(sentence.format(place=location, detail=first_line(problem))) from problem


def sentence_of(problem: psycopg.Error) -> str | None:
    """Return the sentence on an error, to be filled in; None for a mistake of ours."""
    state = problem.sqlstate
    if state is None:
        return _LOST if isinstance(problem, psycopg.OperationalError) else None
    places = (state[:length] for length in (5, 3, 2))
    return next((_BY_STATE[place] for place in places if place in _BY_STATE), None)


def first_line(problem: BaseException) -> str:
    """Return what the driver or the server says, in one line without its end mark."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return lines[0].rstrip(".:") if lines else type(problem).__name__


def refusal_of(problem: psycopg.Error) -> NoConnectionError:
    """Return the refusal with what the server, or the network, says; of several hosts, the last one's words."""
    lines = [line for line in str(problem).splitlines() if "failed: " in line]
    words = lines[-1].rpartition("failed: ")[2] if lines else first_line(problem)
    return NoConnectionError(words.replace("FATAL:", "").strip().rstrip("."))


def _refusal(words: str) -> str:
    return next((sentence for mark, sentence in _BY_WORDS if mark in words.lower()), UNREACHABLE)
