"""Queries for runs of LangSmith's version 1, `/runs/query`, for servers of one's own before 0.16."""

from collections.abc import Sequence

from bot.connectors.langsmith_project import LangsmithProject
from bot.connectors.langsmith_run import head_of
from bot.connectors.tool import TraceHead, TracePage
from bot.connectors.tool_times import moment_of
from memalign.records import Json

RUNS_PER_QUERY = 100
"""The most that version 1 gives at once."""
HEAD_FIELDS = ("id", "trace_id", "start_time", "status")
STEP_FIELDS = (
    *("id", "parent_run_id", "name", "run_type", "status"),
    *("start_time", "end_time", "inputs", "outputs", "error"),
)
MAX_STEPS = 2_000
"""Runs that are read of one trace."""
CONTENT_FIELDS = (*HEAD_FIELDS, "name", "inputs", "outputs", "error", "extra", "tags")


class LegacyRuns:
    """Version 1."""

    def __init__(self, project: LangsmithProject) -> None:
        self._project = project

    async def roots(self, since_ms: int, page: str | None) -> TracePage:
        """See `RunQueries`."""
        answer = await self._query(
            {
                "is_root": True,
                "start_time": moment_of(since_ms),
                "order": "asc",
                "select": list(HEAD_FIELDS),
                **({} if page is None else {"cursor": page}),
            }
        )
        heads = (head_of(run) for run in answer.get("runs") or ())
        return TracePage(
            heads=tuple(head for head in heads if head is not None),
            next_page=(answer.get("cursors") or {}).get("next") or None,
        )

    async def contents(self, run_ids: Sequence[str], since_ms: int) -> list[dict[str, Json]]:
        """See `RunQueries`."""
        return await self._of_ids(run_ids, since_ms, CONTENT_FIELDS)

    async def steps(self, trace_id: str, since_ms: int) -> list[dict[str, Json]]:
        """See `RunQueries`."""
        body: dict[str, Json] = {
            "trace": trace_id,
            "start_time": moment_of(since_ms),
            "select": list(STEP_FIELDS),
        }
        runs: list[dict[str, Json]] = []
        cursor: str | None = ""
        while cursor is not None and len(runs) < MAX_STEPS:
            answer = await self._query({**body, "cursor": cursor} if cursor else body)
            runs += answer.get("runs") or ()
            cursor = (answer.get("cursors") or {}).get("next") or None
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
        for begin in range(0, len(run_ids), RUNS_PER_QUERY):
            ids = list(run_ids[begin : begin + RUNS_PER_QUERY])
            answer = await self._query({"id": ids, "start_time": moment_of(since_ms), "select": list(fields)})
            runs += answer.get("runs") or ()
        return runs

    async def _query(self, body: dict[str, Json]) -> dict[str, Json]:
        whole = {"session": [await self._project.id()], "limit": RUNS_PER_QUERY, **body}
        answer = await self._project.call("POST", "/runs/query", body=whole)
        return answer if isinstance(answer, dict) else {}
