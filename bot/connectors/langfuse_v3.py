"""Traces of Langfuse v3, which keeps them beside their observations: `GET /api/public/traces`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
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
        self._running: set[str] = set()
        """Traces that were still going on when they were read."""

    async def list_traces(self, since_ms: int, page: str | None = None) -> TracePage:
        """See `TracingTool`. The list does not tell whether a run has ended: those known to go on are looked at."""
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
        heads = [head for row in rows if (head := _head(row)) is not None]
        return TracePage(
            heads=tuple([await self._as_it_goes(head) for head in heads]),
            next_page=str(number + 1) if number < int(meta.get("totalPages") or 0) else None,
        )

    async def read_trace(self, head: TraceHead) -> Trace | None:
        """Return a trace with its content; None where it is gone, or still goes on."""
        try:
            document = await self._client.call("GET", f"{TRACES}/{quote(head.trace_id, safe='')}")
        except GoneError:
            self._running.discard(head.trace_id)
            return None
        if _goes_on(document, self._time_ms() - head.time_ms):
            self._running.add(head.trace_id)
            return None
        self._running.discard(head.trace_id)
        return trace_of_document(document, self._url)

    async def find_head(self, trace_id: str) -> TraceHead | None:
        """Return the head of a trace; None where it is gone."""
        path, query = f"{TRACES}/{quote(trace_id, safe='')}", {"fields": "core"}
        try:
            return _head(await self._client.call("GET", path, query=query) or {})
        except GoneError:
            return None

    async def has(self, trace_id: str) -> bool:
        """Return whether there is such a trace. Raises `GoneError` where Langfuse has no traces at all any more."""
        try:
            await self._client.call("GET", f"{TRACES}/{quote(trace_id, safe='')}", query={"fields": "core"})
        except GoneError:
            # a server that was upgraded knows no trace either
            await self._client.call("GET", TRACES, query={"fields": "core", "limit": "1", "page": "1"})
            return False
        return True

    async def _as_it_goes(self, head: TraceHead) -> TraceHead:
        if head.trace_id not in self._running or await self.read_trace(head) is not None:
            return head
        return replace(head, is_finished=False)


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
