"""Tables of any origin, whose columns are known by their usual names, or are named by who converts them."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from bot.conversion.cells import cell_value, iso_time, label_of, milliseconds, text_of
from bot.conversion.records import Document, Part
from bot.plain_text import nearest
from memalign.errors import InputError
from memalign.records import Assessment, Json, Trace

FIELD_NAMES: Mapping[str, tuple[str, ...]] = {
    "trace_id": ("traceid", "requestid", "runid", "id", "exampleid", "sampleid", "conversationid", "uuid", "key"),
    "inputs": ("inputs", "input", "question", "prompt", "query", "request", "userinput", "usermessage", "userquery",
               "userprompt", "instruction", "instructions", "frage", "anfrage", "message"),
    "outputs": ("outputs", "output", "answer", "response", "completion", "generation", "reply", "modeloutput",
                "modelanswer", "modelresponse", "botresponse", "assistant", "assistantresponse", "prediction",
                "antwort", "result"),
    "expectations": ("expectations", "expected", "expectedoutput", "expectedanswer", "expectedresponse", "reference",
                     "referenceanswer", "groundtruth", "idealanswer", "gold", "target"),
    "label": ("label", "rating", "score", "grade", "verdict", "thumb", "thumbs", "humanlabel", "annotation", "vote",
              "bewertung", "iscorrect", "correct", "feedback", "value"),
    "rationale": ("rationale", "reason", "comment", "comments", "explanation", "justification", "note", "notes",
                  "remark", "remarks", "feedbackcomment", "begründung", "kommentar", "feedback"),
    "annotator": ("annotator", "annotatedby", "annotatorid", "reviewer", "rater", "labeler", "labeller", "labeledby",
                  "labelledby", "author", "person", "user", "userid", "username", "email"),
    "timestamp": ("timestamp", "createdat", "labeledat", "updatedat", "time", "date", "datetime", "starttime"),
    "messages": ("messages", "conversation", "chat", "transcript", "dialogue", "dialog", "turns"),
    "judge": ("judge", "criterion", "metric", "criteria"),
}  # fmt: skip
"""Fields of a trace line -> usual names of their columns, the likeliest first; without case, blanks and underscores."""
_NEEDED = ("inputs", "outputs")
_ANSWERING = ("assistant", "model", "ai")
_ID_DIGITS = 16


def plain_column(name: str) -> str:
    """Return a column's name without case, blanks and marks."""
    return re.sub(r"[\W_]+", "", name.casefold())


@dataclass(slots=True, kw_only=True)
class ColumnReader:
    """Reads rows by their columns."""

    named: Mapping[str, str] = field(default_factory=dict)
    """Field -> column, as `--columns` says."""
    uses: dict[tuple[str, ...], Mapping[str, str]] = field(default_factory=dict)
    """Columns of the rows so far -> the field that each column in use became."""
    derived_ids: int = 0
    """Number of rows whose id was made from what they hold."""
    unread_times: int = 0
    """Number of rows whose time is in a form that is not known."""

    def read(self, document: Document) -> Iterator[Part]:
        """Yield the trace of a row. Raises `InputError`."""
        columns = tuple(document)
        if columns not in self.uses:
            self.uses[columns] = fields_of_columns(columns, self.named)
        by_field = {name: column for column, name in self.uses[columns].items()}
        cells = {name: document[column] for name, column in by_field.items()}
        yield self._trace(cells, {name: document[name] for name in columns if name not in self.uses[columns]})

    def _trace(self, cells: Mapping[str, Json], others: Mapping[str, Json]) -> Trace:
        conversation = cell_value(cells.get("messages"))
        has_sides = all(name in cells for name in _NEEDED)
        inputs, outputs = [cell_value(cells[name]) for name in _NEEDED] if has_sides else _sides(conversation)
        expected = cell_value(cells.get("expectations"))
        labels = _labels(cells)
        # without a label nobody would see the comment
        comment = None if labels else cells.get("rationale")
        trace_id = text_of(cells.get("trace_id"))
        if trace_id is None:
            self.derived_ids += 1
            trace_id = derived_id(inputs, outputs)
        timestamp = iso_time(cells.get("timestamp"))
        self.unread_times += timestamp is None and text_of(cells.get("timestamp")) is not None
        return Trace(
            trace_id=trace_id,
            inputs=inputs,
            outputs=outputs,
            expectations={"expected": expected} if isinstance(expected, str) else expected,
            conversation=conversation,
            assessments=labels,
            timestamp=timestamp,
            metadata={
                name: cell for name, cell in {**others, "comment": comment}.items() if cell is not None
            },
        )


def _labels(cells: Mapping[str, Json]) -> tuple[Assessment, ...]:
    value = label_of(cells.get("label"))
    if value is None:
        return ()
    return (
        Assessment(
            name=text_of(cells.get("judge")) or "",
            value=value,
            rationale=text_of(cells.get("rationale")),
            source_id=text_of(cells.get("annotator")) or "",
            create_time_ms=milliseconds(cells.get("timestamp")),
        ),
    )


def _sides(messages: Json) -> tuple[Json, Json]:
    """Return the messages before the last answer, and that answer. Raises `InputError` where there is none."""
    last = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(last, Mapping) or last.get("role") not in _ANSWERING:
        raise InputError("its messages do not end with one of the assistant's")
    return messages[:-1], last.get("content")


def derived_id(inputs: Json, outputs: Json) -> str:
    """Return an id that is the same for the same question and answer, in whatever file."""
    content = json.dumps([inputs, outputs], sort_keys=True, ensure_ascii=False, default=str)
    return f"row-{hashlib.sha256(content.encode()).hexdigest()[:_ID_DIGITS]}"


def fields_of_columns(columns: tuple[str, ...], named: Mapping[str, str]) -> Mapping[str, str]:
    """Return the field of a trace line that each column is. Raises `InputError` where inputs or outputs have none."""
    fields = {_column(columns, column): name for name, column in named.items()}
    plain: dict[str, str] = {}
    for column in columns:
        plain.setdefault(plain_column(column), column)
    if "assistant" in plain and "user" in plain and "inputs" not in named:
        # a chat's two sides; elsewhere a user is who answered
        fields.setdefault(plain["user"], "inputs")
    for name, usual in FIELD_NAMES.items():
        if name not in fields.values():
            free = (plain[each] for each in usual if each in plain and plain[each] not in fields)
            fields |= dict.fromkeys(islice(free, 1), name)
    missing = [name for name in _NEEDED if name not in fields.values()]
    if missing and "messages" not in fields.values():
        shown = ", ".join(columns) or "none"
        raise InputError(
            f"no column is known as {' and '.join(missing)} (the columns are: {shown}); name them, "
            "such as --columns inputs=QUESTION,outputs=ANSWER"
        )
    return fields


def _column(columns: tuple[str, ...], name: str) -> str:
    same = [column for column in columns if plain_column(column) == plain_column(name)]
    if name in columns:
        return name
    if len(same) == 1:
        return same[0]
    meant = f", did you mean “{guess}”" if (guess := nearest(name, columns)) else ""
    raise InputError(f"there is no column “{name}”{meant}; the columns are: {', '.join(columns)}")
