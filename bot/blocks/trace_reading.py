"""Reads the parts of a trace that people read: inputs, outputs, what was expected, the conversation."""

import json
from collections.abc import Mapping

from bot.blocks.tables import field_text, records_table
from bot.blocks.trace_parts import Entry, TracePart
from memalign.messages import without_envelopes
from memalign.records import Json, Trace
from memalign.trace_content import TraceContent
from memalign.turns import is_turn, turn_text

QUESTIONERS = frozenset({"user", "human"})
QUESTION_FIELDS = ("question", "query", "prompt", "message", "input", "text", "task", "instruction")
"""Names under which applications send what they are asked, the surest first."""


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
    question = question_of(value)
    return TracePart(
        title=title,
        entries=tuple(_entries(value)),
        question=question,
        beside=tuple(_beside(value, question)) if question else (),
        records=None if _is_chat(value) else records_table(value),
    )


def _beside(value: Json, question: str) -> list[Entry]:
    """Return what was sent beside a question: the other fields, the other turns."""
    if isinstance(value, Mapping) and len(value) > 1 and question in value.values():
        name = next(name for name, field in value.items() if field == question)
        others = {other: field for other, field in value.items() if other != name}
        if any(isinstance(field, list | Mapping) for field in others.values()):
            return _entries(others)
        return [Entry(label=str(other), text=f": {field_text(field)}") for other, field in others.items()]
    return [entry for entry in _entries(value) if entry.text.removeprefix(": ") != question]


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
