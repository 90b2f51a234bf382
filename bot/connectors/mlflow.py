"""MLflow 3's tracking server: traces of one experiment, and their assessments, over its REST API.

MLflow's paths, fields and filters are those of `mlflow/protos/service.proto` and `assessments.proto` of MLflow 3.17.
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import quote

from bot.connectors.errors import GoneError, ToolFailedError, ToolRefusedError
from bot.connectors.mlflow_trace import (
    answers_of,
    assessments_of,
    head_of,
    infos_in,
    own_id_in,
    trace_of,
)
from bot.connectors.tool import (
    OWN_ID,
    AnsweredTrace,
    AnswerPage,
    OwnAssessment,
    RemoteAssessment,
    TraceHead,
    TracePage,
    WrittenAssessment,
)
from bot.connectors.tool_client import ToolClient
from memalign.records import Json, Trace

log = logging.getLogger(__name__)

ARTIFACT = "/ajax-api/3.0/mlflow/get-trace-artifact"
"""The address from which MLflow's own page reads spans that are kept among the artifacts; they have no other one."""
SPANS_LOCATION = "mlflow.trace.spansLocation"
TRACES = "/api/3.0/mlflow/traces"
HEADS_PER_PAGE = 100
INFOS_PER_READ = 100
UNKNOWN_CALL = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
"""Answers of a server that does not have a call; one that has it answers for absent traces with an empty list."""


class MlflowTool:
    """One experiment of a tracking server."""

    def __init__(self, url: str, key: str, experiment: str) -> None:
        """Take the server's address, a token or `name:password`, and the experiment's name."""
        self._client = ToolClient("MLflow", url, key)
        self._experiment = experiment
        self._experiment_id: str | None = None

    async def check(self) -> str:
        """See `TracingTool`."""
        self._experiment_id = None
        return f'experiment "{self._experiment}" has the id {await self._id()}'

    async def place_id(self) -> str:
        """See `TracingTool`."""
        return await self._id()

    async def close(self) -> None:
        """See `TracingTool`."""
        await self._client.close()

    async def list_traces(self, since_ms: int, page: str | None = None) -> TracePage:
        """See `TracingTool`."""
        answer = await self._search(f"timestamp_ms >= {since_ms}", "ASC", page or "")
        heads = (head_of(info) for info in infos_in(answer.get("traces")))
        return TracePage(
            heads=tuple(head for head in heads if head is not None),
            next_page=answer.get("next_page_token") or None,
        )

    async def read_traces(self, heads: Sequence[TraceHead]) -> Sequence[Trace]:
        """See `TracingTool`."""
        infos = await self._infos([head.trace_id for head in heads])
        documents = [{"trace_info": info, "spans": await self._spans(info)} for info in infos]
        return [trace for each in documents if (trace := trace_of(each)) is not None]

    async def _spans(self, info: Mapping[str, Json]) -> Json:
        """Return a trace's spans, which clients keep in the server's database or, by default, among its artifacts.

        None where there are none to be had: then what the trace's info holds of inputs and outputs must do.
        """
        is_in_database = (info.get("tags") or {}).get(SPANS_LOCATION) == "TRACKING_STORE"
        # the tag is missing at earlier servers, and at some that stand before one
        readers = (self._spans_of_database, self._spans_of_artifacts)
        for read in readers if is_in_database else readers[::-1]:
            try:
                if spans := await read(info["trace_id"]):
                    return spans
            except (ToolRefusedError, ToolFailedError) as error:
                if isinstance(error, ToolRefusedError) and error.is_of_every_request:
                    raise
                log.warning("the spans of trace %s cannot be read: %s", info["trace_id"], error)
        return None

    async def _spans_of_database(self, trace_id: str) -> Json:
        answer = await self._client.call("GET", f"{TRACES}/get", query={"trace_id": trace_id})
        return ((answer or {}).get("trace") or {}).get("spans")

    async def _spans_of_artifacts(self, trace_id: str) -> Json:
        answer = await self._client.call("GET", ARTIFACT, query={"request_id": trace_id})
        return (answer or {}).get("spans")

    async def _infos(self, trace_ids: Sequence[str]) -> list[dict[str, Json]]:
        """Return the infos of those traces that are there, assessments included."""
        infos: list[dict[str, Json]] = []
        for begin in range(0, len(trace_ids), INFOS_PER_READ):
            some = list(trace_ids[begin : begin + INFOS_PER_READ])
            try:
                answer = await self._client.call("POST", f"{TRACES}/batchGetInfos", body={"trace_ids": some})
            except ToolRefusedError as error:
                if error.status not in UNKNOWN_CALL:
                    raise
                infos += [info for trace_id in some if (info := await self._info(trace_id))]
            else:
                infos += (answer or {}).get("trace_infos") or ()
        return infos

    async def _info(self, trace_id: str) -> dict[str, Json] | None:
        """Return the info of one trace, as servers before 3.6 are asked for it; None where the trace is gone."""
        try:
            answer = await self._client.call("GET", f"{TRACES}/{quote(trace_id, safe='')}")
        except GoneError:
            return None
        return ((answer or {}).get("trace") or {}).get("trace_info")

    async def read_assessments(
        self, references: Mapping[str, str]
    ) -> Mapping[str, Sequence[RemoteAssessment]]:
        """See `TracingTool`."""
        infos = await self._infos(list(references.values()))
        return {info["trace_id"]: answers_of(info) for info in infos}

    async def list_answers(self, names: Sequence[str], since_ms: int, page: str | None = None) -> AnswerPage:
        """See `TracingTool`; the names are looked for one after the other."""
        index, _, token = (page or "0:").partition(":")
        answer = await self._search_answers(names[int(index)], since_ms, token)
        infos = infos_in(answer.get("traces"))
        heads = ((head_of(info), answers_of(info)) for info in infos)
        next_token, next_index = answer.get("next_page_token"), int(index) + 1
        following = f"{next_index}:" if next_index < len(names) else None
        return AnswerPage(
            traces=tuple(
                AnsweredTrace(head=head, answers=answers) for head, answers in heads if head and answers
            ),
            next_page=f"{index}:{next_token}" if next_token else following,
        )

    async def _search_answers(self, name: str, since_ms: int, token: str) -> dict[str, Json]:
        """Search traces with feedback of that name; all of them where a server cannot search for it."""
        query = f"timestamp_ms >= {since_ms}"
        filters = [] if "`" in name else [f"{query} AND feedback.`{name}` IS NOT NULL"]
        try:
            return await self._search([*filters, query][0], "DESC", token)
        except (ToolRefusedError, ToolFailedError) as error:
            # earlier servers fail at this filter, or refuse it
            is_refused = isinstance(error, ToolRefusedError) and error.status != HTTPStatus.BAD_REQUEST
            if is_refused or not filters:
                raise
            return await self._search(query, "DESC", token)

    async def _search(self, query: str, order: str, token: str) -> dict[str, Json]:
        experiment = {"experiment_id": await self._id()}
        body: dict[str, Json] = {
            "locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": experiment}],
            "filter": query,
            "max_results": HEADS_PER_PAGE,
            "order_by": [f"timestamp_ms {order}"],
        }
        if token:
            body["page_token"] = token
        return await self._client.call("POST", f"{TRACES}/search", body=body) or {}

    async def find(self, written: WrittenAssessment) -> str | None:
        """See `TracingTool`."""
        for info in await self._infos([written.reference]):
            for each in assessments_of(info):
                if own_id_in(each) == written.own_id:
                    return str(each["assessment_id"])
        return None

    async def create(self, assessment: OwnAssessment) -> str:
        """See `TracingTool`."""
        body = {"assessment": _document(assessment)}
        answer = await self._client.call("POST", _assessments(assessment.reference), body=body)
        return str(answer["assessment"]["assessment_id"])

    async def update(self, remote_id: str, assessment: OwnAssessment) -> None:
        """See `TracingTool`."""
        document = _document(assessment)
        # the source of an assessment cannot be changed
        changed = {name: document[name] for name in ("assessment_name", "feedback", "rationale", "metadata")}
        body = {
            "assessment": {**changed, "assessment_id": remote_id, "trace_id": assessment.reference},
            # JSON of protocol buffers has field masks in camel case
            "update_mask": "assessmentName,feedback,rationale,metadata",
        }
        await self._client.call("PATCH", _assessment(assessment.reference, remote_id), body=body)

    async def delete(self, remote_id: str, written: WrittenAssessment) -> None:
        """See `TracingTool`."""
        try:
            await self._client.call("DELETE", _assessment(written.reference, remote_id))
        except GoneError:
            return

    async def _id(self) -> str:
        """Return the id of the experiment, which is looked up once."""
        if self._experiment_id is None:
            query = {"experiment_name": self._experiment}
            try:
                answer = await self._client.call(
                    "GET", "/api/2.0/mlflow/experiments/get-by-name", query=query
                )
            except GoneError as error:
                raise GoneError(
                    f'MLflow has no experiment "{self._experiment}"; correct the connector\'s experiment or url',
                    error.status,
                ) from None
            self._experiment_id = str(answer["experiment"]["experiment_id"])
        return self._experiment_id


def _assessments(trace_id: str) -> str:
    return f"{TRACES}/{quote(trace_id, safe='')}/assessments"


def _assessment(trace_id: str, assessment_id: str) -> str:
    return f"{_assessments(trace_id)}/{quote(assessment_id, safe='')}"


def _document(assessment: OwnAssessment) -> dict[str, Json]:
    return {
        "assessment_name": assessment.judge,
        "trace_id": assessment.reference,
        "source": {"source_type": assessment.source_type, "source_id": assessment.source_id},
        "feedback": {"value": assessment.value},
        "rationale": assessment.rationale,
        "metadata": {**assessment.metadata, OWN_ID: assessment.own_id},
    }
