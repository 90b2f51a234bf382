"""Excerpts: as much of a text as has room in a few lines of a card, and how much is left."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.blocks.primitives import Block
from bot.blocks.rich_text import run

LINE_LENGTH = 90
"""Characters of a line of a card in a wide window, about; measured in the embedded page at 1280 px."""
NOTE_LENGTH = len(" … 9,999 more characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a text.

    Attributes:
        text: its characters, line breaks included.
        is_code: True for JSON, fenced code and the like, which is shown in letters of equal widths.
        is_table: True for a table in Markdown.
        label: the speaker or the name of a field before it, which is bold; a part of the whole text as well.
    """

    text: str
    is_code: bool = False
    is_table: bool = False
    label: str = ""

    @property
    def is_preformatted(self) -> bool:
        """True if it is shown in letters of equal widths."""
        return self.is_code or self.is_table

    @property
    def length(self) -> int:
        """Number of characters."""
        return len(self.label) + len(self.text)

    @property
    def lines(self) -> int:
        """Number of lines that it takes on a card."""
        return count_lines(self.label + self.text)


def count_lines(text: str) -> int:
    """Return the number of lines that a text takes on a card; a line break at its end opens none."""
    return sum(max(1, math.ceil(len(line) / LINE_LENGTH)) for line in text.removesuffix("\n").split("\n"))


def cut_passages(passages: Sequence[Passage], lines: int) -> list[Passage]:
    """Return as many of the first passages as have room, the last of them cut at a word.

    They are whole where they take one line more than that: a note in its place would tell less.
    """
    if sum(passage.lines for passage in passages) <= lines + 1:
        return list(passages)
    kept: list[Passage] = []
    for passage in passages:
        if lines <= 0:
            break
        kept.append(replace(passage, text=first_lines(passage.text, lines)))
        if kept[-1].text != passage.text:
            break
        lines -= passage.lines
    return [*kept[:-1], replace(kept[-1], text=_with_room_for_note(kept[-1]))] if kept else []


def _with_room_for_note(passage: Passage) -> str:
    """Return the passage's text so that its last line of prose leaves room for the note on what is hidden."""
    text = passage.text.rstrip()
    if passage.is_preformatted or not text:
        return text
    used = (len(text.rpartition("\n")[2]) - 1) % LINE_LENGTH + 1
    over = used - (LINE_LENGTH - NOTE_LENGTH)
    return first_words(text, len(text) - over) if over > 0 else text


def excerpt_runs(text: str, length: int) -> list[Block]:
    """Return a text in one paragraph: all of it if it is hardly longer, else cut at a word and with a note."""
    if len(text) <= length + NOTE_LENGTH:
        return [run(text)]
    shown = first_words(text, length)
    return [run(shown), more_characters(len(text) - len(shown))]


def first_lines(text: str, lines: int) -> str:
    """Return the beginning of a text that takes no more lines on a card, cut after a word."""
    kept: list[str] = []
    for line in text.splitlines(keepends=True):
        needed = max(1, math.ceil(len(line.rstrip("\n")) / LINE_LENGTH))
        if needed > lines:
            if lines > 0:
                kept.append(first_words(line, lines * LINE_LENGTH))
            break
        kept.append(line)
        lines -= needed
    shown = "".join(kept)
    return shown if len(shown) == len(text) else shown.rstrip()


def first_words(text: str, length: int) -> str:
    """Return the beginning of a text, of at most so many characters, cut after a word where one is near."""
    if len(text) <= length:
        return text
    at = max(text.rfind(blank, 0, length + 1) for blank in " \n\t")
    return text[: at if at > length // 2 else length].rstrip()


def short_line(text: str, length: int) -> str:
    """Return the beginning of a text in one line, with a mark where it was cut; not escaped."""
    line = " ".join(text.split())
    shown = first_words(line, length)
    return shown if shown == line else f"{shown} …"


def more_characters(number: int) -> Block:
    """Return the note on how many characters are not shown."""
    return run(f" … {number:,} more character{'' if number == 1 else 's'}", style="italic")
