"""The parts of a trace on cards and in modals: excerpts of a few lines, and the whole in pages."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from bot.blocks.excerpt import Passage, cut_passages, more_characters
from bot.blocks.primitives import Block
from bot.blocks.rich_text import EMPTY, passages_of, preformatted, quote, rich_section, rich_text, run
from bot.blocks.tables import Table, markdown_table, passages_with_tables
from bot.plain_text import pluralise

PAGE_LENGTH = 2400
"""Characters of a block in a modal that shows the whole trace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A turn, a field or the one text of a part.

    Attributes:
        text: all of it after the label.
        label: the speaker or the field's name, with which its text begins.
        speaker: True if the label is one.
        is_code: True for JSON.
    """

    text: str
    label: str = ""
    speaker: bool = False
    is_code: bool = False

    @property
    def passages(self) -> list[Passage]:
        """The text as prose and code, in which the first prose has the label."""
        found = [(True, self.text)] if self.is_code else passages_of(self.text) or [(False, "")]
        passages = [passage for is_code, text in found for passage in _with_tables(is_code, text)]
        if not self.label:
            return passages
        first, *others = passages
        opening = (
            [Passage(text="", label=self.label), first]
            if first.is_preformatted
            else [replace(first, label=self.label)]
        )
        return [*opening, *others]


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePart:
    """A titled text of a trace.

    Attributes:
        title: its name.
        entries: turns, fields, or its one text; joined by line breaks they are the whole text.
        question: the question in it, where it is known which words are that.
        beside: what was sent beside that question.
        records: the table that it is, if it is a list of records of one kind.
    """

    title: str
    entries: tuple[Entry, ...]
    question: str = ""
    beside: tuple[Entry, ...] = ()
    records: Table | None = None

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(entry.label + entry.text for entry in self.entries)

    def excerpt(self, lines: int) -> list[Passage]:
        """Return the passages that a card has room for: of turns the last ones, of all else the first."""
        if not self.text.strip():
            return [Passage(text=EMPTY)]
        return cut_passages(_passages(self._last_turns(lines)), lines)

    def hidden(self, lines: int) -> int:
        """Return the number of characters that a card has no room for."""
        shown = sum(passage.length for passage in self.excerpt(lines))
        return max(len(self.text) - shown, 0) if self.text.strip() else 0

    def excerpt_blocks(self, lines: int) -> list[Block | Table]:
        """Return the part as a card shows it: quotations, preformatted text, tables, and how much is left."""
        if self.records:
            return _first_records(self.records, lines)
        shown = list(_pieces(self.excerpt(lines)))
        hidden = self.hidden(lines)
        if not hidden:
            return shown
        *others, last = shown or [rich_section()]
        if isinstance(last, dict) and last["type"] != "rich_text_preformatted":
            return [*others, {**last, "elements": [*last["elements"], more_characters(hidden)]}]
        return [*others, last, rich_section(more_characters(hidden))]

    def whole_blocks(self) -> list[Block]:
        """Return all of the part in blocks of limited length; joined, their quotations are the text."""
        blocks, used = [rich_text(rich_section(run(self.title, style="bold")))], 0
        passages = _passages(self.entries) if self.text.strip() else [Passage(text=EMPTY)]
        for page in _pages(passages):
            if used + page.length > PAGE_LENGTH:
                blocks, used = [*blocks, rich_text()], 0
            blocks[-1]["elements"] += elements_of([page])
            used += page.length
        return blocks

    def without_question(self) -> "TracePart | None":
        """Return what there is beside the question; None where there is nothing, or it cannot be told apart."""
        return replace(self, entries=self.beside, question="", beside=()) if self.beside else None

    def _last_turns(self, lines: int) -> Sequence[Entry]:
        if not self.entries[-1].speaker:
            return self.entries
        start = len(self.entries) - 1
        lines -= _lines(self.entries[start])
        while start and lines >= _lines(self.entries[start - 1]):
            start -= 1
            lines -= _lines(self.entries[start])
        return self.entries[start:]


def elements_of(passages: Iterable[Passage]) -> list[Block]:
    """Return passages as quotations and preformatted text; joined, these are the text."""
    elements = []
    for is_preformatted, group in groupby(passages, key=lambda passage: passage.is_preformatted):
        if is_preformatted:
            elements += [preformatted(passage.text) for passage in group]
        elif runs := [piece for passage in group for piece in _runs(passage)]:
            elements.append(quote(*runs))
    return elements


def _pieces(passages: Iterable[Passage]) -> Iterator[Block | Table]:
    """Yield passages as `elements_of` does, tables as such."""
    for is_table, group in groupby(passages, key=lambda passage: passage.is_table):
        for passage in group if is_table else ():
            table = markdown_table(passage.text)
            yield table or preformatted(passage.text)
        if not is_table:
            yield from elements_of(group)


def _first_records(table: Table, lines: int) -> list[Block | Table]:
    number = len(table.rows) if len(table.rows) <= lines else max(lines - 1, 2)
    hidden = len(table.rows) - number
    note = [rich_section(run(f"… {pluralise(hidden, 'more row')}", style="italic"))] if hidden > 0 else []
    return [table.first_rows(number), *note]


def _with_tables(is_code: bool, text: str) -> list[Passage]:
    if is_code:
        return [Passage(text=text, is_code=True)]
    return [Passage(text=passage, is_table=is_table) for is_table, passage in passages_with_tables(text)]


def _runs(passage: Passage) -> list[Block]:
    label = [run(passage.label, style="bold")] if passage.label else []
    return [*label, run(passage.text)] if passage.text else label


def _lines(entry: Entry) -> int:
    return sum(passage.lines for passage in entry.passages)


def _passages(entries: Sequence[Entry]) -> list[Passage]:
    """Return the passages of entries, with the line breaks between these."""
    between = [replace(entry, text=f"{entry.text}\n") for entry in entries[:-1]]
    return [passage for entry in (*between, entries[-1]) for passage in entry.passages]


def _pages(passages: Iterable[Passage]) -> Iterator[Passage]:
    for passage in passages:
        first, *others = text_pages(passage.text)
        yield replace(passage, text=first)
        yield from (replace(passage, text=text, label="") for text in others)


def text_pages(text: str) -> list[str]:
    """Split a text into pages of limited length, after white space where there is some; joined they are the text."""
    cuts = [0]
    while len(text) - cuts[-1] > PAGE_LENGTH:
        window = text[cuts[-1] : cuts[-1] + PAGE_LENGTH]
        at = max(window.rfind("\n"), window.rfind(" ")) + 1
        cuts.append(cuts[-1] + (at if at > PAGE_LENGTH // 2 else PAGE_LENGTH))
    return [text[start:end] for start, end in pairwise([*cuts, len(text)])]
