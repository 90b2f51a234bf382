"""Damaged documents: each is set aside where it lies, told once, and the rest of the store goes on."""

import logging
from collections.abc import Iterable

_LOG = logging.getLogger("memalign.storage")
MAX_TOLD = 5
"""Damaged documents that are told one by one."""


class DamageLog:
    """The damaged documents met so far, by table and id."""

    def __init__(self) -> None:
        self._met: dict[tuple[str, str], str] = {}

    def __len__(self) -> int:
        return len(self._met)

    def note(self, table: str, doc_id: str, problem: Exception) -> None:
        """Note a document that cannot be read."""
        if (table, doc_id) not in self._met:
            self._met[table, doc_id] = sentence(table, doc_id)
            _LOG.error("%s (%s)", self._met[table, doc_id], type(problem).__name__)

    def clear(self, table: str, doc_id: str) -> None:
        """Note that the document is gone, or whole again."""
        self._met.pop((table, doc_id), None)

    def ids_in(self, tables: Iterable[str]) -> list[tuple[str, str]]:
        """Return table and id of the damaged documents in these tables."""
        wanted = set(tables)
        return [place for place in self._met if place[0] in wanted]

    def sentences(self) -> list[str]:
        """Return a sentence for each damaged document, and one for those that are too many to tell."""
        told = list(self._met.values())
        more = len(told) - MAX_TOLD
        return told if more <= 0 else [*told[:MAX_TOLD], f"{more} more records of the store are damaged."]


def sentence(table: str, doc_id: str) -> str:
    """Return the sentence on a damaged document."""
    readable = doc_id.replace("\x00", " / ")
    return (
        f'The record "{readable}" in the table "{table}" of the store is damaged and was set aside. '
        "Bring back an earlier copy with `memalign restore`, or go on without it."
    )
