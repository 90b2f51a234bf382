"""A run of LangSmith as a record; both versions of its API have nearly the same fields. Pure."""

from collections.abc import Mapping, Sequence

from bot.connectors.run_content import content_of
from bot.connectors.tool import TraceHead
from bot.connectors.tool_times import milliseconds, moment_of
from memalign.records import Json, Trace
from memalign.span_contents import is_empty
from memalign.spans import span_tree

CONVERSATION_KEYS = ("session_id", "conversation_id", "thread_id")
"""Names in a run's metadata that LangSmith makes threads of."""
CONVERSATION = "session"
_SPAN_FIELDS = (
    "id", "name", "run_type", "start_time", "end_time", "inputs", "outputs", "error", "status",
)  # fmt: skip


def head_of(run: Mapping[str, Json]) -> TraceHead | None:
    """Return the head of a root run; None without id or time."""
    run_id, time_ms = run.get("id"), milliseconds(run.get("start_time"))
    if not isinstance(run_id, str) or time_ms is None:
        return None
    return TraceHead(
        trace_id=str(run.get("trace_id") or run_id),
        reference=run_id,
        time_ms=time_ms,
        is_finished=str(run.get("status") or "").lower() != "pending",
    )


def has_content(run: Mapping[str, Json]) -> bool:
    """Return whether a root run tells what was asked and answered."""
    return not is_empty(run.get("inputs")) and not is_empty(run.get("outputs"))


def trace_of(
    run: Mapping[str, Json], url: str | None, steps: Sequence[Mapping[str, Json]] = ()
) -> Trace | None:
    """Return a root run as a trace; None without id.

    Args:
        run: the run, with inputs and outputs; a side that it lacks is that of the next steps.
        url: the address at which people read it; None for none.
        steps: all runs of the trace, itself among them, where these were read.
    """
    run_id = run.get("id")
    if not isinstance(run_id, str):
        return None
    time_ms = milliseconds(run.get("start_time"))
    spans = span_tree([_span(each) for each in steps])
    inputs, outputs = content_of(spans) if spans else (None, None)
    return Trace(
        trace_id=str(run.get("trace_id") or run_id),
        inputs=inputs if is_empty(run.get("inputs")) else run.get("inputs"),
        outputs=outputs if is_empty(run.get("outputs")) else run.get("outputs"),
        spans=tuple(spans),
        timestamp=None if time_ms is None else moment_of(time_ms),
        url=url,
        metadata=_metadata(run),
        error=_error(run),
    )


def _span(run: Mapping[str, Json]) -> dict[str, Json]:
    """Return a run as a span; version 2 names all runs above it, the direct parent last."""
    above = run.get("parent_run_ids")
    parent = above[-1] if isinstance(above, list) and above else run.get("parent_run_id")
    span = {name: run[name] for name in _SPAN_FIELDS if not is_empty(run.get(name))}
    return {**span, "parent_run_id": parent} if parent else span


def _error(run: Mapping[str, Json]) -> str | None:
    if str(run.get("status") or "").lower() != "error":
        return None
    return str(run.get("error") or "the run failed")


def _metadata(run: Mapping[str, Json]) -> dict[str, Json]:
    """Return metadata that somebody gave the run, without LangSmith's own, and its name, tags and thread."""
    extra = run.get("extra")
    metadata = run.get("metadata") or (extra.get("metadata") if isinstance(extra, Mapping) else None)
    metadata = metadata if isinstance(metadata, Mapping) else {}
    thread = run.get("thread_id") or next(
        (metadata[name] for name in CONVERSATION_KEYS if metadata.get(name)), None
    )
    named = {"name": run.get("name"), "tags": run.get("tags"), CONVERSATION: thread}
    own = {name: value for name, value in metadata.items() if not str(name).startswith(("ls_", "LANGSMITH_"))}
    return {**own, **{name: value for name, value in named.items() if value}}
