"""A small Langfuse for tests, written from its published API definition: the real one needs three databases beside it.

Source: github.com/langfuse/langfuse, `fern/apis/server/definition`: observations, scores, scores-v3, trace, projects.
"""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from aiohttp import web

from memalign.records import Json
from tests.local_server import LocalServer

Version = Literal["v3", "v4"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PUBLIC_KEY, SECRET_KEY = "pk-lf-1", "sk-lf-1"
KEYS = f"{PUBLIC_KEY}:{SECRET_KEY}"
AUTHORIZATION = f"Basic {base64.b64encode(KEYS.encode()).decode()}"
PROJECT = "support"
PROJECT_ID = "p-1"
_CORE = ("id", "traceId", "startTime", "endTime", "projectId", "parentObservationId", "type")
_GROUPS: Mapping[str, Sequence[str]] = {
    "core": _CORE,
    "basic": ("name", "level", "statusMessage", "environment", "userId", "sessionId", "isRootObservation"),
    "io": ("input", "output"),
    "metadata": ("metadata",),
    "model": ("providedModelName",),
    "trace_context": ("tags", "release", "traceName"),
}
_SCORE_CORE = (
    "id",
    "projectId",
    "name",
    "value",
    "dataType",
    "source",
    "timestamp",
    "createdAt",
    "updatedAt",
)
_SCORE_GROUPS: Mapping[str, Sequence[str]] = {
    "details": ("comment", "configId", "metadata"),
    "subject": ("subject",),
    "annotation": ("authorUserId", "queueId"),
}
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "BOOLEAN": int,
    "NUMERIC": (int, float),
    "CATEGORICAL": str,
    "TEXT": str,
}


class FakeLangfuse:
    """One project; `version` tells which APIs it has: v4 has no traces, v3 no list of observations."""

    def __init__(self) -> None:
        self.version: Version = "v4"
        self.project_id = PROJECT_ID
        self.has_scores_v3 = True
        """False: a v3 before 3.179."""
        self.observations: list[dict[str, Json]] = []
        self.traces: dict[str, dict[str, Json]] = {}
        """The traces of v3; their observations are among the others."""
        self.scores: dict[str, dict[str, Json]] = {}
        self.queues: dict[str, list[dict[str, Json]]] = {}
        """Items of annotation queues, by the queue's name; its id is `q-` and the name."""
        self.calls: list[str] = []
        """Method and path of every request."""
        self.failing: Callable[[web.Request], web.Response | None] = lambda _: None
        """Answers a request in place of the server."""
        self.after: Callable[[web.Request], None] = lambda _: None
        """Is called once a request was carried out, and before it is answered."""
        self.silent_on: str | None = None
        """Method and path of requests that are carried out and never answered."""
        self.rows_per_page = 1_000
        """Most rows of a page, whatever is asked for."""
        self._server = LocalServer()

    @property
    def url(self) -> str:
        """The server's address."""
        return self._server.url

    async def start(self) -> None:
        """Listen, the second time on the same port."""
        app = web.Application(middlewares=[self._record])
        app.add_routes(
            [
                web.get("/api/public/projects", self._projects),
                web.get("/api/public/v2/observations", self._list_observations),
                web.get("/api/public/traces", self._list_traces),
                web.get("/api/public/traces/{id}", self._trace),
                web.get("/api/public/v3/scores", self._list_scores),
                web.get("/api/public/v2/scores", self._list_scores_of_v2),
                web.post("/api/public/scores", self._write_score),
                web.get("/api/public/annotation-queues", self._list_queues),
                web.get("/api/public/annotation-queues/{id}/items", self._list_queue_items),
                web.delete("/api/public/scores/{id}", self._delete_score),
            ]
        )
        await self._server.start(app)

    async def stop(self) -> None:
        """Listen no more."""
        await self._server.stop()

    # --- what an application, and people in Langfuse's pages, do

    def observe(self, trace_id: str, start_ms: int, **fields: Json) -> str:
        """Add an observation that has ended, the root where no parent is told; its id."""
        observation_id = str(fields.pop("id", f"{trace_id}-{len(self.observations)}"))
        parent = fields.get("parentObservationId")
        self.observations.append(
            {
                "id": observation_id,
                "traceId": trace_id,
                "startTime": moment(start_ms),
                "endTime": moment(start_ms + 5),
                "projectId": PROJECT_ID,
                "parentObservationId": None,
                "type": "SPAN",
                "name": "answer",
                "level": "DEFAULT",
                "statusMessage": "",
                "environment": "default",
                "userId": "",
                "sessionId": "",
                "isRootObservation": parent is None,
                "metadata": {},
                "tags": [],
                **fields,
            }
        )
        return observation_id

    def trace(self, trace_id: str, start_ms: int, **fields: Json) -> str:
        """Add a trace with one observation, to be read from either version; the observation's id."""
        content = {"input": "Can you help me?", "output": "Go away.", **fields}
        self.traces[trace_id] = {
            "id": trace_id,
            "timestamp": moment(start_ms),
            "name": "answer",
            "environment": "default",
            "htmlPath": f"/project/{PROJECT_ID}/traces/{trace_id}",
            **content,
        }
        return self.observe(trace_id, start_ms, **content)

    def remove(self, trace_id: str) -> None:
        """Delete a trace."""
        self.traces.pop(trace_id, None)
        self.observations = [each for each in self.observations if each["traceId"] != trace_id]

    def annotate(self, trace_id: str, value: Json, kind: str = "BOOLEAN", **fields: Json) -> str:
        """Score a trace in Langfuse's pages, or change the score of that id; its id."""
        score_id = str(fields.pop("id", f"a-{len(self.scores)}"))
        now = moment_now()
        self.scores[score_id] = {
            "id": score_id,
            "projectId": PROJECT_ID,
            "name": "politeness",
            "source": "ANNOTATION",
            "dataType": kind,
            "value": value,
            "authorUserId": "zoe",
            "comment": None,
            "metadata": {},
            "timestamp": now,
            "createdAt": now,
            "updatedAt": now,
            "traceId": trace_id,
            "observationId": None,
            **fields,
        }
        return score_id

    def enqueue(self, queue: str, object_id: str, kind: str = "TRACE", **fields: Json) -> None:
        """Put something into an annotation queue."""
        items = self.queues.setdefault(queue, [])
        items.append(
            {
                "id": f"i-{len(items)}",
                "queueId": f"q-{queue}",
                "objectId": object_id,
                "objectType": kind,
                "status": "PENDING",
                "createdAt": moment_now(),
                **fields,
            }
        )

    def of_api(self) -> dict[str, dict[str, Json]]:
        """Return the scores that were written over the API, by id."""
        return {name: each for name, each in self.scores.items() if each["source"] == "API"}

    # --- the API

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.calls.append(f"{request.method} {request.path}")
        if request.headers.get("Authorization") != AUTHORIZATION:
            return web.json_response({"message": "Invalid credentials"}, status=401)
        if (answer := self.failing(request)) is not None:
            return answer
        response = await handler(request)
        self.after(request)
        if f"{request.method} {request.path}" == self.silent_on:
            await asyncio.Event().wait()
        return response

    async def _projects(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": self.project_id, "name": PROJECT}]})

    async def _list_observations(self, request: web.Request) -> web.Response:
        if self.version != "v4":
            return missing("The observations v2 API is only available in a Langfuse v4 write mode.")
        query = request.query
        names = {name for group in query.get("fields", "core,basic").split(",") for name in _GROUPS[group]}
        rows = [row for row in self.observations if _is_wanted(row, query)]
        rows.sort(key=lambda row: (row["startTime"], row["id"]), reverse=True)
        return self._page(rows, query, 1_000, lambda row: {name: row.get(name) for name in (*_CORE, *names)})

    async def _list_traces(self, request: web.Request) -> web.Response:
        if self.version != "v3":
            return missing("Not available in Langfuse v4")
        assert request.query.get("orderBy", "timestamp.asc") == "timestamp.asc"
        assert request.query["fields"] == "core"
        begin = instant(request.query.get("fromTimestamp", "1970-01-01T00:00:00Z"))
        found = [each for each in self.traces.values() if instant(each["timestamp"]) >= begin]
        found.sort(key=lambda each: each["timestamp"])
        hidden = ("input", "output", "metadata")
        rows = [{name: part for name, part in each.items() if name not in hidden} for each in found]
        return self._numbered(rows, request.query)

    async def _trace(self, request: web.Request) -> web.Response:
        trace = self.traces.get(request.match_info["id"])
        if self.version != "v3" or trace is None:
            return missing("Trace not found within authorized project")
        rows = [row for row in self.observations if row["traceId"] == trace["id"]]
        return web.json_response({**trace, "observations": rows, "scores": []})

    async def _list_scores(self, request: web.Request) -> web.Response:
        if not self.has_scores_v3:
            return missing("v3 Scores API is not enabled on this instance")
        query = request.query
        groups = [group for group in query.get("fields", "").split(",") if group]
        names = [*_SCORE_CORE, *(name for group in groups for name in _SCORE_GROUPS[group])]
        trace_ids, sources = query.get("traceId", "").split(","), query["source"].split(",")
        begin = instant(query.get("fromTimestamp", "1970-01-01T00:00:00Z"))
        rows = [
            _as_v3(score)
            for score in self.scores.values()
            if ("traceId" not in query or score["traceId"] in trace_ids)
            and score["source"] in sources
            and instant(score["timestamp"]) >= begin
        ]
        return self._page(rows, query, 100, lambda row: {name: row[name] for name in names if name in row})

    async def _list_scores_of_v2(self, request: web.Request) -> web.Response:
        if self.version != "v3":
            return missing("Not available in Langfuse v4")
        begin = instant(request.query["fromTimestamp"])
        rows = [
            score
            for score in map(_as_v2, self.scores.values())
            if score["source"] == request.query["source"] and instant(score["timestamp"]) >= begin
        ]
        return self._numbered(rows, request.query)

    async def _list_queues(self, request: web.Request) -> web.Response:
        rows = [{"id": f"q-{name}", "name": name, "scoreConfigIds": []} for name in self.queues]
        return self._numbered(rows, request.query)

    async def _list_queue_items(self, request: web.Request) -> web.Response:
        items = self.queues.get(request.match_info["id"].removeprefix("q-"))
        if items is None:
            return missing("Queue not found")
        status = request.query.get("status")
        return self._numbered([each for each in items if status in (None, each["status"])], request.query)

    async def _write_score(self, request: web.Request) -> web.Response:
        body = await request.json()
        kind, value = body["dataType"], body["value"]
        if not isinstance(value, _TYPES[kind]) or (kind == "BOOLEAN" and value not in (0, 1)):
            return web.json_response({"message": "Invalid request data"}, status=400)
        assert isinstance(body["traceId"], str)
        assert isinstance(body["name"], str)
        now = moment_now()
        before = self.scores.get(body["id"], {"timestamp": now, "createdAt": now})
        self.scores[body["id"]] = {
            **before,
            **body,
            "source": "API",
            "projectId": PROJECT_ID,
            "updatedAt": now,
        }
        return web.json_response({"id": body["id"]})

    async def _delete_score(self, request: web.Request) -> web.Response:
        if self.scores.pop(request.match_info["id"], None) is None:
            return missing("Score not found within authorized project")
        return web.json_response({"message": "Score deletion queued"}, status=202)

    def _page(
        self,
        rows: Sequence[dict[str, Json]],
        query: Mapping[str, str],
        most: int,
        shown: Callable[[dict[str, Json]], dict[str, Json]],
    ) -> web.Response:
        limit = int(query.get("limit", "50"))
        if limit > most:
            return web.json_response({"message": f"limit must be at most {most}"}, status=400)
        cursor = query.get("cursor")
        start = json.loads(base64.b64decode(cursor))["offset"] if cursor else 0
        end = start + min(limit, self.rows_per_page)
        meta = {} if end >= len(rows) else {"cursor": base64.b64encode(b'{"offset":%d}' % end).decode()}
        return web.json_response({"data": [shown(row) for row in rows[start:end]], "meta": meta})

    def _numbered(self, rows: Sequence[dict[str, Json]], query: Mapping[str, str]) -> web.Response:
        limit = min(int(query["limit"]), self.rows_per_page)
        assert limit <= 100
        page = int(query["page"])
        meta = {
            "page": page,
            "limit": limit,
            "totalItems": len(rows),
            "totalPages": -(-len(rows) // limit),
        }
        return web.json_response({"data": list(rows[(page - 1) * limit : page * limit]), "meta": meta})


def moment(time_ms: int) -> str:
    """Return milliseconds since 1970 as Langfuse writes them."""
    return (
        datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def moment_now() -> str:
    """Return the time now as Langfuse writes it."""
    return moment(int(datetime.now(UTC).timestamp() * 1000))


def instant(text: str) -> datetime:
    """Return a time that is asked for."""
    return datetime.fromisoformat(text)


def missing(words: str) -> web.Response:
    """Return what Langfuse answers where something is not there."""
    return web.json_response({"message": words, "error": "LangfuseNotFoundError"}, status=404)


def _is_wanted(row: Mapping[str, Json], query: Mapping[str, str]) -> bool:
    start = instant(row["startTime"])
    return (
        query.get("traceId", row["traceId"]) == row["traceId"]
        and (query.get("isRootObservation") != "true" or row["isRootObservation"])
        and ("fromStartTime" not in query or start >= instant(query["fromStartTime"]))
        and ("toStartTime" not in query or start < instant(query["toStartTime"]))
    )


def _as_v3(score: Mapping[str, Json]) -> dict[str, Json]:
    subject = {"kind": "trace", "id": score["traceId"]}
    if score.get("observationId"):
        subject = {"kind": "observation", "id": score["observationId"], "traceId": score["traceId"]}
    value = bool(score["value"]) if score["dataType"] == "BOOLEAN" else score["value"]
    return {**score, "value": value, "subject": subject}


def _as_v2(score: Mapping[str, Json]) -> dict[str, Json]:
    if score["dataType"] == "CATEGORICAL":
        return {**score, "value": 0, "stringValue": score["value"]}
    if score["dataType"] == "BOOLEAN":
        return {**score, "value": int(score["value"]), "stringValue": str(bool(score["value"]))}
    return dict(score)
