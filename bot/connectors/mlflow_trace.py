"""A trace of MLflow's REST API as a record. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from bot.connectors.tool import TraceHead
from bot.connectors.tool_times import milliseconds
from memalign.mlflow_documents import trace_of_document
from memalign.records import Json, Trace


def head_of(info: Mapping[str, Json]) -> TraceHead | None:
    """Return the head of a trace's info; None without id or time."""
    trace_id, time_ms = info.get("trace_id"), milliseconds(info.get("request_time"))
    if not isinstance(trace_id, str) or time_ms is None:
        return None
    return TraceHead(
        trace_id=trace_id,
        reference=trace_id,
        time_ms=time_ms,
        is_finished=info.get("state") != "IN_PROGRESS",
    )


def trace_of(document: Mapping[str, Json]) -> Trace | None:
    """Return a trace of `traces/get` or `traces/batchGet`, without its assessments; None without an id."""
    info = document.get("trace_info") or {}
    if not isinstance(info.get("trace_id"), str):
        return None
    return replace(trace_of_document(document), assessments=())
