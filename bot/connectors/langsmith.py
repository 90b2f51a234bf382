"""LangSmith: root runs of one project, and feedback on them, over its REST API.

LangSmith's paths and fields are those of its OpenAPI description and of its SDK 0.15.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from bot.connectors.errors import GoneError, ToolRefusedError
from bot.connectors.langsmith_feedback import PEOPLE, answers, changes, document, feedback_id
from bot.connectors.langsmith_project import LangsmithProject
from bot.connectors.langsmith_run import has_content, trace_of
from bot.connectors.langsmith_runs import Runs
from bot.connectors.tool import (
    AnsweredTrace,
    AnswerPage,
    OwnAssessment,
    RemoteAssessment,
    TraceHead,
    TracePage,
    WrittenAssessment,
)
from bot.connectors.tool_times import moment_of
from bot.runtime.clock import DAY_MS, now_ms
from memalign.records import Json, Trace

RETENTION_DAYS = 400
"""Longest time for which LangSmith keeps a run."""
RUNS_PER_READ = 50
"""Runs whose feedback is asked for at once; their ids make up the address."""
FEEDBACK_PER_PAGE = 100
"""The most that LangSmith gives at once."""


class LangsmithTool:
    """One project of LangSmith."""

    def __init__(self, url: str, key: str, project: str, *, reads_steps: bool = False) -> None:
        """Take the API's address, an API key, the project's name, and whether the steps of each run are wanted."""
        self._reads_steps = reads_steps
        self._project = LangsmithProject(url, key, project)
        self._runs = Runs(self._project)

    async def check(self) -> str:
        """See `TracingTool`."""
        return f'project "{self._project.name}" has the id {await self._project.look_up()}'

    async def place_id(self) -> str:
        """See `TracingTool`."""
        return await self._project.id()

    async def close(self) -> None:
        """See `TracingTool`."""
        await self._project.close()

    async def list_traces(self, since_ms: int, page: str | None = None) -> TracePage:
        """See `TracingTool`."""
        return await self._runs.roots(since_ms, page)

    async def read_traces(self, heads: Sequence[TraceHead]) -> Sequence[Trace]:
        """See `TracingTool`."""
        if not heads:
            return []
        # a millisecond earlier, since a server may have rounded the times that it told
        since_ms = min(head.time_ms for head in heads) - 1
        runs = await self._runs.contents([head.reference for head in heads], since_ms)
        traces = [await self._trace(run, since_ms) for run in runs]
        return [trace for trace in traces if trace is not None]

    async def _trace(self, run: Mapping[str, Json], since_ms: int) -> Trace | None:
        url = self._project.run_url(str(run.get("id")))
        trace_id = str(run.get("trace_id") or run.get("id"))
        is_wanted = self._reads_steps or not has_content(run)
        return trace_of(run, url, await self._runs.steps(trace_id, since_ms) if is_wanted else ())

    async def read_assessments(
        self, references: Mapping[str, str]
    ) -> Mapping[str, Sequence[RemoteAssessment]]:
        """See `TracingTool`."""
        since_ms = now_ms() - RETENTION_DAYS * DAY_MS
        present = await self._runs.present(list(references.values()), since_ms)
        rows = await self._feedback(sorted(present))
        return {
            trace_id: tuple(answers([row for row in rows if row.get("run_id") == run_id]))
            for trace_id, run_id in references.items()
            if run_id in present
        }

    async def list_answers(self, names: Sequence[str], since_ms: int, page: str | None = None) -> AnswerPage:
        """See `TracingTool`."""
        offset = int(page or 0)
        query = [
            ("session", await self._project.id()),
            *(("key", name) for name in names),
            *(("source", source) for source in PEOPLE),
            ("min_created_at", moment_of(since_ms)),
            ("limit", str(FEEDBACK_PER_PAGE)),
            ("offset", str(offset)),
            ("include_user_names", "true"),
        ]
        rows = await self._project.call("GET", "/feedback", query=query) or []
        run_ids = list(dict.fromkeys(str(row["run_id"]) for row in rows if row.get("run_id")))
        oldest_ms = now_ms() - RETENTION_DAYS * DAY_MS
        heads = await self._runs.heads(run_ids, oldest_ms) if run_ids else []
        return AnswerPage(
            traces=tuple(
                AnsweredTrace(
                    head=head,
                    answers=tuple(answers([row for row in rows if row.get("run_id") == head.reference])),
                )
                for head in heads
                if head.reference == head.trace_id  # steps of a run are not judged
            ),
            next_page=str(offset + FEEDBACK_PER_PAGE) if len(rows) == FEEDBACK_PER_PAGE else None,
        )

    async def find(self, written: WrittenAssessment) -> str | None:
        """See `TracingTool`."""
        return feedback_id(written.own_id)

    async def create(self, assessment: OwnAssessment) -> str:
        """See `TracingTool`."""
        remote_id = feedback_id(assessment.own_id)
        body = document(assessment, await self._project.id())
        try:
            await self._project.call("POST", "/feedback", body=body)
        except ToolRefusedError as error:
            if error.status != HTTPStatus.CONFLICT:  # it stands there already
                raise
            await self.update(remote_id, assessment)
        return remote_id

    async def update(self, remote_id: str, assessment: OwnAssessment) -> None:
        """See `TracingTool`."""
        await self._project.call("PATCH", f"/feedback/{remote_id}", body=changes(assessment))

    async def delete(self, remote_id: str, _written: WrittenAssessment) -> None:
        """See `TracingTool`."""
        try:
            await self._project.call("DELETE", f"/feedback/{remote_id}")
        except GoneError:
            return

    async def _feedback(self, run_ids: Sequence[str]) -> list[dict[str, Json]]:
        """Return the feedback on runs, ours included."""
        rows: list[dict[str, Json]] = []
        for begin in range(0, len(run_ids), RUNS_PER_READ):
            runs = [("run", run_id) for run_id in run_ids[begin : begin + RUNS_PER_READ]]
            page: list[dict[str, Json]] = []
            offset = 0
            while offset == 0 or len(page) == FEEDBACK_PER_PAGE:
                paging = [("limit", str(FEEDBACK_PER_PAGE)), ("offset", str(offset))]
                query = [*runs, *paging, ("include_user_names", "true")]
                page = await self._project.call("GET", "/feedback", query=query) or []
                rows += page
                offset += FEEDBACK_PER_PAGE
        return rows
