"""Queries for runs of LangSmith: `/api/v2/runs/query`, and that of version 1 where a server has no other.

LangSmith's hosted service ends its version 1 on 31 January 2027; a server of one's own has version 2 from 0.16 on.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol, TypeVar

from bot.connectors.errors import GoneError, ToolRefusedError
from bot.connectors.langsmith_legacy_runs import LegacyRuns
from bot.connectors.langsmith_project import LangsmithProject
from bot.connectors.langsmith_run import head_of
from bot.connectors.tool import TraceHead, TracePage
from bot.connectors.tool_times import moment_of
from bot.runtime.clock import now_ms
from memalign.records import Json

RUNS_PER_QUERY = 1000
IDS_PER_QUERY = 100
HEADS_PER_PAGE = 100
HEAD_FIELDS = ("ID", "TRACE_ID", "START_TIME", "STATUS")
CONTENT_FIELDS = (
    *HEAD_FIELDS,
    *("NAME", "INPUTS", "OUTPUTS", "ERROR", "METADATA", "TAGS", "THREAD_ID"),
)
STEP_FIELDS = (
    *("ID", "PARENT_RUN_IDS", "NAME", "RUN_TYPE", "STATUS"),
    *("START_TIME", "END_TIME", "INPUTS", "OUTPUTS", "ERROR"),
)
MAX_STEPS = 2_000
"""Runs that are read of one trace."""
Answer = TypeVar("Answer")
_NO_SUCH_PATH = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE)


class RunQueries(Protocol):
    """One version of the queries."""

    async def roots(self, since_ms: int, page: str | None) -> TracePage:
        """Return root runs that began at that time or later, the oldest first, from a page on."""
        ...

    async def contents(self, run_ids: Sequence[str], since_ms: int) -> list[dict[str, Json]]:
        """Return those of these runs that are there and began at that time or later, with inputs and outputs."""
        ...

    async def steps(self, trace_id: str, since_ms: int) -> list[dict[str, Json]]:
        """Return all runs of a trace that began at that time or later, the root among them, with their content."""
        ...

    async def heads(self, run_ids: Sequence[str], since_ms: int) -> list[TraceHead]:
        """Return the heads of those of these runs that are there and began at that time or later."""
        ...

    async def present(self, run_ids: Sequence[str], since_ms: int) -> set[str]:
        """Return the ids of those of these runs that are there and began at that time or later."""
        ...


@dataclass(slots=True, kw_only=True)
class Walk:
    """A listing under way, from now back to its beginning; where a query fails, the next one goes on."""

    since_ms: int
    until_ms: int
    heads: dict[str, TraceHead] = field(default_factory=dict)
    cursor: str | None = None
    is_complete: bool = False


class CurrentRuns:
    """Version 2."""

    def __init__(self, project: LangsmithProject) -> None:
        self._project = project
        self._walk = Walk(since_ms=0, until_ms=0, is_complete=True)
        self._listing: list[TraceHead] = []

    async def roots(self, since_ms: int, page: str | None) -> TracePage:
        """See `RunQueries`."""
        if page is None:
            await self._collect(since_ms)
        begin = int(page or 0)
        end = begin + HEADS_PER_PAGE
        return TracePage(
            heads=tuple(self._listing[begin:end]),
            next_page=str(end) if end < len(self._listing) else None,
        )

    async def contents(self, run_ids: Sequence[str], since_ms: int) -> list[dict[str, Json]]:
        """See `RunQueries`."""
        return await self._of_ids(run_ids, since_ms, CONTENT_FIELDS)

    async def steps(self, trace_id: str, since_ms: int) -> list[dict[str, Json]]:
        """See `RunQueries`."""
        body: dict[str, Json] = {
            "project_ids": [await self._project.id()],
            "trace_id": trace_id,
            "min_start_time": moment_of(since_ms),
            "page_size": RUNS_PER_QUERY,
            "selects": list(STEP_FIELDS),
        }
        runs: list[dict[str, Json]] = []
        cursor: str | None = ""
        while cursor is not None and len(runs) < MAX_STEPS:
            page = {**body, "cursor": cursor} if cursor else body
            answer = await self._project.call_v2("/runs/query", page) or {}
            runs += answer.get("items") or ()
            cursor = answer.get("next_cursor") or None
        return runs

    async def heads(self, run_ids: Sequence[str], since_ms: int) -> list[TraceHead]:
        """See `RunQueries`."""
        heads = (head_of(run) for run in await self._of_ids(run_ids, since_ms, HEAD_FIELDS))
        return [head for head in heads if head is not None]

    async def present(self, run_ids: Sequence[str], since_ms: int) -> set[str]:
        """See `RunQueries`."""
        return {str(run["id"]) for run in await self._of_ids(run_ids, since_ms, HEAD_FIELDS)}

    async def _of_ids(
        self, run_ids: Sequence[str], since_ms: int, fields: Sequence[str]
    ) -> list[dict[str, Json]]:
        runs: list[dict[str, Json]] = []
        for begin in range(0, len(run_ids), IDS_PER_QUERY):
            body = {
                "project_ids": [await self._project.id()],
                "ids": list(run_ids[begin : begin + IDS_PER_QUERY]),
                "min_start_time": moment_of(since_ms),
                "page_size": IDS_PER_QUERY,
                "selects": list(fields),
            }
            answer = await self._project.call_v2("/runs/query", body) or {}
            runs += answer.get("items") or ()
        return runs

    async def _collect(self, since_ms: int) -> None:
        """Walk through all pages, as the oldest come last, and put them in order."""
        if self._walk.is_complete or self._walk.since_ms != since_ms:
            self._walk = Walk(since_ms=since_ms, until_ms=now_ms())
        while not self._walk.is_complete:
            try:
                await self._step(self._walk)
            except ToolRefusedError:  # such as a cursor of long ago
                self._walk.is_complete = True
                raise
        self._listing = sorted(self._walk.heads.values(), key=lambda head: head.time_ms)

    async def _step(self, walk: Walk) -> None:
        body: dict[str, Json] = {
            "project_ids": [await self._project.id()],
            "is_root": True,
            "min_start_time": moment_of(walk.since_ms),
            "max_start_time": moment_of(walk.until_ms),
            "page_size": RUNS_PER_QUERY,
            "selects": list(HEAD_FIELDS),
        }
        if walk.cursor is not None:
            body["cursor"] = walk.cursor
        answer = await self._project.call_v2("/runs/query", body) or {}
        heads = (head_of(run) for run in answer.get("items") or ())
        walk.heads.update({head.trace_id: head for head in heads if head is not None})
        walk.cursor = answer.get("next_cursor") or None
        walk.is_complete = walk.cursor is None


class Runs:
    """The queries of the version that the server has, found out at the first of them."""

    def __init__(self, project: LangsmithProject) -> None:
        self._project = project
        self._current = CurrentRuns(project)
        self._legacy = LegacyRuns(project)
        self._known: RunQueries | None = None

    async def roots(self, since_ms: int, page: str | None) -> TracePage:
        """See `RunQueries`."""
        return await self._ask(lambda queries: queries.roots(since_ms, page))

    async def contents(self, run_ids: Sequence[str], since_ms: int) -> list[dict[str, Json]]:
        """See `RunQueries`."""
        return await self._ask(lambda queries: queries.contents(run_ids, since_ms))

    async def steps(self, trace_id: str, since_ms: int) -> list[dict[str, Json]]:
        """See `RunQueries`."""
        return await self._ask(lambda queries: queries.steps(trace_id, since_ms))

    async def heads(self, run_ids: Sequence[str], since_ms: int) -> list[TraceHead]:
        """See `RunQueries`."""
        return await self._ask(lambda queries: queries.heads(run_ids, since_ms))

    async def present(self, run_ids: Sequence[str], since_ms: int) -> set[str]:
        """See `RunQueries`."""
        return await self._ask(lambda queries: queries.present(run_ids, since_ms))

    async def _ask(self, query: Callable[[RunQueries], Awaitable[Answer]]) -> Answer:
        await self._project.id()
        for queries in (self._current, self._legacy) if self._known is None else (self._known,):
            try:
                answer = await query(queries)
            except ToolRefusedError as error:
                self._known = None
                if queries is not self._current or error.status not in _NO_SUCH_PATH:
                    raise
            else:
                self._known = queries
                return answer
        raise GoneError(
            "LangSmith has no queries for runs; correct the connector's url", HTTPStatus.NOT_FOUND
        )
