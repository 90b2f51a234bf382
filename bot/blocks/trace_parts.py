"""The parts of a trace that people read: inputs, outputs, what was expected, the conversation."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from bot.blocks.primitives import Block
from bot.blocks.rich_text import (
    EMPTY,
    labelled_runs,
    passages_of,
    preformatted,
    quote,
    rich_section,
    rich_text,
    run,
)
from memalign.fair_cut import GAP, cut_lines
from memalign.messages import without_envelopes
from memalign.records import Json, Trace
from memalign.trace_content import TraceContent
from memalign.turns import is_turn

PAGE_LENGTH = 2400
"""Characters of a block in a modal that shows the whole trace."""
MAX_EXCERPT_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePart:
    """A titled text of a trace.

    Attributes:
        title: its name.
        text: all of it.
        length: the number of characters of it that a card shows.
        is_code: True for JSON, which is shown in a font of equal widths.
        labels: speakers and names of fields, which are bold at the beginning of a line.
    """

    title: str
    text: str
    length: int
    is_code: bool = False
    labels: frozenset[str] = frozenset()

    @property
    def excerpt(self) -> str:
        """The text as the card shows it: its longest lines cut, so that a question among them stays."""
        return cut_lines(_outer_lines(self.text), self.length, len)

    @property
    def is_cut(self) -> bool:
        """True when the card does not show the whole text."""
        return self.excerpt != self.text

    def excerpt_block(self) -> Block:
        """Return the part as the card shows it."""
        shown = [rich_section(run(self.title, style="bold")), *self._shown(self.excerpt)]
        if self.is_cut:
            missing = max(len(self.text) - len(self.excerpt), 1)
            more = "character" if missing == 1 else "characters"
            shown.append(rich_section(run(f"… {missing:,} more {more}", style="italic")))
        return rich_text(*shown)

    def whole_blocks(self) -> list[Block]:
        """Return all of the part in blocks of limited length; joined, their quotations are the text."""
        blocks, used = [rich_text(rich_section(run(self.title, style="bold")))], 0
        for is_code, page in self._pages():
            if used + len(page) > PAGE_LENGTH:
                blocks, used = [*blocks, rich_text()], 0
            blocks[-1]["elements"].append(self._shown_passage(page, is_code=is_code))
            used += len(page)
        return blocks

    def _shown(self, text: str) -> list[Block]:
        return [self._shown_passage(passage, is_code=is_code) for is_code, passage in self._passages(text)]

    def _shown_passage(self, passage: str, *, is_code: bool) -> Block:
        return preformatted(passage) if is_code else quote(*labelled_runs(passage, self.labels))

    def _pages(self) -> list[tuple[bool, str]]:
        return [
            (is_code, page) for is_code, passage in self._passages(self.text) for page in text_pages(passage)
        ]

    def _passages(self, text: str) -> list[tuple[bool, str]]:
        if not text.strip():
            return [(False, EMPTY)]
        return [(True, text)] if self.is_code else passages_of(text)


def parts_of(trace: Trace) -> list[TracePart]:
    """Return the parts of a trace that a person can read, in reading order, as the judge sees them."""
    content = TraceContent(trace)
    candidates = (
        ("Input", content.inputs, 600),
        ("Output", content.shown_outputs, 900),
        ("Expected", content.expectations, 600),
        ("Conversation", content.conversation, 900),
    )
    return [trace_part(title, value, length) for title, value, length in candidates if value is not None]


def trace_part(title: str, value: Json, length: int) -> TracePart:
    """Return inputs or outputs as a person reads them: texts and turns as they are, the rest as indented JSON."""
    shown = without_envelopes(value)
    speakers = frozenset(_speakers(value))
    if isinstance(shown, str):
        return TracePart(title=title, text=shown, length=length, labels=speakers)
    if isinstance(shown, Mapping) and shown and all(isinstance(part, str) for part in shown.values()):
        if len(shown) == 1:
            return TracePart(
                title=title, text=str(next(iter(shown.values()))), length=length, labels=speakers
            )
        fields = "\n".join(f"{key}: {part}" for key, part in shown.items())
        return TracePart(title=title, text=fields, length=length, labels=speakers | shown.keys())
    text = json.dumps(shown, ensure_ascii=False, indent=2)
    return TracePart(title=title, text=text, length=length, is_code=True)


def text_pages(text: str) -> list[str]:
    """Split a text into pages of limited length, after white space where there is some; joined they are the text."""
    cuts = [0]
    while len(text) - cuts[-1] > PAGE_LENGTH:
        window = text[cuts[-1] : cuts[-1] + PAGE_LENGTH]
        at = max(window.rfind("\n"), window.rfind(" ")) + 1
        cuts.append(cuts[-1] + (at if at > PAGE_LENGTH // 2 else PAGE_LENGTH))
    return [text[start:end] for start, end in pairwise([*cuts, len(text)])]


def _outer_lines(text: str) -> str:
    """Return the first and last lines of a text of many lines."""
    lines = text.split("\n")
    if len(lines) <= MAX_EXCERPT_LINES:
        return text
    tail = MAX_EXCERPT_LINES // 3
    head = MAX_EXCERPT_LINES - tail - 1
    return "\n".join([*lines[:head], GAP.strip(), *lines[-tail:]])


def _speakers(value: Json) -> Iterator[str]:
    """Yield who speaks in the turns of a value, as `turn_text` writes them."""
    if isinstance(value, Mapping) and is_turn(value):
        yield " ".join(filter(None, (str(value["role"]), str(value.get("name") or ""))))
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _speakers(inner)
