"""Langfuse: traces of one project, and their scores, over its public API.

Paths and fields are those of Langfuse's API definition (github.com/langfuse/langfuse, `fern/apis/server/definition`).
Version 4 is asked first; a server that does not know its list of observations is read as version 3.
"""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote

from bot.connectors.errors import GoneError, ToolRefusedError, ToolUnavailableError
from bot.connectors.langfuse_queue import AnnotationQueue
from bot.connectors.langfuse_scores import SCORES, AnnotationReader, answer_of, place_of, score_document
from bot.connectors.langfuse_v3 import LangfuseV3
from bot.connectors.langfuse_v4 import LangfuseV4
from bot.connectors.tool import (
    AnsweredTrace,
    AnswerPage,
    OwnAssessment,
    RemoteAssessment,
    TraceHead,
    TracePage,
    WrittenAssessment,
)
from bot.connectors.tool_client import ToolClient
from bot.runtime.clock import now_ms
from memalign.errors import SettingsError
from memalign.records import Trace

log = logging.getLogger(__name__)

PROJECTS = "/api/public/projects"
HEADS_KEPT = 10_000
"""Heads of traces with scores that are remembered: some MB."""
LOOKS_FOR_DELETIONS = 5
"""Traces, drawn at random, that are looked for each time scores are read, where deletions are followed."""


class LangfuseTool:
    """The project that a pair of keys belongs to."""

    def __init__(
        self,
        url: str,
        key: str,
        project: str,
        looks: int = 0,
        time_ms: Callable[[], int] = now_ms,
        queue: str = "",
    ) -> None:
        """Take what reading and writing need.

        Args:
            url: the server's address.
            key: both keys, as `public key:secret key`.
            project: the project's name.
            looks: traces that are looked for each time scores are read, since these do not tell of deletions; 0 by
                default, then none counts as deleted.
            time_ms: a clock, in milliseconds since 1970.
            queue: name of the annotation queue of whose items alone traces are read; empty: all traces are.

        Raises:
            SettingsError: the key is not a pair.
        """
        if not all(key.partition(":")):
            raise SettingsError(
                "Langfuse needs both keys, with a colon between them, in the variable named by api_key_env: "
                "pk-lf-…:sk-lf-…"
            )
        self._client = ToolClient("Langfuse", url, key)
        self._url = url.rstrip("/")
        self._project = project
        self._looks = looks
        self._time_ms = time_ms
        self._annotations = AnnotationReader(self._client, time_ms)
        self._queue = AnnotationQueue(self._client, queue) if queue else None
        self._project_id = ""
        self._heads: dict[str, TraceHead] = {}
        """Heads of traces with scores, by trace id."""
        self._api: LangfuseV4 | LangfuseV3 | None = None

    async def check(self) -> str:
        """See `TracingTool`."""
        self._api = None
        api = await self._opened()
        if self._queue is not None:
            await self._queue.look_up()
        return f'project "{self._project}" is read as Langfuse {api.version}'

    async def place_id(self) -> str:
        """See `TracingTool`."""
        await self._opened()
        return self._project_id

    async def close(self) -> None:
        """See `TracingTool`."""
        await self._client.close()

    async def list_traces(self, since_ms: int, page: str | None = None) -> TracePage:
        """See `TracingTool`."""
        api = await self._opened()
        if self._queue is not None:
            return TracePage(heads=tuple(await self._heads_of_queue(api, self._queue, since_ms)))
        try:
            return await api.list_traces(since_ms, page)
        except GoneError:  # the server was upgraded, or set back: the next look finds out
            self._api = None
            raise

    async def _heads_of_queue(
        self, api: LangfuseV4 | LangfuseV3, queue: AnnotationQueue, since_ms: int
    ) -> list[TraceHead]:
        """Return what waits in the queue, in the order in which it was put there, however old the traces are."""
        items = await queue.pending(since_ms)
        heads = [(item, await self._head(api, item.trace_id)) for item in items]
        return [replace(head, time_ms=item.added_ms) for item, head in heads if head is not None]

    async def read_traces(self, heads: Sequence[TraceHead]) -> Sequence[Trace]:
        """See `TracingTool`."""
        api = await self._opened()
        # a head of the queue has the time at which it was put there
        traces = [await api.read_trace(self._heads.get(head.trace_id, head)) for head in heads]
        return [trace for trace in traces if trace is not None]

    async def read_assessments(
        self, references: Mapping[str, str]
    ) -> Mapping[str, Sequence[RemoteAssessment]]:
        """See `TracingTool`; some traces are looked for each time, all of them by and by."""
        try:
            return await self._read_answers(references)
        except GoneError as error:  # an API that is missing must not look like a trace that was deleted
            self._api = None
            raise ToolUnavailableError("Langfuse changed its API; it is tried again") from error

    async def _read_answers(self, references: Mapping[str, str]) -> Mapping[str, Sequence[RemoteAssessment]]:
        api = await self._opened()
        answers = dict(await self._annotations.read(references))
        for trace_id in random.sample(list(references), min(len(references), self._looks)):
            if not await api.has(trace_id):
                del answers[trace_id]
        return answers

    async def list_answers(self, names: Sequence[str], since_ms: int, page: str | None = None) -> AnswerPage:
        """See `TracingTool`; scores do not tell of their traces, each of which is asked for once."""
        api = await self._opened()
        queue_id = None if self._queue is None else await self._queue.id()
        scores, next_page = await self._annotations.page(since_ms, page)
        answered = []
        for trace_id, some in scores.items():
            named = [
                each
                for each in some
                if str(each.get("name")).casefold() in map(str.casefold, names)
                and queue_id in (None, each.get("queueId"))
            ]
            head = await self._head(api, trace_id) if named else None
            places = (None,) if head is None else (None, head.reference)
            answers = tuple(answer_of(each) for each in named if place_of(each)[1] in places)
            if head is not None and answers:
                answered.append(AnsweredTrace(head=head, answers=answers))
        return AnswerPage(traces=tuple(answered), next_page=next_page)

    async def _head(self, api: LangfuseV4 | LangfuseV3, trace_id: str) -> TraceHead | None:
        """Return the head of a trace; None where it is gone, or no root of it has come."""
        if trace_id not in self._heads:
            head = await api.find_head(trace_id)
            if head is None or not head.is_finished:
                return None
            if len(self._heads) >= HEADS_KEPT:
                self._heads.clear()
            self._heads[trace_id] = head
        return self._heads[trace_id]

    async def find(self, written: WrittenAssessment) -> str | None:
        """See `TracingTool`: Langfuse takes our own ids."""
        return written.own_id

    async def create(self, assessment: OwnAssessment) -> str:
        """See `TracingTool`."""
        await self.update(assessment.own_id, assessment)
        return assessment.own_id

    async def update(self, remote_id: str, assessment: OwnAssessment) -> None:
        """See `TracingTool`; a score that somebody deleted is written anew."""
        await self._client.call("POST", SCORES, body={**score_document(assessment), "id": remote_id})

    async def delete(self, remote_id: str, written: WrittenAssessment) -> None:
        """See `TracingTool`."""
        try:
            await self._client.call("DELETE", f"{SCORES}/{quote(remote_id, safe='')}")
        except GoneError:
            log.info("the score %s of trace %s is gone already", remote_id, written.trace_id)

    async def _opened(self) -> LangfuseV4 | LangfuseV3:
        """Return the API by which the server is read; the first time, once the keys are those of the project."""
        if self._api is None:
            await self._require_project()
            newer = LangfuseV4(self._client, self._url, self._time_ms)
            try:
                await newer.probe()
                self._api = newer
            except GoneError:
                self._api = LangfuseV3(self._client, self._url, self._time_ms)
        return self._api

    async def _require_project(self) -> None:
        try:
            answer = await self._client.call("GET", PROJECTS) or {}
        except GoneError as error:
            raise GoneError(
                f"Langfuse has no API at this address ({error.status}); correct the connector's url",
                error.status,
            ) from None
        projects = {str(each.get("name")): str(each.get("id")) for each in answer.get("data") or ()}
        names = list(projects)
        if self._project not in names:
            known = ", ".join(f'"{name}"' for name in names) or "no project"
            raise ToolRefusedError(
                f'these keys of Langfuse belong to {known}, not to "{self._project}"; '
                "correct the connector's project or its keys",
                403,
            )
        self._project_id = projects[self._project]
