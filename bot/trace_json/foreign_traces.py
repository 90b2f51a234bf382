"""Exports of other tools, recognised so that the refusal names them and no step of a run is taken for the run."""

from collections.abc import Mapping

from memalign.records import Json

EXPECTED = (
    "a trace here is an object with trace_id, inputs and outputs (memalign convert makes them of exports)"
)
RUN_KEYS = ("run_type", "dotted_order", "parent_run_id")
CONTENT_KEYS = {"inputs", "outputs", "input", "output"}
LIST_KEYS = ("traces", "data", "runs", "items", "results", "records")


def foreign_shape(item: Mapping[str, Json]) -> str | None:
    """Return why an object is no trace of ours although it may look like one; None where nothing speaks against it.

    Args:
        item: An object out of a body, or of a file's line.
    """
    if "resourceSpans" in item or "resource_spans" in item:
        return f"it looks like an OTLP export (resourceSpans); send it to POST /v1/traces, since {EXPECTED}"
    if isinstance(item.get("info"), Mapping) and isinstance(item.get("data"), Mapping):
        return f"it looks like a trace of MLflow (info and data); {EXPECTED}"
    if "request" in item and "response" in item and not CONTENT_KEYS & item.keys():
        return f"it looks like a row of MLflow's search_traces (request and response); {EXPECTED}"
    if any(key in item for key in RUN_KEYS):
        return _step_of_run(item)
    if "traceId" in item and ("parentObservationId" in item or item.get("type") in _OBSERVATIONS):
        return f"it looks like an observation of Langfuse, one step of a trace; send whole traces: {EXPECTED}"
    if _is_span(item):
        return f"it looks like a span of OpenTelemetry, one step of a trace; send whole traces: {EXPECTED}"
    wrapped = next((key for key in LIST_KEYS if isinstance(item.get(key), list)), None)
    if wrapped and not CONTENT_KEYS & item.keys():
        return f'it holds its traces under "{wrapped}"; send that list itself: {EXPECTED}'
    return None


_OBSERVATIONS = (
    "SPAN",
    "GENERATION",
    "EVENT",
    "AGENT",
    "TOOL",
    "CHAIN",
    "RETRIEVER",
    "EMBEDDING",
    "EVALUATOR",
)


def _step_of_run(item: Mapping[str, Json]) -> str | None:
    """Return why a run of LangSmith is none; its root run is the trace."""
    own_id = item.get("id", item.get("trace_id"))
    is_root = item.get("parent_run_id") is None and item.get("trace_id", own_id) == own_id
    if is_root and not item.get("parent_run_ids"):
        return None
    return (
        "it looks like a child run of LangSmith, one step of a trace; send root runs only (`is_root=True`), "
        f"or rename their fields: {EXPECTED}"
    )


def _is_span(item: Mapping[str, Json]) -> bool:
    """Return whether an object is a span with a parent, or one without inputs and outputs."""
    if any(item.get(name) for name in ("parentSpanId", "parent_span_id")):
        return True
    context = item.get("context")
    is_span = bool({"spanId", "span_id", "context.span_id"} & item.keys()) or (
        isinstance(context, Mapping) and "span_id" in context
    )
    return is_span and (bool(item.get("parent_id")) or not CONTENT_KEYS & item.keys())
