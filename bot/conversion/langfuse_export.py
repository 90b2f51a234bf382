"""Exports of Langfuse: traces with observations and scores, tables of traces, observations and scores.

https://langfuse.com/docs/api-and-data-platform/features/export-from-ui, and export-to-blob-storage
"""

from collections.abc import Iterator, Mapping, Sequence

from bot.conversion.cells import cell_value, iso_time, milliseconds, text_of
from bot.conversion.langfuse_scores import comments_of, is_score, score_columns, score_of, with_api_names
from bot.conversion.records import Document, ExportForm, Part, SeparateLabel, TraceSpan
from memalign.errors import InputError
from memalign.records import Assessment, Json, Trace
from memalign.span_contents import is_empty
from memalign.spans import error_of, shallowest_content, span_tree

_TRACE_MARKS = {
    "bookmarked", "environment", "externalId", "htmlPath", "observationCount", "observations", "projectId", "public",
    "release", "sessionId", "userId",
}  # fmt: skip
_SPAN_PARTS = (
    "id", "parentObservationId", "name", "type", "startTime", "endTime", "input", "output", "level", "statusMessage",
)  # fmt: skip

_NAMED = ("name", "sessionId", "userId", "tags", "comments")


def _recognises(document: Document) -> bool:
    document = with_api_names(document)
    names = document.keys()
    if is_score(document) or _is_observation(document):
        return True
    has_content = {"input", "output"} <= names or "observations" in names
    return "id" in names and has_content and bool(_TRACE_MARKS & names)


def _is_observation(document: Document) -> bool:
    return "traceId" in document and ("startTime" in document or "parentObservationId" in document)


def _read(document: Document) -> Iterator[Part]:
    document = with_api_names(document)
    if is_score(document):
        yield _separate(document)
    elif _is_observation(document):
        yield from _read_observation(document)
    else:
        yield _trace(document)


def _separate(document: Document) -> SeparateLabel:
    targets = tuple(filter(None, (text_of(document.get("observationId")), text_of(document.get("traceId")))))
    if not targets:
        raise InputError("it is a score of no trace")
    return SeparateLabel(target_ids=targets, assessment=score_of(document))


def _read_observation(document: Document) -> Iterator[Part]:
    trace_id, span_id = text_of(document["traceId"]), text_of(document.get("id")) or ""
    if trace_id is None:
        raise InputError("it is an observation without a traceId")
    yield TraceSpan(trace_id=trace_id, span_id=span_id, span=_span(document), metadata={})
    for assessment in _labels(document):
        yield SeparateLabel(target_ids=(span_id, trace_id), assessment=assessment)


def _span(document: Document) -> dict[str, Json]:
    return {name: cell_value(document[name]) for name in _SPAN_PARTS if document.get(name) is not None}


def _trace(document: Document) -> Trace:
    trace_id = text_of(document.get("id"))
    if trace_id is None:
        raise InputError("it is a trace without an id; export traces of Langfuse with their ids")
    observations = cell_value(document.get("observations"))
    listed = observations if isinstance(observations, list) else []
    spans = span_tree(_span(each) for each in listed if isinstance(each, Mapping))
    inputs, outputs = cell_value(document.get("input")), cell_value(document.get("output"))
    if is_empty(inputs) and is_empty(outputs):
        inputs, outputs = shallowest_content(spans)
    return Trace(
        trace_id=trace_id,
        inputs=inputs,
        outputs=outputs,
        spans=tuple(spans),
        assessments=_labels(document),
        timestamp=iso_time(document.get("timestamp") or document.get("createdAt")),
        metadata=_metadata(document),
        error=error_of(spans) if spans and is_empty(outputs) else None,
    )


def _metadata(document: Document) -> dict[str, Json]:
    metadata = cell_value(document.get("metadata"))
    own = metadata if isinstance(metadata, Mapping) else {}
    named = {name: cell_value(document.get(name)) for name in _NAMED}
    return {**own, **{name: value for name, value in named.items() if not is_empty(value)}}


def _labels(document: Document) -> Sequence[Assessment]:
    """Return the scores of a trace or an observation; a comment is the reason of the one score without a reason."""
    scores = cell_value(document.get("scores"))
    if isinstance(scores, list):
        labels = [score_of(each) for each in scores if isinstance(each, Mapping)]
    else:
        labels = [
            Assessment(
                name=name, value=value, source_id="", create_time_ms=milliseconds(document.get("updatedAt"))
            )
            for name, value in score_columns(document)
        ]
    return comments_of(document, labels)


LANGFUSE = ExportForm(name="langfuse", title="Langfuse", recognises=_recognises, read=_read)
