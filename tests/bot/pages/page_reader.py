"""Reads an HTML page as an auditor's tool would: its elements, headings, tables by caption, and its text."""

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

BLOCKS = frozenset({"dt", "dd", "td", "th", "p", "li"})
VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})


@dataclass(slots=True)
class Table:
    """A table's caption, and its cells row by row, the head first."""

    caption: str = ""
    rows: list[list[str]] = field(default_factory=list)
    scopes: list[str | None] = field(default_factory=list)
    """Of each header cell."""

    @property
    def body(self) -> dict[str, list[str]]:
        """The rows below the head, by their first cell."""
        return {row[0]: row[1:] for row in self.rows[1:]}


class PageReader(HTMLParser):
    """A page, read whole; `is_balanced` is False where an element is not closed, or one that is not open is."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.ids: Counter[str] = Counter()
        self.headings: list[tuple[int, str]] = []
        self.tables: list[Table] = []
        self.links: list[str] = []
        self.is_balanced = True
        self.text = ""
        self._open: list[str] = []
        self._table: Table | None = None
        self._cell: list[str] | None = None
        self.feed(page)
        self.close()
        self.is_balanced = self.is_balanced and not self._open

    def table(self, caption: str) -> Table:
        """The one table whose caption begins so."""
        (table,) = [each for each in self.tables if each.caption.startswith(caption)]
        return table

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += attrs
        values = dict(attrs)
        if identifier := values.get("id"):
            self.ids[identifier] += 1
        if tag == "a":
            self.links.append(values.get("href") or "")
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self._table = Table()
            self.tables.append(self._table)
        if tag == "tr" and self._table is not None:
            self._table.rows.append([])
        if tag == "th" and self._table is not None:
            self._table.scopes.append(values.get("scope"))
        if tag in ("td", "th", "caption", "h1", "h2", "h3", "h4", "title", "style"):
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self.text += " "
        if not self._open or self._open.pop() != tag:
            self.is_balanced = False
        words = " ".join("".join(self._cell or []).split())
        if tag in ("td", "th") and self._table is not None:
            self._table.rows[-1].append(words)
        elif tag == "caption" and self._table is not None:
            self._table.caption = words
        elif tag in ("h1", "h2", "h3", "h4"):
            self.headings.append((int(tag[1]), words))
        if tag == "table":
            self._table = None
        if tag in ("td", "th", "caption", "h1", "h2", "h3", "h4", "title", "style"):
            self._cell = None

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text += data
        if self._cell is not None:
            self._cell.append(data)
