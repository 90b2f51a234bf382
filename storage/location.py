"""The place of a store: a folder, or a PostgreSQL database by its URL."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode

from memalign.errors import SettingsError

DEFAULT_SCHEMA = "memalign"
_SCHEMES = ("postgresql://", "postgres://")
_HOSTS = re.compile(r"[\w.\-:,\[\]%]*")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """A database by URL; neither `str` nor `repr` tells the password."""

    url: str = field(repr=False)
    """As the driver takes it."""
    schema: str = DEFAULT_SCHEMA
    """The schema that holds the store's tables."""
    name: str = ""
    """The URL for people: user, hosts and database, and the schema where it is not the default."""

    def __str__(self) -> str:
        return self.name


Location = Path | PostgresUrl
"""Location of a store, from `[storage]` in the settings."""


def is_postgres_url(text: str) -> bool:
    """Return whether a text is the URL of a PostgreSQL database rather than a path."""
    return text.lower().startswith(_SCHEMES)


def parse_postgres_url(text: str) -> PostgresUrl:
    """Return the database of a URL such as `postgresql://user@host/database?schema=memalign`.

    The query takes what libpq takes, `sslmode` among it, and `schema`. Raises `SettingsError`, whose sentence does
    not repeat the URL: it may hold a password.
    """
    head, _, query = text.strip().partition("?")
    _, _, rest = head.partition("://")
    authority, _, database = rest.partition("/")
    user_part, _, hosts = authority.rpartition("@")
    if not is_postgres_url(text) or "#" in text or "@" in database + query or "/" in database:
        raise _unreadable()
    # a second @ is one in the password; the driver would take what follows the first for the host
    if "@" in user_part or user_part.count(":") > 1 or not _HOSTS.fullmatch(hosts):
        raise _unreadable()
    options = parse_qsl(query, keep_blank_values=True)
    schema = next((value for key, value in options if key == "schema"), DEFAULT_SCHEMA)
    if not _NAME.fullmatch(schema):
        raise SettingsError(
            "The schema in the URL of the database must be lower-case letters, digits and underscores."
        )
    kept = urlencode([(key, value) for key, value in options if key != "schema"], safe="/,")
    user = unquote(user_part.partition(":")[0])
    name = f"postgresql://{f'{user}@' if user else ''}{hosts}/{unquote(database)}"
    return PostgresUrl(
        url=f"postgresql://{authority}/{database}{f'?{kept}' if kept else ''}",
        schema=schema,
        name=name if schema == DEFAULT_SCHEMA else f"{name} (schema {schema})",
    )


def _unreadable() -> SettingsError:
    return SettingsError(
        "The URL of the database cannot be read: write postgresql://user:password@host:5432/database, "
        "with any of @ : / ? # % in the password percent-encoded (@ is %40)."
    )
