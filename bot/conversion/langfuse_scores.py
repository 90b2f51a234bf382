"""Scores of Langfuse: objects of a trace, rows of a table, or columns that bear a score's name.

https://langfuse.com/docs/evaluation/evaluation-methods/data-model
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bot.conversion.cells import cell_value, label_of, milliseconds, text_of
from bot.conversion.records import Document
from memalign.records import Assessment, Json, Label

_LIST_COLUMNS = {
    "tags", "traceTags", "comments", "observations", "scores", "toolCalls", "toolCallNames", "toolDefinitions",
    "observationIds", "input", "output", "metadata", "usagePricingTierName",
}  # fmt: skip
"""Columns of Langfuse that hold lists, but no scores."""

_SNAKE_NAMES = {
    "trace_id": "traceId", "observation_id": "observationId", "parent_observation_id": "parentObservationId",
    "start_time": "startTime", "end_time": "endTime", "status_message": "statusMessage", "data_type": "dataType",
    "string_value": "stringValue", "session_id": "sessionId", "user_id": "userId", "project_id": "projectId",
    "created_at": "createdAt", "updated_at": "updatedAt",
}  # fmt: skip
"""Names in exports to blob storage, and those of the API."""


def with_api_names(document: Document) -> Document:
    """Return an object of an export to blob storage with the names of the API; any other as it is."""
    if "project_id" not in document:
        return document
    return {_SNAKE_NAMES.get(name, name): part for name, part in document.items()}


def is_score(document: Document) -> bool:
    """Return whether an object is a score, apart from its trace."""
    names = document.keys()
    return (
        {"traceId", "name"} <= names
        and bool({"value", "stringValue"} & names)
        and bool({"dataType", "source", "scoreId", "comment"} & names)
        and "input" not in names
    )


def score_of(document: Document) -> Assessment:
    """Return a score; one that says EVAL is a model's, and any other counts as a person's."""
    source = str(document.get("source") or "").upper()
    person = next(
        (
            document[name]
            for name in ("authorUserName", "authorUserId", "author_user_id")
            if document.get(name)
        ),
        None,
    )
    return Assessment(
        name=text_of(document.get("name")) or "",
        value=_value(document),
        rationale=text_of(document.get("comment")),
        source_type="LLM_JUDGE" if source == "EVAL" else "HUMAN",
        source_id=text_of(person) or "",
        create_time_ms=milliseconds(
            document.get("timestamp") or document.get("updatedAt") or document.get("createdAt")
        ),
    )


def _value(document: Document) -> Label | None:
    kind = str(document.get("dataType") or "").upper()
    value, text = document.get("value"), document.get("stringValue")
    if kind == "BOOLEAN":
        # in tables the number is a text
        number = label_of(value)
        return bool(number) if isinstance(number, bool | int | float) else label_of(text)
    return label_of(text if kind in ("CATEGORICAL", "TEXT") and text not in (None, "") else value)


def score_columns(document: Document) -> Iterator[tuple[str, Label]]:
    """Yield the scores of a table's row, whose columns hold the values of all scores of a name."""
    for name, cell in document.items():
        values = None if name in _LIST_COLUMNS else cell_value(cell)
        if isinstance(values, list) and not any(isinstance(each, list | Mapping) for each in values):
            yield from ((name, label) for each in values if (label := label_of(each)) is not None)


def comments_of(document: Document, labels: Sequence[Assessment]) -> tuple[Assessment, ...]:
    """Return labels with the comments on their trace as reasons, where it is plain which label they belong to."""
    comments = cell_value(document.get("comments"))
    listed = [each for each in comments if isinstance(each, Mapping)] if isinstance(comments, list) else []
    people = [each for each in labels if each.source_type == "HUMAN"]
    return tuple(
        replace(label, rationale=_reason(listed, label, len(people) == 1)) if label in people else label
        for label in labels
    )


def _reason(comments: Sequence[Document], label: Assessment, is_only: bool) -> str | None:
    if label.rationale:
        return label.rationale
    texts: list[Json] = [
        text_of(each.get("content"))
        for each in comments
        if (is_only and not label.source_id) or text_of(each.get("author_user_id")) == label.source_id
    ]
    return "\n".join(filter(None, texts)) or None
