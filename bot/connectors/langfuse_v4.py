"""Traces of Langfuse v4, put together of their observations: `GET /api/public/v2/observations`.

Langfuse lists observations the newest first, so that a window of time is read whole before the next one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.connectors.langfuse_trace import heads_of, trace_of_observations
from bot.connectors.tool import TraceHead, TracePage
from bot.connectors.tool_client import ToolClient
from bot.connectors.tool_times import moment_of
from bot.runtime.clock import DAY_MS
from memalign.records import Json, Trace

OBSERVATIONS = "/api/public/v2/observations"
ROOTS_PER_PAGE = 1_000
"""Most observations that Langfuse lists at once."""
SHORTEST_WINDOW_MS = 1_000
CONTENTS_PER_PAGE = 200
MAX_OBSERVATIONS = 2_000
"""Observations that are read of one trace, beside its roots."""
_ROOT_FIELDS = "core,basic"
_CONTENT_FIELDS = "core,basic,io,metadata,model,trace_context"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """Times, in milliseconds since 1970, of which the end is not part."""

    start_ms: int
    end_ms: int | None
    """None: no end."""

    def halved(self, now_ms: int) -> "TimeWindow":
        """Return the first half; none is shorter than `SHORTEST_WINDOW_MS`."""
        width_ms = (now_ms if self.end_ms is None else self.end_ms) - self.start_ms
        return TimeWindow(
            start_ms=self.start_ms, end_ms=self.start_ms + max(width_ms // 2, SHORTEST_WINDOW_MS)
        )

    @property
    def is_shortest(self) -> bool:
        """True where it is not to be halved."""
        return self.end_ms is not None and self.end_ms - self.start_ms <= SHORTEST_WINDOW_MS

    @property
    def next_page(self) -> str | None:
        """The window after this one, twice as wide, as text; None where there is none."""
        if self.end_ms is None:
            return None
        return f"{self.end_ms}-{3 * self.end_ms - 2 * self.start_ms}"

    @classmethod
    def of_page(cls, page: str, now_ms: int) -> "TimeWindow":
        """Return the window that `next_page` told of; one that reaches into the future has no end."""
        start_ms, end_ms = map(int, page.split("-"))
        return cls(start_ms=start_ms, end_ms=None if end_ms > now_ms else end_ms)


class LangfuseV4:
    """Reads the traces of a project."""

    version = "v4"

    def __init__(self, client: ToolClient, url: str, time_ms: Callable[[], int]) -> None:
        self._client = client
        self._url = url
        self._time_ms = time_ms

    async def probe(self) -> None:
        """Ask for as little as there is. Raises `GoneError` where Langfuse has no such API."""
        await self._page([("fields", "core"), ("fromStartTime", moment_of(self._time_ms())), ("limit", "1")])

    async def list_traces(self, since_ms: int, page: str | None = None) -> TracePage:
        """See `TracingTool`; a window with more roots than fit a page is halved."""
        now_ms = self._time_ms()
        window = (
            TimeWindow(start_ms=since_ms, end_ms=None) if page is None else TimeWindow.of_page(page, now_ms)
        )
        rows, cursor = await self._roots(window)
        while cursor and not window.is_shortest:
            window = window.halved(now_ms)
            rows, cursor = await self._roots(window)
        while cursor:
            more, cursor = await self._roots(window, cursor)
            rows += more
        return TracePage(heads=heads_of(rows), next_page=window.next_page)

    async def read_trace(self, head: TraceHead) -> Trace | None:
        """Return a trace with its content; None where it is gone."""
        query = [
            ("fields", _CONTENT_FIELDS),
            ("traceId", head.trace_id),
            ("fromStartTime", moment_of(head.time_ms - DAY_MS)),
            ("limit", str(CONTENTS_PER_PAGE)),
        ]
        rows, cursor = await self._page(query)
        while cursor and len(rows) < MAX_OBSERVATIONS:
            more, cursor = await self._page([*query, ("cursor", cursor)])
            rows += more
        if cursor:  # the oldest are missing, and the root is among these
            roots, _ = await self._page([*query, ("isRootObservation", "true")])
            rows += roots
        unique = {str(row.get("id")): row for row in rows}
        return trace_of_observations(head.trace_id, list(unique.values()), self._url)

    async def find_head(self, trace_id: str) -> TraceHead | None:
        """Return the head of a trace; None where no root of it is there."""
        rows, _ = await self._page(
            [("fields", _ROOT_FIELDS), ("traceId", trace_id), ("isRootObservation", "true"), ("limit", "100")]
        )
        return next(iter(heads_of(rows)), None)

    async def has(self, trace_id: str) -> bool:
        """Return whether there is such a trace."""
        rows, _ = await self._page([("fields", "core"), ("traceId", trace_id), ("limit", "1")])
        return bool(rows)

    async def _roots(
        self, window: TimeWindow, cursor: str | None = None
    ) -> tuple[list[dict[str, Json]], str | None]:
        query = [
            ("fields", _ROOT_FIELDS),
            ("isRootObservation", "true"),
            ("fromStartTime", moment_of(window.start_ms)),
            ("limit", str(ROOTS_PER_PAGE)),
        ]
        if window.end_ms is not None:
            query.append(("toStartTime", moment_of(window.end_ms)))
        return await self._page(query if cursor is None else [*query, ("cursor", cursor)])

    async def _page(self, query: list[tuple[str, str]]) -> tuple[list[dict[str, Json]], str | None]:
        answer = await self._client.call("GET", OBSERVATIONS, query=query) or {}
        return list(answer.get("data") or ()), (answer.get("meta") or {}).get("cursor") or None
