"""The parts of a trace that people read: inputs, outputs, what was expected, the conversation."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from bot.blocks.excerpt import Passage, cut_passages, more_characters
from bot.blocks.primitives import Block
from bot.blocks.rich_text import EMPTY, passages_of, preformatted, quote, rich_section, rich_text, run
from memalign.messages import without_envelopes
from memalign.records import Json, Trace
from memalign.trace_content import TraceContent
from memalign.turns import is_turn, turn_text

PAGE_LENGTH = 2400
"""Characters of a block in a modal that shows the whole trace."""
QUESTIONERS = frozenset({"user", "human"})
QUESTION_FIELDS = ("question", "query", "prompt", "message", "input", "text", "task", "instruction")
"""Names under which applications send what they are asked, the surest first."""


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
        passages = [Passage(text=text, is_code=is_code) for is_code, text in found]
        if not self.label:
            return passages
        first, *others = passages
        opening = (
            [Passage(text="", label=self.label), first]
            if first.is_code
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
    """

    title: str
    entries: tuple[Entry, ...]
    question: str = ""

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

    def excerpt_blocks(self, lines: int) -> list[Block]:
        """Return the part as a card shows it: quotations and preformatted text, and how much is left."""
        shown = elements_of(self.excerpt(lines))
        hidden = self.hidden(lines)
        return [*shown, rich_section(more_characters(hidden))] if hidden else shown

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
        others = [entry for entry in self.entries if entry.text.removeprefix(": ") != self.question]
        return replace(self, entries=tuple(others), question="") if others else None

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
    for is_code, group in groupby(passages, key=lambda passage: passage.is_code):
        if is_code:
            elements += [preformatted(passage.text) for passage in group]
        elif runs := [piece for passage in group for piece in _runs(passage)]:
            elements.append(quote(*runs))
    return elements


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
        yield from (Passage(text=text, is_code=passage.is_code) for text in others)


def parts_of(trace: Trace) -> list[TracePart]:
    """Return the parts of a trace that a person can read, in reading order, as the judge sees them."""
    content = TraceContent(trace)
    candidates = (
        ("Input", content.inputs),
        ("Output", content.shown_outputs),
        ("Expected", content.expectations),
        ("Conversation", content.conversation),
    )
    return [trace_part(title, value) for title, value in candidates if value is not None]


def trace_part(title: str, value: Json) -> TracePart:
    """Return inputs or outputs as a person reads them: texts and turns as they are, the rest as indented JSON."""
    return TracePart(title=title, entries=tuple(_entries(value)), question=question_of(value))


def question_of(value: Json) -> str:
    """Return what is asked: a text, what a user said last, or a field of a usual name; empty where it is unknown."""
    if isinstance(value, str):
        return value
    if _is_chat(value):
        asked = [turn.get("content") for turn in _turns(value) if turn["role"].lower() in QUESTIONERS]
        return asked[-1] if asked and isinstance(asked[-1], str) else ""
    if isinstance(value, list) and len(value) == 1:
        return question_of(value[0])
    if not isinstance(value, Mapping):
        return ""
    if len(value) == 1:
        return question_of(next(iter(value.values())))
    chats = [inner for inner in value.values() if _is_chat(inner)]
    named = {str(name).lower(): inner for name, inner in value.items()}
    texts = [named[name] for name in QUESTION_FIELDS if isinstance(named.get(name), str)]
    return next(filter(None, (*texts, *map(question_of, chats))), "")


def _entries(value: Json) -> list[Entry]:
    if _is_chat(value) and (
        len(_turns(value)) > 1 or without_envelopes(value) == turn_text(_turns(value)[0])
    ):
        return [_turn_entry(turn) for turn in _turns(value)]
    if isinstance(value, Mapping) and len(value) == 1:
        [inner] = value.values()
        if isinstance(inner, str) or _is_chat(inner):
            return _entries(inner)
    shown = without_envelopes(value)
    if isinstance(shown, str):
        return [Entry(text=shown)]
    if isinstance(shown, Mapping) and shown and all(isinstance(field, str) for field in shown.values()):
        return [entry for name, text in shown.items() for entry in _field_entries(name, text, value)]
    return [Entry(text=json.dumps(shown, ensure_ascii=False, indent=2), is_code=True)]


def _field_entries(name: str, text: str, parent: Json) -> list[Entry]:
    """Return a field; turns in it are entries of their own."""
    inner = parent.get(name) if isinstance(parent, Mapping) else None
    if _is_chat(inner) and len(_turns(inner)) > 1:
        return [Entry(label=name, text=":"), *map(_turn_entry, _turns(inner))]
    return [Entry(label=name, text=f": {text}")]


def _turn_entry(turn: Mapping[str, Json]) -> Entry:
    """Return a turn as `turn_text` writes it, its speaker with a capital."""
    speaker = " ".join(filter(None, (str(turn["role"]), str(turn.get("name") or ""))))
    text = turn_text(turn)
    if not text.startswith(speaker):
        return Entry(text=text, speaker=True)
    return Entry(label=speaker[:1].upper() + speaker[1:], text=text.removeprefix(speaker), speaker=True)


def _is_chat(value: Json) -> bool:
    return bool(value) and all(map(is_turn, value if isinstance(value, list) else [value]))


def _turns(value: Json) -> list[Mapping[str, Json]]:
    return value if isinstance(value, list) else [value]


def text_pages(text: str) -> list[str]:
    """Split a text into pages of limited length, after white space where there is some; joined they are the text."""
    cuts = [0]
    while len(text) - cuts[-1] > PAGE_LENGTH:
        window = text[cuts[-1] : cuts[-1] + PAGE_LENGTH]
        at = max(window.rfind("\n"), window.rfind(" ")) + 1
        cuts.append(cuts[-1] + (at if at > PAGE_LENGTH // 2 else PAGE_LENGTH))
    return [text[start:end] for start, end in pairwise([*cuts, len(text)])]
