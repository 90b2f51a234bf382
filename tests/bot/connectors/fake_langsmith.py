"""A small LangSmith for tests, by its OpenAPI description and its SDK: the real one is a hosted service.

The SDK itself is run against it where it is installed (`test_langsmith_sdk`), which shows that the form is right.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from aiohttp import web

from memalign.records import Json
from tests.local_server import LocalServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
KEY = "lsv2_sk_of_tests"
TENANT = "11111111-2222-3333-4444-555555555555"
V1_FIELDS = {"session", "is_root", "start_time", "order", "select", "limit", "cursor", "id", "trace"}
V2_FIELDS = {
    *("project_ids", "is_root", "min_start_time", "max_start_time", "page_size", "selects", "cursor", "ids"),
    "trace_id",
}


class FakeLangsmith:
    """One workspace; what it holds survives a stop and a start on the same port."""

    def __init__(self) -> None:
        self.projects: dict[str, str] = {}
        """Name -> id."""
        self.runs: dict[str, dict[str, Json]] = {}
        self.feedback: dict[str, dict[str, Json]] = {}
        self.calls: list[str] = []
        """Method and path of every request."""
        self.bodies: list[Json] = []
        """Bodies of queries for runs."""
        self.failing: Callable[[web.Request], web.Response | None] = lambda _: None
        """Answers a request in place of the server."""
        self.silent_on: str | None = None
        """Method and path of requests that are carried out and never answered."""
        self.has_v2 = True
        self.most_runs = 1000
        """Most runs of a page, whatever is asked for."""
        self.base = "/api/v1"
        """Path before that of version 1; empty: as the SDK asks the hosted service."""
        self._server = LocalServer()

    @property
    def url(self) -> str:
        """The server's address."""
        return self._server.url

    async def start(self) -> None:
        """Listen, the second time on the same port."""
        app = web.Application(middlewares=[self._record])
        base = self.base
        app.add_routes(
            [
                web.get(f"{base}/info", self._info),
                web.get(f"{base}/sessions", self._sessions),
                web.post(f"{base}/sessions", self._create_session),
                web.post(f"{base}/runs", self._create_run),
                web.patch(f"{base}/runs/{{id}}", self._update_run),
                web.post(f"{base}/runs/query", self._query_v1),
                web.get(f"{base}/feedback", self._list_feedback),
                web.post(f"{base}/feedback", self._create_feedback),
                web.get(f"{base}/feedback/{{id}}", self._read_feedback),
                web.patch(f"{base}/feedback/{{id}}", self._update_feedback),
                web.delete(f"{base}/feedback/{{id}}", self._delete_feedback),
                *([web.post("/api/v2/runs/query", self._query_v2)] if self.has_v2 else []),
            ]
        )
        await self._server.start(app)

    async def stop(self) -> None:
        """Listen no more."""
        await self._server.stop()

    def project(self, name: str) -> str:
        """Return the id of a project, which is made where it is missing, as LangSmith does at the first run."""
        return self.projects.setdefault(name, str(uuid4()))

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.calls.append(f"{request.method} {request.path}")
        if request.headers.get("x-api-key") != KEY:
            return web.json_response({"detail": "Invalid token"}, status=403)
        if (answer := self.failing(request)) is not None:
            return answer
        response = await handler(request)
        if f"{request.method} {request.path}" == self.silent_on:
            await asyncio.Event().wait()
        return response

    async def _info(self, _: web.Request) -> web.Response:
        flags = {"ch_query_enabled": True, "sdb_query_enabled": self.has_v2}
        return web.json_response({"version": "0.16.0", "instance_flags": flags})

    async def _sessions(self, request: web.Request) -> web.Response:
        names = [request.query["name"]] if "name" in request.query else list(self.projects)
        found = [self._session(name) for name in names if name in self.projects]
        return web.json_response(found[: int(request.query.get("limit", "100"))])

    async def _create_session(self, request: web.Request) -> web.Response:
        name = (await request.json())["name"]
        self.project(name)
        return web.json_response(self._session(name))

    def _session(self, name: str) -> dict[str, Json]:
        return {
            "id": self.projects[name],
            "name": name,
            "tenant_id": TENANT,
            "start_time": "2026-01-01T00:00:00",
            "reference_dataset_id": None,
        }

    async def _create_run(self, request: web.Request) -> web.Response:
        body = await request.json()
        project = body.pop("session_id", None) or self.project(body.pop("session_name", "default"))
        run_id = body["id"]
        self.runs[run_id] = {**body, "session_id": project, "trace_id": body.get("trace_id") or run_id}
        return web.json_response({}, status=202)

    async def _update_run(self, request: web.Request) -> web.Response:
        changed = {name: value for name, value in (await request.json()).items() if value is not None}
        self.runs[request.match_info["id"]].update(changed)
        return web.json_response({}, status=202)

    async def _query_v1(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        if set(body) - V1_FIELDS or body.get("limit", 100) > 100:
            return web.json_response({"detail": "unprocessable"}, status=422)
        since = _moment(body.get("start_time") or "1970-01-01T00:00:00Z")
        found = self._found(body["session"], body.get("is_root"), body.get("id"), since, body.get("trace"))
        found.sort(key=lambda run: _moment(run["start_time"]), reverse=body.get("order", "desc") == "desc")
        begin, size = int(body.get("cursor") or 0), min(body.get("limit", 100), self.most_runs)
        runs = [_v1_run(run, body["select"]) for run in found[begin : begin + size]]
        after = str(begin + size) if begin + size < len(found) else None
        return web.json_response({"runs": runs, "cursors": {"next": after}})

    async def _query_v2(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        if set(body) - V2_FIELDS or not 1 <= body.get("page_size", 100) <= 1000:
            return web.json_response({"detail": "unprocessable"}, status=422)
        yesterday = datetime.now(UTC) - timedelta(days=1)
        since = _moment(body["min_start_time"]) if "min_start_time" in body else yesterday
        found = self._found(
            body["project_ids"], body.get("is_root"), body.get("ids"), since, body.get("trace_id")
        )
        until = _moment(body["max_start_time"]) if "max_start_time" in body else datetime.now(UTC)
        found = [run for run in found if _moment(run["start_time"]) <= until]
        found.sort(key=lambda run: _moment(run["start_time"]), reverse=True)
        begin, size = int(body.get("cursor") or 0), min(body.get("page_size", 100), self.most_runs)
        items = [self._v2_run(run, body.get("selects") or ["ID"]) for run in found[begin : begin + size]]
        after = str(begin + size) if begin + size < len(found) else None
        return web.json_response({"items": items, "next_cursor": after})

    def _found(
        self,
        projects: list[str],
        is_root: bool | None,
        ids: list[str] | None,
        since: datetime,
        trace_id: str | None,
    ) -> list[dict[str, Json]]:
        return [
            run
            for run in self.runs.values()
            if run["session_id"] in projects
            and (is_root is None or is_root == (run.get("parent_run_id") is None))
            and (ids is None or run["id"] in ids)
            and trace_id in (None, run["trace_id"])
            and _moment(run["start_time"]) >= since
        ]

    def _v2_run(self, run: dict[str, Json], selects: list[str]) -> dict[str, Json]:
        extra = run.get("extra") or {}
        start = _moment(run["start_time"]).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        above: list[Json] = []
        parent = run.get("parent_run_id")
        while parent is not None:
            above.insert(0, parent)
            parent = self.runs[parent].get("parent_run_id")
        whole = {
            **run,
            "status": _status(run),
            "start_time": start,
            "metadata": extra.get("metadata"),
            "parent_run_ids": above,
        }
        return {name.lower(): whole.get(name.lower()) for name in selects}

    async def _list_feedback(self, request: web.Request) -> web.Response:
        runs, limit = request.query.getall("run", []), int(request.query.get("limit", "100"))
        if limit > 100:
            return web.json_response({"detail": "limit must be at most 100"}, status=422)
        keys, sources = request.query.getall("key", []), request.query.getall("source", [])
        sessions = request.query.getall("session", [])
        if not runs and not sessions:
            return web.json_response({"detail": "run or session is needed"}, status=422)
        since = _moment(request.query.get("min_created_at", "1970-01-01T00:00:00Z"))
        found = [
            row
            for row in self.feedback.values()
            if (not runs or row["run_id"] in runs)
            and (not sessions or row["session_id"] in sessions)
            and (not keys or row["key"] in keys)
            and (not sources or row["feedback_source"]["type"] in sources)
            and _moment(row["created_at"]) >= since
        ]
        begin = int(request.query.get("offset", "0"))
        return web.json_response(found[begin : begin + limit])

    async def _create_feedback(self, request: web.Request) -> web.Response:
        body = await request.json()
        score = body.get("score")
        if not body.get("session_id") or (isinstance(score, float) and round(score, 4) != score):
            return web.json_response({"detail": "unprocessable"}, status=422)
        if body.get("run_id") not in self.runs:
            return web.json_response({"detail": "Run not found"}, status=404)
        now = _now()
        row = {
            "value": None,
            "comment": None,
            "correction": None,
            **body,
            "created_at": now,
            "modified_at": now,
        }
        row["score"] = float(score) if isinstance(score, bool | int | float) else score
        row.setdefault("id", str(uuid4()))
        row.setdefault("trace_id", self.runs[row["run_id"]]["trace_id"])
        self.feedback[row["id"]] = row
        return web.json_response(row)

    async def _read_feedback(self, request: web.Request) -> web.Response:
        row = self.feedback.get(request.match_info["id"])
        return _missing() if row is None else web.json_response(row)

    async def _update_feedback(self, request: web.Request) -> web.Response:
        row = self.feedback.get(request.match_info["id"])
        if row is None:
            return _missing()
        body = await request.json()
        if set(body) - {"score", "value", "comment", "correction", "feedback_config"}:
            return web.json_response({"detail": "unprocessable"}, status=422)
        row.update({**body, "modified_at": _now()})
        return web.json_response(row)

    async def _delete_feedback(self, request: web.Request) -> web.Response:
        row = self.feedback.pop(request.match_info["id"], None)
        return _missing() if row is None else web.json_response({})


def _v1_run(run: dict[str, Json], select: list[str]) -> dict[str, Json]:
    """Return a run as version 1 has it: the end decides its status, and times have no zone."""
    start = _moment(run["start_time"]).replace(tzinfo=None).isoformat()
    whole = {"status": _status(run).lower(), **run, "start_time": start}
    return {name: whole.get(name) for name in {*select, "id", "session_id"}}


def _status(run: dict[str, Json]) -> str:
    if run.get("error"):
        return "ERROR"
    return "SUCCESS" if run.get("end_time") else "PENDING"


def _missing() -> web.Response:
    return web.json_response({"detail": "Feedback not found"}, status=404)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat()
