"""A small tracking server for quick tests, with the answers of MLflow 3.17; the real one runs the same tests."""

import asyncio
import base64
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import web

from memalign.records import Json
from tests.local_server import LocalServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeMlflow:
    """One server; what it holds survives a stop and a start on the same port."""

    def __init__(self) -> None:
        self.traces: dict[str, dict[str, Json]] = {}
        """Trace id -> info, spans included under `spans`."""
        self.experiments: dict[str, str] = {}
        self.calls: list[str] = []
        """Method and path of every request."""
        self.failing: Callable[[web.Request], web.Response | None] = lambda _: None
        """Answers a request in place of the server."""
        self.silent_on: str | None = None
        """Method of requests that are carried out and never answered."""
        self.can_search_feedback = True
        """False: an earlier MLflow 3, which cannot look for any feedback of a name."""
        self.key: str | None = None
        """The authorization header that is asked for."""
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
                web.post("/api/2.0/mlflow/experiments/create", self._create_experiment),
                web.get("/api/2.0/mlflow/experiments/get-by-name", self._find_experiment),
                web.post("/v1/traces", self._take_spans),
                web.post("/api/3.0/mlflow/traces/search", self._search),
                web.post("/api/3.0/mlflow/traces/batchGetInfos", self._infos),
                web.get("/api/3.0/mlflow/traces/get", self._get),
                web.get("/ajax-api/3.0/mlflow/get-trace-artifact", self._artifact),
                web.post("/api/2.0/mlflow/traces/delete-traces", self._delete_traces),
                web.post("/api/3.0/mlflow/traces/{trace}/assessments", self._create),
                web.patch("/api/3.0/mlflow/traces/{trace}/assessments/{id}", self._update),
                web.delete("/api/3.0/mlflow/traces/{trace}/assessments/{id}", self._delete),
            ]
        )
        await self._server.start(app)

    async def stop(self) -> None:
        """Listen no more."""
        await self._server.stop()

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.calls.append(f"{request.method} {request.path}")
        if self.key is not None and request.headers.get("Authorization") != self.key:
            return web.json_response({"error_code": "UNAUTHENTICATED"}, status=401)
        if (answer := self.failing(request)) is not None:
            return answer
        response = await handler(request)
        if request.method == self.silent_on or f"{request.method} {request.path}" == self.silent_on:
            await asyncio.Event().wait()
        return response

    async def _create_experiment(self, request: web.Request) -> web.Response:
        name = (await request.json())["name"]
        self.experiments[name] = str(len(self.experiments) + 1)
        return web.json_response({"experiment_id": self.experiments[name]})

    async def _find_experiment(self, request: web.Request) -> web.Response:
        name = request.query["experiment_name"]
        if name not in self.experiments:
            return _missing(f"Could not find experiment with name '{name}'")
        return web.json_response({"experiment": {"experiment_id": self.experiments[name], "name": name}})

    async def _take_spans(self, request: web.Request) -> web.Response:
        body = await request.json()
        for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]:
            trace_id = f"tr-{span['traceId']}"
            start = datetime.fromtimestamp(int(span["startTimeUnixNano"]) / 1e9, tz=UTC)
            self.traces[trace_id] = {
                "trace_id": trace_id,
                "experiment": request.headers["x-mlflow-experiment-id"],
                "request_time": start.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "state": "OK",
                "tags": {"mlflow.trace.spansLocation": "TRACKING_STORE"},
                "trace_metadata": {},
                "assessments": [],
                "spans": [_stored_span(span)],
            }
        return web.json_response({})

    async def _search(self, request: web.Request) -> web.Response:
        body = await request.json()
        experiment = body["locations"][0]["mlflow_experiment"]["experiment_id"]
        since = re.fullmatch(
            r"timestamp_ms >= (\d+)(?: AND feedback\.`(?P<name>[^`]+)` IS NOT NULL)?", body["filter"]
        )
        assert since is not None
        if since["name"] and not self.can_search_feedback:
            return web.json_response({"error_code": "INVALID_PARAMETER_VALUE"}, status=400)
        found = [
            info
            for info in self.traces.values()
            if info["experiment"] == experiment
            and _ms(info["request_time"]) >= int(since[1])
            and since["name"]
            in (
                None,
                *(each.get("assessment_name") for each in info["assessments"] if isinstance(each, dict)),
            )
        ]
        [order] = body["order_by"]
        found.sort(key=lambda info: _ms(info["request_time"]), reverse=order == "timestamp_ms DESC")
        start = json.loads(base64.b64decode(body["page_token"]))["offset"] if "page_token" in body else 0
        end = start + body["max_results"]
        answer: dict[str, Json] = {"traces": [_info(each) for each in found[start:end]]}
        if end < len(found):
            answer["next_page_token"] = base64.b64encode(json.dumps({"offset": end}).encode()).decode()
        return web.json_response(answer)

    async def _infos(self, request: web.Request) -> web.Response:
        ids = (await request.json())["trace_ids"]
        return web.json_response({"trace_infos": [_info(self.traces[i]) for i in ids if i in self.traces]})

    async def _get(self, request: web.Request) -> web.Response:
        info = self.traces.get(request.query["trace_id"])
        if info is None:
            return _missing("no such trace")
        if info["tags"].get("mlflow.trace.spansLocation") != "TRACKING_STORE":
            return web.json_response({"message": "Trace data not stored in tracking store"}, status=500)
        return web.json_response({"trace": {"trace_info": _info(info), "spans": info["spans"]}})

    async def _artifact(self, request: web.Request) -> web.Response:
        info = self.traces.get(request.query["request_id"])
        return _missing("no such trace") if info is None else web.json_response({"spans": info["spans"]})

    async def _delete_traces(self, request: web.Request) -> web.Response:
        for trace_id in (await request.json())["request_ids"]:
            self.traces.pop(trace_id, None)
        return web.json_response({})

    async def _create(self, request: web.Request) -> web.Response:
        info = self.traces.get(request.match_info["trace"])
        if info is None:
            return _missing("no such trace")
        now = _now()
        assessment = {
            **(await request.json())["assessment"],
            "assessment_id": f"a-{secrets.token_hex(16)}",
            "create_time": now,
            "last_update_time": now,
            "valid": True,
        }
        for each in info["assessments"]:
            if isinstance(each, dict) and each.get("assessment_id") == assessment.get("overrides"):
                each["valid"] = False
        info["assessments"].append(assessment)
        return web.json_response({"assessment": assessment})

    async def _update(self, request: web.Request) -> web.Response:
        assessment = self._find(request)
        if assessment is None:
            return _missing("no such assessment")
        body = await request.json()
        for path in body["update_mask"].split(","):
            # as the server does: a path in snake case that holds an underscore changes nothing
            name = "assessment_name" if path == "assessmentName" else path
            if "_" not in path:
                changed = body["assessment"].get(name)
                assessment[name] = {**assessment[name], **changed} if name == "metadata" else changed
        assessment["last_update_time"] = _now()
        return web.json_response({"assessment": assessment})

    async def _delete(self, request: web.Request) -> web.Response:
        assessment = self._find(request)
        if assessment is None:
            return _missing("no such assessment")
        self.traces[request.match_info["trace"]]["assessments"].remove(assessment)
        return web.json_response({})

    def _find(self, request: web.Request) -> dict[str, Json] | None:
        info = self.traces.get(request.match_info["trace"], {"assessments": []})
        wanted = request.match_info["id"]
        listed = (each for each in info["assessments"] if isinstance(each, dict))
        return next((each for each in listed if each.get("assessment_id") == wanted), None)


def _info(stored: dict[str, Json]) -> dict[str, Json]:
    return {name: part for name, part in stored.items() if name not in ("spans", "experiment")}


def _stored_span(span: dict[str, Json]) -> dict[str, Json]:
    """Return a span as `traces/get` has it: JSON of protocol buffers in snake case, ids in base64."""
    return {
        "trace_id": base64.b64encode(bytes.fromhex(span["traceId"])).decode(),
        "span_id": base64.b64encode(bytes.fromhex(span["spanId"])).decode(),
        "name": span["name"],
        "start_time_unix_nano": int(span["startTimeUnixNano"]),
        "end_time_unix_nano": int(span["endTimeUnixNano"]),
        "attributes": [
            {"key": each["key"], "value": {"string_value": each["value"]["stringValue"]}}
            for each in span["attributes"]
        ],
        "status": {"code": "STATUS_CODE_OK"},
    }


def _missing(words: str) -> web.Response:
    return web.json_response({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": words}, status=404)


def _ms(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
