"""Traces of Langfuse v3, which keeps them beside their observations: `GET /api/public/traces`."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from bot.connectors.errors import GoneError
from bot.connectors.langfuse_trace import is_own_run, is_root, is_running, trace_of_document
from bot.connectors.tool import TraceHead, TracePage
from bot.connectors.tool_client import ToolClient
from bot.connectors.tool_times import milliseconds, moment_of
from bot.runtime.clock import DAY_MS
from memalign.records import Json, Trace

TRACES = "/api/public/traces"
TRACES_PER_PAGE = 100
LONGEST_RUN_MS = DAY_MS
"""Time after which a trace is read although parts of it have not ended."""
LONGEST_WAIT_MS = 10 * 60 * 1000
"""Time after which a trace is read although its root has not come."""


class LangfuseV3:
    """Reads the traces of a project."""

    version = "v3"

    def __init__(self, client: ToolClient, url: str, time_ms: Callable[[], int]) -> None:
        self._client = client
        self._url = url
        self._time_ms = time_ms

    async def list_traces(self, since_ms: int, page: str | None = None) -> TracePage:
        """See `TracingTool`. The list does not tell whether a run has ended; `read_trace` does."""
        query = {
            "fields": "core",
            "fromTimestamp": moment_of(since_ms),
            "limit": str(TRACES_PER_PAGE),
            "orderBy": "timestamp.asc",
            "page": page or "1",
        }
        answer = await self._client.call("GET", TRACES, query=query) or {}
        meta, rows = answer.get("meta") or {}, answer.get("data") or ()
        number = int(query["page"])
        heads = (_head(row) for row in rows)
        return TracePage(
            heads=tuple(head for head in heads if head is not None),
            next_page=str(number + 1) if number < int(meta.get("totalPages") or 0) else None,
        )

    async def read_trace(self, head: TraceHead) -> Trace | None:
        """Return a trace with its content; None where it is gone, or still goes on."""
        try:
            document = await self._client.call("GET", f"{TRACES}/{quote(head.trace_id, safe='')}")
        except GoneError:
            return None
        if not document or _goes_on(document, self._time_ms() - head.time_ms):
            return None
        return trace_of_document(document, self._url)

    async def has(self, trace_id: str) -> bool:
        """Return whether there is such a trace."""
        try:
            await self._client.call("GET", f"{TRACES}/{quote(trace_id, safe='')}", query={"fields": "core"})
        except GoneError:
            return False
        return True


def _head(row: Mapping[str, Json]) -> TraceHead | None:
    trace_id, time_ms = row.get("id"), milliseconds(row.get("timestamp"))
    if not isinstance(trace_id, str) or time_ms is None or is_own_run(row):
        return None
    return TraceHead(trace_id=trace_id, reference=trace_id, time_ms=time_ms)


def _goes_on(document: Mapping[str, Json], age_ms: int) -> bool:
    """Return whether more is to come: spans are sent as they end, the root last."""
    observations = document.get("observations") or ()
    if any(map(is_running, observations)):
        return age_ms < LONGEST_RUN_MS
    has_end = bool(document.get("output")) or any(map(is_root, observations))
    return not has_end and age_ms < LONGEST_WAIT_MS
