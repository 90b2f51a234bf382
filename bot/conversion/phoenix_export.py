"""Exports of Phoenix: spans as a table or as the REST API answers them, and annotations, which stand apart.

https://arize.com/docs/phoenix/tracing/how-to-tracing/importing-and-exporting-traces/exporting-annotated-spans
"""

from collections.abc import Iterator, Mapping

from bot.conversion.cells import cell_value, label_of, milliseconds, text_of
from bot.conversion.records import Document, ExportForm, Part, SeparateLabel, TraceSpan
from memalign.errors import InputError
from memalign.records import Assessment, Json

_ATTRIBUTES = "attributes."
_RESULT = "result."


def _recognises(document: Document) -> bool:
    names = document.keys()
    context = document.get("context")
    return (
        "context.trace_id" in names
        or any(name.startswith(_ATTRIBUTES) for name in names)
        or "annotator_kind" in names
        or (isinstance(context, Mapping) and "trace_id" in context and {"span_kind", "attributes"} <= names)
    )


def _read(document: Document) -> Iterator[Part]:
    if "annotator_kind" in document:
        yield _annotation(document)
        return
    context = document.get("context")
    ids = context if isinstance(context, Mapping) else {}
    trace_id = text_of(document.get("context.trace_id") or ids.get("trace_id"))
    if trace_id is None:
        raise InputError("it has no context.trace_id; export spans of Phoenix with that column")
    span_id = text_of(document.get("context.span_id") or ids.get("span_id")) or ""
    yield TraceSpan(trace_id=trace_id, span_id=span_id, span=_span(document, span_id), metadata={})


def _span(document: Document, span_id: str) -> dict[str, Json]:
    """Return a span with its attributes together; a table has a column for each."""
    columns = {
        name.removeprefix(_ATTRIBUTES): cell_value(value)
        for name, value in document.items()
        if name.startswith(_ATTRIBUTES) and value is not None
    }
    whole = cell_value(document.get("attributes"))
    return {
        "span_id": span_id,
        "parent_id": document.get("parent_id"),
        "name": document.get("name"),
        "type": document.get("span_kind"),
        "start_time": document.get("start_time"),
        "end_time": document.get("end_time"),
        "status_code": document.get("status_code"),
        "status_message": document.get("status_message"),
        "events": cell_value(document.get("events")),
        "attributes": whole if isinstance(whole, Mapping) else columns,
    }


def _annotation(document: Document) -> SeparateLabel:
    span_id = text_of(document.get("span_id") or document.get("context.span_id"))
    targets = tuple(filter(None, (span_id, text_of(document.get("trace_id")))))
    if not targets:
        raise InputError(
            "it is an annotation without a span_id; export annotations of Phoenix with that column"
        )
    result = cell_value(document.get("result"))
    result = result if isinstance(result, Mapping) else {}
    parts = {
        name: result.get(name, document.get(f"{_RESULT}{name}", document.get(name)))
        for name in ("label", "score", "explanation")
    }
    label = label_of(parts["label"])
    return SeparateLabel(
        target_ids=targets,
        assessment=Assessment(
            name=text_of(document.get("annotation_name") or document.get("name")) or "",
            value=label_of(parts["score"]) if label is None else label,
            rationale=text_of(parts["explanation"]),
            source_type=str(document.get("annotator_kind") or "").upper(),
            source_id=text_of(document.get("user_id")) or text_of(document.get("identifier")) or "",
            create_time_ms=milliseconds(document.get("updated_at") or document.get("created_at")),
        ),
    )


PHOENIX = ExportForm(name="phoenix", title="Phoenix", recognises=_recognises, read=_read)
