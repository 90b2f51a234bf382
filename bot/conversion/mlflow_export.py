"""Exports of MLflow: `Trace.to_json`, `mlflow.search_traces` as a table, answers of the REST API.

https://mlflow.org/docs/latest/genai/tracing/search-traces/
"""

from collections.abc import Iterator, Mapping

from bot.conversion.cells import cell_value
from bot.conversion.records import Document, ExportForm, Part
from memalign.mlflow_documents import trace_of_document

_DECODED = (
    "trace",
    "request",
    "response",
    "spans",
    "assessments",
    "trace_metadata",
    "request_metadata",
    "tags",
)
"""Columns of `search_traces` that hold objects."""

_TABLE_MARKS = {
    "assessments",
    "spans",
    "trace_metadata",
    "request_metadata",
    "execution_time_ms",
    "execution_duration",
}


def _recognises(document: Document) -> bool:
    names = document.keys()
    return (
        (isinstance(document.get("info"), Mapping) and isinstance(document.get("data"), Mapping))
        or isinstance(document.get("trace_info"), Mapping)
        or ("trace" in names and _is_whole_trace(document["trace"]))
        or ({"request", "response"} <= names and bool(_TABLE_MARKS & names))
        or {"trace_id", "request_preview"} <= names
    )


def _is_whole_trace(value: object) -> bool:
    trace = cell_value(value)
    return isinstance(trace, Mapping) and ("info" in trace or "trace_info" in trace)


def _read(document: Document) -> Iterator[Part]:
    decoded = {name: cell_value(document[name]) for name in _DECODED if name in document}
    yield trace_of_document({**document, **decoded})


MLFLOW = ExportForm(name="mlflow", title="MLflow", recognises=_recognises, read=_read)
