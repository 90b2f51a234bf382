"""Excerpts: as much of a text as has room in a few lines of a card, and how much is left."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.blocks.primitives import Block
from bot.blocks.rich_text import run

LINE_LENGTH = 110
"""Characters of a line of a card in a wide window, about; measured in the embedded page at 1280 px."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a text.

    Attributes:
        text: its characters, line breaks included.
        is_code: True for JSON, fenced code and the like, which is shown in letters of equal widths.
        label: the speaker or the name of a field before it, which is bold; a part of the whole text as well.
    """

    text: str
    is_code: bool = False
    label: str = ""

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
    """Return as many of the first passages as have room, the last of them cut at a word."""
    kept: list[Passage] = []
    for passage in passages:
        if lines <= 0:
            break
        text = first_lines(passage.text, lines)
        kept.append(passage if text == passage.text else replace(passage, text=text))
        if text != passage.text:
            break
        lines -= passage.lines
    return kept


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


def more_characters(number: int) -> Block:
    """Return the note on how many characters are not shown."""
    return run(f" … {number:,} more character{'' if number == 1 else 's'}", style="italic")
