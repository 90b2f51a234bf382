"""Phoenix: traces of one project, and the annotations of their root spans, over its REST API.

Paths and fields are those of the OpenAPI description of arize-phoenix 20. Where an older server cannot list traces,
root spans are listed; where it cannot delete annotations, ours are emptied.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from bot.connectors.errors import GoneError, ToolFailedError, ToolRefusedError
from bot.connectors.phoenix_annotation import (
    Annotation,
    annotation_of,
    answer_of,
    emptied,
    is_persons,
    user_words,
)
from bot.connectors.phoenix_project import Parameters, PhoenixProject
from bot.connectors.phoenix_trace import (
    Span,
    heads_of,
    moment,
    root_heads,
    span_id_of,
    trace_id_of,
    trace_of,
)
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
from memalign.records import Trace

log = logging.getLogger(__name__)

TRACES_PER_PAGE = 50
SPANS_PER_PAGE = 200
ANNOTATIONS_PER_PAGE = 1000
SPANS_PER_REQUEST = 100
"""Spans whose annotations are asked for at once: their ids go into the address."""
SKEW_MS = 60_000
"""Most by which the clocks of a run's processes differ: a child may begin before its parent."""
CREATED_WITHIN = timedelta(seconds=1)
"""Distance from an annotation's time within which it is deleted; on SQLite, Phoenix compares times as texts."""
_UNKNOWN_PATH = (HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
"""Answers to a path that a server does not know; to most it answers with its web page."""
_NO_DELETION = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)


class PhoenixTool:
    """One project of a Phoenix."""

    def __init__(self, url: str, key: str, project: str, time_ms: Callable[[], int] = now_ms) -> None:
        """Take the server's address, an API key, the project's name, and the clock."""
        self._client = ToolClient("Phoenix", url, key)
        self._project = PhoenixProject(self._client, project)
        self._name = project
        self._time_ms = time_ms
        self._users: dict[str, str] = {}
        """Names by the ids of users."""

    async def check(self) -> str:
        """See `TracingTool`."""
        return f'project "{self._name}" has the id {await self._project.find()}'

    async def place_id(self) -> str:
        """See `TracingTool`."""
        return await self._project.id()

    async def close(self) -> None:
        """See `TracingTool`."""
        await self._client.close()

    async def list_traces(self, since_ms: int, page: str | None = None) -> TracePage:
        """See `TracingTool`."""
        query = [("start_time", moment(since_ms)), ("sort", "start_time"), ("order", "asc")]
        own = [("include_spans", "true"), ("limit", str(TRACES_PER_PAGE))]
        cursor = [] if page is None else [("cursor", page)]
        try:
            answer = await self._project.ask("GET", "traces", [*query, *own, *cursor])
        except ToolRefusedError as error:
            if error.status not in _UNKNOWN_PATH:
                raise
            roots = await self._project.all("spans", [*query, ("parent_id", "null")], SPANS_PER_PAGE)
            return TracePage(heads=tuple(root_heads(roots, self._time_ms())))
        heads = heads_of(answer.get("data") or (), self._time_ms())
        return TracePage(heads=tuple(heads), next_page=answer.get("next_cursor") or None)

    async def read_traces(self, heads: Sequence[TraceHead]) -> Sequence[Trace]:
        """See `TracingTool`."""
        traces = []
        for head in heads:
            try:
                if spans := await self._spans(head):
                    traces.append(trace_of(head.trace_id, spans))
            except (ToolRefusedError, ToolFailedError) as error:
                log.warning("the spans of trace %s cannot be read: %s", head.trace_id, error)
        return traces

    async def _spans(self, head: TraceHead) -> list[Span]:
        # an older server overlooks trace_id, and sends all spans from that time on
        query = [("trace_id", head.trace_id), ("start_time", moment(head.time_ms - SKEW_MS))]
        spans = await self._project.all("spans", query, SPANS_PER_PAGE)
        return [span for span in spans if trace_id_of(span) == head.trace_id]

    async def read_assessments(
        self, references: Mapping[str, str]
    ) -> Mapping[str, Sequence[RemoteAssessment]]:
        """See `TracingTool`."""
        answers: dict[str, Sequence[RemoteAssessment]] = {}
        pairs = list(references.items())
        for begin in range(0, len(pairs), SPANS_PER_REQUEST):
            some = pairs[begin : begin + SPANS_PER_REQUEST]
            annotations = await self._annotations_by_span([span_id for _, span_id in some])
            await self._look_up_users([each for listed in annotations.values() for each in listed])
            for trace_id, span_id in some:
                if span_id in annotations:
                    listed = (answer_of(each, self._users) for each in annotations[span_id])
                    answers[trace_id] = tuple(each for each in listed if each is not None)
        return answers

    async def list_answers(self, names: Sequence[str], since_ms: int, page: str | None = None) -> AnswerPage:
        """See `TracingTool`: Phoenix tells of annotations by their spans alone, so that all roots are walked."""
        query = [("start_time", moment(since_ms)), ("sort", "start_time"), ("order", "desc")]
        own = [("parent_id", "null"), ("limit", str(SPANS_PER_REQUEST))]
        cursor = [] if page is None else [("cursor", page)]
        answer = await self._project.ask("GET", "spans", [*query, *own, *cursor])
        heads = {head.reference: head for head in root_heads(answer.get("data") or (), self._time_ms())}
        answers = await self._answers_by_span(list(heads), names) if heads else {}
        return AnswerPage(
            traces=tuple(
                AnsweredTrace(head=head, answers=answers[span_id])
                for span_id, head in heads.items()
                if answers.get(span_id)
            ),
            next_page=answer.get("next_cursor") or None,
        )

    async def _answers_by_span(
        self, span_ids: Sequence[str], names: Sequence[str]
    ) -> dict[str, tuple[RemoteAssessment, ...]]:
        try:
            annotations = await self._annotations([("span_ids", span_id) for span_id in span_ids])
        except GoneError:  # all were deleted meanwhile
            return {}
        await self._look_up_users(annotations)
        answers: dict[str, tuple[RemoteAssessment, ...]] = {}
        for each in annotations:
            answer, span_id = answer_of(each, self._users), str(each.get("span_id"))
            if answer is not None and answer.name.casefold() in map(str.casefold, names):
                answers[span_id] = (*answers.get(span_id, ()), answer)
        return answers

    async def _annotations_by_span(self, span_ids: Sequence[str]) -> dict[str, list[Annotation]]:
        """Return the annotations of those spans that are there."""
        try:
            annotations = await self._annotations([("span_ids", span_id) for span_id in span_ids])
        except GoneError:
            await self._project.find()  # the project is there, then, and none of the spans
            return {}
        by_span: dict[str, list[Annotation]] = {}
        for each in annotations:
            by_span.setdefault(str(each.get("span_id")), []).append(each)
        bare = [span_id for span_id in span_ids if span_id not in by_span]
        # a span that was asked for alone would have been answered with 404
        present = bare if len(span_ids) == 1 else await self._present(bare)
        return {**by_span, **{span_id: [] for span_id in present}}

    async def _present(self, span_ids: Sequence[str]) -> list[str]:
        """Return those of the spans that are there."""
        if not span_ids:
            return []
        query = [*(("span_id", span_id) for span_id in span_ids), ("limit", str(len(span_ids)))]
        answer = await self._project.ask("GET", "spans", query)
        listed = {span_id_of(span) for span in answer.get("data") or ()}
        return [span_id for span_id in span_ids if span_id in listed]

    async def _look_up_users(self, annotations: Sequence[Annotation]) -> None:
        """Learn the names of those who annotated, as far as the key may see users."""
        ids = {str(each["user_id"]) for each in annotations if is_persons(each) and each.get("user_id")}
        if ids <= self._users.keys():
            return
        try:
            users = await self._project.users()
        except ToolRefusedError:
            users = []
        names = {str(each.get("id")): str(each.get("username") or "") for each in users}
        self._users |= {user_id: names.get(user_id) or user_words(user_id) for user_id in ids}

    async def find(self, written: WrittenAssessment) -> str | None:
        """See `TracingTool`; Phoenix takes our own ids."""
        return written.own_id

    async def create(self, assessment: OwnAssessment) -> str:
        """See `TracingTool`."""
        await self._put(annotation_of(assessment))
        return assessment.own_id

    async def update(self, remote_id: str, assessment: OwnAssessment) -> None:
        """See `TracingTool`; under an earlier name of its judge it is another annotation to Phoenix."""
        await self._put(annotation_of(assessment))
        for each in await self._own(assessment.reference, remote_id):
            if each.get("name") != assessment.judge:
                await self._remove(each)

    async def delete(self, remote_id: str, written: WrittenAssessment) -> None:
        """See `TracingTool`; where Phoenix does not delete it, it is left without content."""
        try:
            for each in await self._own(written.reference, remote_id):
                await self._remove(each)
        except GoneError:
            return

    async def _own(self, span_id: str, own_id: str) -> list[Annotation]:
        annotations = await self._annotations([("span_ids", span_id), ("identifier", own_id)])
        return [each for each in annotations if each.get("identifier") == own_id]

    async def _remove(self, annotation: Annotation) -> None:
        created = datetime.fromisoformat(str(annotation["created_at"]))
        query = [
            *((name, str(annotation[name])) for name in ("name", "identifier", "annotator_kind")),
            # bounds the harm done by a server that overlooks a filter
            ("start_time", (created - CREATED_WITHIN).isoformat()),
            ("end_time", (created + CREATED_WITHIN).isoformat()),
        ]
        try:
            await self._project.ask("DELETE", "span_annotations", query)
        except ToolRefusedError as error:
            if error.status not in _NO_DELETION:
                raise
        # a key that may not delete it, neither its author's nor an administrator's, is not told so
        for each in await self._own(str(annotation["span_id"]), str(annotation["identifier"])):
            if each.get("name") == annotation["name"]:
                await self._put(emptied(each))

    async def _put(self, annotation: Annotation) -> None:
        """Write an annotation in the place of one of the same span, name and identifier."""
        body = {"data": [dict(annotation)]}
        await self._client.call("POST", "/v1/span_annotations", query={"sync": "true"}, body=body)

    async def _annotations(self, query: Parameters) -> list[Annotation]:
        return [*await self._project.all("span_annotations", query, ANNOTATIONS_PER_PAGE)]
