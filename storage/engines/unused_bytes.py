"""The slack of a SQLite file: bytes inside its pages that belong to no row any more.

`secure_delete` overwrites deleted rows, but when SQLite rebalances a B-tree it leaves copies of moved rows in the
unused space of pages, and a later deletion does not find them. `VACUUM` would write every page anew, and keep
everybody waiting meanwhile. This overwrites the unused space alone, some pages at a time, in the main file, while
the write-ahead log is empty. It is safe at any instant: no byte that SQLite reads is touched.

The layout of pages: "Database File Format", sections 1.5 and 1.6 (https://www.sqlite.org/fileformat2.html). Pages
on the free list are zeros already, as `secure_delete` frees them; what overflow pages hold belongs to rows.
"""

import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_FILE_HEADER = 100
"""Bytes before the B-tree header of page 1."""
_INTERIOR_TYPES = (2, 5)
_PAGE_TYPES = (2, 5, 10, 13)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A B-tree page and what its header says."""

    number: int
    data: bytes
    start: int
    """Of the B-tree header."""

    @property
    def is_interior(self) -> bool:
        return self.data[self.start] in _INTERIOR_TYPES

    @property
    def first_freeblock(self) -> int:
        return self._short(self.start + 1)

    @property
    def cell_pointers(self) -> Sequence[int]:
        count, begin = self._short(self.start + 3), self.start + (12 if self.is_interior else 8)
        return struct.unpack_from(f">{count}H", self.data, begin)

    def children(self) -> list[int]:
        """Return the numbers of the pages below; only an interior page has any."""
        read = struct.Struct(">I").unpack_from
        own = [read(self.data, place)[0] for place in self.cell_pointers]
        return [*own, read(self.data, self.start + 8)[0]]

    def unused(self) -> Iterator[tuple[int, int]]:
        """Yield begin and end of each stretch of unused bytes."""
        pointers_end = self.start + (12 if self.is_interior else 8) + 2 * self._short(self.start + 3)
        yield pointers_end, self._short(self.start + 5) or 65536
        block = min(self.first_freeblock, len(self.data) - 4)
        while block:
            following, size = struct.unpack_from(">HH", self.data, block)
            yield block + 4, block + size
            block = following if block < following <= len(self.data) - 4 else 0

    def _short(self, place: int) -> int:
        value: int = struct.unpack_from(">H", self.data, place)[0]
        return value


class UnusedBytes:
    """The main file of a store, whose log is empty during each call.

    The handle stays open as long as the store: closing one handle of a file gives up all locks that the process
    holds on it, SQLite's among them.
    """

    def __init__(self, path: str) -> None:
        """Open the file. Raises `OSError`."""
        self._handle = os.open(path, os.O_RDWR)
        header = os.pread(self._handle, _FILE_HEADER, 0)
        size = struct.unpack_from(">H", header, 16)[0] if len(header) == _FILE_HEADER else 4096
        self._page_size = 65536 if size == 1 else size

    @property
    def page_count(self) -> int:
        """The number of pages."""
        return os.fstat(self._handle).st_size // self._page_size

    def pages_from(self, roots: Iterable[int], first: int, last: int) -> list[int]:
        """Return the numbers of all B-tree pages from `first` to `last`, sorted. Raises `OSError`."""
        numbers = {number for root in roots for number in self._tree(root)}
        return sorted(number for number in numbers if first <= number <= last)

    def overwrite(self, numbers: Iterable[int]) -> None:
        """Overwrite the unused bytes of these B-tree pages with zeros. Raises `OSError`."""
        for number in numbers:
            page = self._page(number)
            if page is not None:
                for begin, stretch_end in page.unused():
                    end = min(stretch_end, self._page_size)
                    if end > begin and page.data.count(0, begin, end) < end - begin:
                        place = (number - 1) * self._page_size + begin
                        os.pwrite(self._handle, bytes(end - begin), place)

    def sync(self) -> None:
        """Bring what was overwritten to the disk. Raises `OSError`."""
        os.fsync(self._handle)

    def close(self) -> None:
        """Close the handle, after SQLite's own."""
        os.close(self._handle)

    def _tree(self, root: int) -> Iterator[int]:
        level, seen = [root], set[int]()
        # in a damaged file a page may lead back to one above it
        while level and seen.isdisjoint(level):
            seen.update(level)
            yield from level
            # all leaves of a B-tree are equally deep, so that one page tells for its level
            first = self._page(level[0])
            if first is None or not first.is_interior:
                return
            pages = map(self._page, level)
            level = [child for page in pages if page is not None for child in page.children()]

    def _page(self, number: int) -> _Page | None:
        """Read a B-tree page; None for what is none, as in a damaged file."""
        data = os.pread(self._handle, self._page_size, max(number - 1, 0) * self._page_size)
        start = _FILE_HEADER if number == 1 else 0
        if number < 1 or len(data) < self._page_size or data[start] not in _PAGE_TYPES:
            return None
        return _Page(number=number, data=data, start=start)
