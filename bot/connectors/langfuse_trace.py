"""A trace of Langfuse's public API as a record: its observations are spans, its content is that of the root. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from bot.connectors.tool import TraceHead
from bot.connectors.tool_times import milliseconds
from memalign.records import Json, Trace
from memalign.span_contents import is_empty
from memalign.spans import error_of, shallowest_content, span_tree
from memalign.tool_calls import from_json

LANGFUSE_ENVIRONMENTS = "langfuse"
"""Beginning of the environments of Langfuse's own runs, such as those of its evaluators; others may not use it."""
_SPAN_FIELDS = (
    "id", "parentObservationId", "name", "type", "startTime", "endTime", "level", "statusMessage", "input", "output",
)  # fmt: skip
_EXPORTER_METADATA = ("attributes", "resourceAttributes", "scope")
"""Names under which Langfuse keeps what an OpenTelemetry exporter sent beside the metadata."""


def is_root(observation: Mapping[str, Json]) -> bool:
    """Return whether an observation begins a run: it has no parent, or a parent outside of what Langfuse was sent."""
    return bool(observation.get("isRootObservation")) or not observation.get("parentObservationId")


def is_running(observation: Mapping[str, Json]) -> bool:
    """Return whether an observation has not ended; events have no end."""
    return not observation.get("endTime") and observation.get("type") != "EVENT"


def is_own_run(document: Mapping[str, Json]) -> bool:
    """Return whether a trace or an observation is of Langfuse itself."""
    return str(document.get("environment") or "").startswith(LANGFUSE_ENVIRONMENTS)


def heads_of(observations: Iterable[Mapping[str, Json]]) -> tuple[TraceHead, ...]:
    """Return the heads of the traces of which roots are among observations, the oldest first."""
    roots: dict[str, list[Mapping[str, Json]]] = {}
    for each in observations:
        has_place = isinstance(each.get("traceId"), str) and milliseconds(each.get("startTime")) is not None
        if has_place and is_root(each) and not is_own_run(each):
            roots.setdefault(each["traceId"], []).append(each)
    heads = (_head(trace_id, rows) for trace_id, rows in roots.items())
    return tuple(sorted(heads, key=lambda head: head.time_ms))


def _head(trace_id: str, roots: Sequence[Mapping[str, Json]]) -> TraceHead:
    first = min(roots, key=_start)
    return TraceHead(
        trace_id=trace_id,
        reference=str(first.get("id") or trace_id),
        time_ms=_start(first),
        is_finished=not any(map(is_running, roots)),
    )


def trace_of_observations(
    trace_id: str, observations: Sequence[Mapping[str, Json]], url: str
) -> Trace | None:
    """Return the trace that observations are of (Langfuse v4); None for no observations.

    Args:
        trace_id: its id.
        observations: all of it, in any order.
        url: Langfuse's address.
    """
    if not observations:
        return None
    first = min(observations, key=lambda each: (not is_root(each), _start(each)))
    project = first.get("projectId")
    place = f"{url}/project/{quote(str(project), safe='')}/traces/{quote(trace_id, safe='')}"
    return _trace(
        {**first, "id": trace_id, "name": first.get("traceName") or first.get("name")},
        observations,
        None,
        place if project else None,
    )


def trace_of_document(document: Mapping[str, Json], url: str) -> Trace:
    """Return the trace of `GET /traces/{id}` (Langfuse v3), whose own input and output come before its root's."""
    path = document.get("htmlPath")
    content = from_json(document.get("input")), from_json(document.get("output"))
    return _trace(
        {**document, "startTime": document.get("timestamp")},
        document.get("observations") or (),
        None if all(map(is_empty, content)) else content,
        f"{url}{path}" if isinstance(path, str) and path.startswith("/") else None,
    )


def _trace(
    about: Mapping[str, Json],
    observations: Sequence[Mapping[str, Json]],
    content: tuple[Json, Json] | None,
    url: str | None,
) -> Trace:
    spans = span_tree([_span(each) for each in observations])
    roots = {each.get("id") for each in observations if is_root(each)}
    inputs, outputs = content or _content(spans, roots)
    return Trace(
        trace_id=about["id"],
        inputs=inputs,
        outputs=outputs,
        spans=tuple(spans),
        timestamp=about.get("startTime"),
        url=url,
        metadata=_metadata(about),
        error=error_of(spans),
    )


def _content(spans: Sequence[Json], roots: set[Json]) -> tuple[Json, Json]:
    """Return inputs and outputs of the first root that has any, else of the next spans that have."""
    for span in spans:
        if span.get("id") in roots and not (is_empty(span.get("inputs")) and is_empty(span.get("outputs"))):
            return span.get("inputs"), span.get("outputs")
    return shallowest_content(spans)


def _metadata(about: Mapping[str, Json]) -> dict[str, Json]:
    """Return the metadata that somebody gave the trace, and its name, session, user and tags."""
    metadata = from_json(about.get("metadata"))
    own = {
        name: from_json(value)
        for name, value in (metadata.items() if isinstance(metadata, Mapping) else ())
        if name not in _EXPORTER_METADATA
    }
    named = {
        "name": about.get("name"),
        "session": about.get("sessionId"),
        "user": about.get("userId"),
        "tags": about.get("tags"),
        "environment": about.get("environment"),
        "release": about.get("release"),
        "version": about.get("version"),
    }
    return {**own, **{name: value for name, value in named.items() if not is_empty(value)}}


def _span(observation: Mapping[str, Json]) -> dict[str, Json]:
    """Return an observation with what tells of the run; v4 has input and output as text, also where they are JSON."""
    span = {name: observation[name] for name in _SPAN_FIELDS if not is_empty(observation.get(name))}
    for side in ("input", "output"):
        if side in span:
            span[side] = from_json(span[side])
    model = observation.get("providedModelName") or observation.get("model")
    return {**span, "model": model} if model else span


def _start(observation: Mapping[str, Json]) -> int:
    return milliseconds(observation.get("startTime")) or 0
