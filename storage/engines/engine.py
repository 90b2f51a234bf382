"""The seam's interface: what an engine does for the documents above it."""

from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol

from storage.keys import LAST

Order = Literal["up", "down", "added", "newest"]
"""By key, by key backwards, in order of adding, or in that order backwards."""
Row = tuple[int, bytes]
"""A document's position, which grows in order of adding, and its body."""
SCHEMA_VERSION = 6
"""2: tables hold facts alone, their indexes are declared; 1, of memalign 0.1.0, is carried over when opened."""


class Engine(Protocol):
    """Tables of documents and their indexes in one store; used by one thread at a time.

    A table's name and an index's are ours; keys and places are any text, in order of code points; bodies are bytes.
    """

    # --- transactions

    def transaction(self) -> AbstractContextManager[None]:
        """Make the writes inside all or nothing; inside another transaction, a part of that one."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Let the reads inside see one unchanging state."""

    def announce(self, sender: str, tables: Collection[str]) -> None:
        """Tell other processes which of these tables the transaction under way has changed, once it is committed."""

    def translate_errors(self, location: object) -> AbstractContextManager[None]:
        """Raise errors of the engine and of files inside as `StoreFileError` about that location."""

    # --- tables

    def table_names(self) -> set[str]:
        """Return the names of all tables of documents."""

    def has_table(self, table: str) -> bool:
        """Return whether the table exists: it does from its first document on."""

    def create_table(self, table: str, indexes: Collection[str]) -> None:
        """Create the table and those of its indexes that are missing; their entries are left to the caller."""

    def indexes(self, table: str) -> set[str]:
        """Return the names of the table's indexes."""

    def drop_table(self, table: str) -> None:
        """Remove a table with its indexes, if it is there."""

    def rename_table(self, table: str, name: str) -> None:
        """Give a table that has no indexes another name."""

    # --- rows by key; the table is there

    def read(self, table: str, key: str) -> Row | None:
        """Return a document's row, if it is there."""

    def items(self, table: str) -> Iterator[tuple[str, int, bytes]]:
        """Yield key, position and body of all documents, in order of adding."""

    def count(self, table: str) -> int:
        """Return the number of documents."""

    def insert(self, table: str, key: str, body: bytes) -> int:
        """Add a document whose key is new; its position."""

    def replace(self, table: str, position: int, body: bytes) -> None:
        """Give a document another body."""

    def delete(self, table: str, position: int) -> None:
        """Remove a document; its index entries are left to the caller."""

    def clear(self, table: str) -> None:
        """Remove all documents with their index entries."""

    # --- rows by index

    def add_entry(self, table: str, index: str, place: str, position: int) -> None:
        """Add an index entry."""

    def remove_entry(self, table: str, index: str, place: str, position: int) -> None:
        """Remove an index entry."""

    def remove_entries(self, table: str, index: str, position: int) -> None:
        """Remove all entries of a document from an index, however they are called: looks at the whole index."""

    def places(self, table: str, index: str, position: int) -> list[str]:
        """Return the places under which an index lists a document: looks at the whole index."""

    def range(
        self, table: str, index: str | None, low: str, high: str = LAST, *, order: Order, likely: int = -1
    ) -> Generator[tuple[str, bytes], None, None]:
        """Yield keys and bodies of documents whose key, or index entry, is from `low` up to, but without, `high`.

        Args:
            table: the table's name.
            index: the index's; None: by key.
            low: the first key, or place.
            high: the one after the last.
            order: that of the documents.
            likely: how many the caller will read, unless some are damaged; -1: all.
        """

    # --- rows as they are, for a copy

    def raw_rows(self, table: str) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield position, key and body of all documents as they are stored, in order of adding."""

    def raw_entries(self, table: str, index: str) -> Iterator[tuple[bytes, int]]:
        """Yield place and position of all entries of an index as they are stored, in order of place."""

    def add_raw_rows(self, table: str, rows: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Add documents at the positions they had; later ones get positions after these."""

    def add_raw_entries(self, table: str, index: str, entries: Iterable[tuple[bytes, int]]) -> None:
        """Add index entries."""

    # --- the store

    @property
    def version(self) -> int:
        """The version of the form of the store's documents."""

    def set_version(self, version: int) -> None:
        """Note that the documents have the form of that version."""

    @property
    def changes(self) -> int:
        """The number of rows written since the engine was opened."""

    def check_files(self) -> None:
        """Raise `StoreFileError` when the store was removed or replaced, `OSError` when it cannot be looked at."""

    def vacuum(self) -> Iterator[bool]:
        """Leave no byte of what was deleted before in any file, a step at each look.

        Yields True after each step, and False at the end if another process still reads the old state: then bytes
        are left. Other transactions may come between the steps, and delete nothing that this covers.
        """

    def release_pages(self) -> bool:
        """Give some free pages back to the disk; return whether there were many. Not between steps of a vacuum."""

    @property
    def layout_version(self) -> int:
        """A number that grows when pages may have moved, so that a vacuum under way misses some."""

    def copy(self, file: Path) -> None:
        """Write the store as it is now to one file, whole or not at all. Raises `StorageError`."""

    def close(self) -> None:
        """Give the store back."""
