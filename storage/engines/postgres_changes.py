"""Notices of changes, which the server hands to all replicas with the commit (NOTIFY)."""

from collections.abc import Iterable

from storage.engines.postgres_session import lock_key
from storage.location import PostgresUrl


def channel_of(location: PostgresUrl) -> str:
    """Return the name of the channel of notices on a store's changes."""
    return f"memalign_{lock_key(location, 'changes') & 0xFFFFFFFFFFFFFFFF:016x}"


def change_notice(sender: str, tables: Iterable[str]) -> str:
    """Return the text of a notice that some tables were changed; it holds no words of people and no ids."""
    return " ".join([sender, *sorted(tables)])


def read_notice(text: str) -> tuple[str, frozenset[str]]:
    """Return sender and tables of a notice."""
    sender, _, tables = text.partition(" ")
    return sender, frozenset(tables.split())
