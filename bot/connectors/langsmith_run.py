"""A run of LangSmith as a record; both versions of its API have nearly the same fields. Pure."""

from collections.abc import Mapping

from bot.connectors.tool import TraceHead
from bot.connectors.tool_times import milliseconds, moment_of
from memalign.records import Json, Trace

CONVERSATION_KEYS = ("session_id", "conversation_id", "thread_id")
"""Names in a run's metadata that LangSmith makes threads of."""
CONVERSATION = "session"


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


def trace_of(run: Mapping[str, Json], url: str | None) -> Trace | None:
    """Return a root run as a trace; None without id.

    Args:
        run: the run, with inputs and outputs.
        url: the address at which people read it; None for none.
    """
    run_id = run.get("id")
    if not isinstance(run_id, str):
        return None
    time_ms = milliseconds(run.get("start_time"))
    return Trace(
        trace_id=str(run.get("trace_id") or run_id),
        inputs=run.get("inputs"),
        outputs=run.get("outputs"),
        timestamp=None if time_ms is None else moment_of(time_ms),
        url=url,
        metadata=_metadata(run),
        error=_error(run),
    )


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
