"""A small Phoenix for quick tests, with the answers of arize-phoenix 20.26; the real one runs the same tests."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

from aiohttp import web

from memalign.records import Json
from tests.local_server import LocalServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Document = dict[str, Json]


class FakePhoenix:
    """One server; what it holds survives a stop and a start on the same port."""

    def __init__(self) -> None:
        self.projects: dict[str, str] = {}
        """Ids by names."""
        self.spans: list[Document] = []
        """Each with the id of its project under `project`."""
        self.annotations: list[Document] = []
        self.users: list[Document] | None = []
        """None: the key may not see them."""
        self.calls: list[str] = []
        """Method and path of every request."""
        self.failing: Callable[[web.Request], web.Response | None] = lambda _: None
        """Answers a request in place of the server."""
        self.silent_on: str | None = None
        """Method and path of requests that are carried out and never answered."""
        self.key: str | None = None
        """The authorization header that is asked for."""
        self.is_old = False
        """An old server lists spans alone, overlooks filters that came later, and deletes no annotations."""
        self.may_delete = True
        """False: the key is neither the author's nor an administrator's."""
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
                web.get("/v1/projects", self._list_projects),
                web.post("/v1/projects", self._create_project),
                web.get("/v1/users", self._list_users),
                web.get("/v1/projects/{project}/traces", self._list_traces),
                web.get("/v1/projects/{project}/spans", self._list_spans),
                web.post("/v1/projects/{project}/spans", self._take_spans),
                web.delete("/v1/traces/{trace}", self._delete_trace),
                web.post("/v1/span_annotations", self._annotate),
                web.get("/v1/projects/{project}/span_annotations", self._list_annotations),
                web.delete("/v1/projects/{project}/span_annotations", self._delete_annotations),
                web.get("/{page:.*}", _page),
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
            return web.Response(text="Invalid token", status=401)
        answer = self.failing(request) or await handler(request)
        if self.silent_on == f"{request.method} {request.path}":
            await asyncio.Event().wait()
        return answer

    async def _list_projects(self, request: web.Request) -> web.Response:
        part = request.query.get("name_contains", "").casefold()
        projects = [
            {"id": own_id, "name": name} for name, own_id in self.projects.items() if part in name.casefold()
        ]
        return _paged(projects, request, 100)

    async def _create_project(self, request: web.Request) -> web.Response:
        name = (await request.json())["name"]
        self.projects[name] = f"project-{len(self.projects) + 1}"
        return web.json_response({"data": {"id": self.projects[name], "name": name}})

    async def _list_users(self, request: web.Request) -> web.Response:
        if self.users is None:
            return web.Response(text="Only admins can perform this action.", status=403)
        return _paged(self.users, request, 100)

    async def _take_spans(self, request: web.Request) -> web.Response:
        project = self.projects[request.match_info["project"]]
        spans = (await request.json())["data"]
        self.spans += [
            {"id": secrets.token_hex(4), "status_message": "", **span, "project": project} for span in spans
        ]
        return web.json_response({"total_received": len(spans), "total_queued": len(spans)}, status=202)

    async def _list_traces(self, request: web.Request) -> web.Response:
        if self.is_old:
            return await _page(request)
        spans = self._spans_of(request)
        if spans is None:
            return _missing_project(request)
        by_trace: dict[str, list[Document]] = {}
        for span in spans:
            by_trace.setdefault(span["context"]["trace_id"], []).append(span)
        traces = [
            {
                "trace_id": trace_id,
                "start_time": min((span["start_time"] for span in listed), key=_time),
                "spans": [_outline(span) for span in listed] if "include_spans" in request.query else None,
            }
            for trace_id, listed in by_trace.items()
        ]
        since = request.query.get("start_time")
        traces = [each for each in traces if since is None or _time(each["start_time"]) >= _time(since)]
        is_descending = request.query.get("order", "desc") == "desc"
        traces.sort(key=lambda each: _time(each["start_time"]), reverse=is_descending)
        return _paged(traces, request, 100)

    async def _list_spans(self, request: web.Request) -> web.Response:
        spans = self._spans_of(request)
        if spans is None:
            return _missing_project(request)
        since = request.query.get("start_time")
        spans = [span for span in spans if since is None or _time(span["start_time"]) >= _time(since)]
        if not self.is_old:
            spans = [span for span in spans if _fits(span, request)]
        if request.query.get("sort") == "start_time" and not self.is_old:
            is_descending = request.query.get("order", "desc") == "desc"
            spans.sort(key=lambda span: _time(span["start_time"]), reverse=not is_descending)
        shown = [{name: part for name, part in span.items() if name != "project"} for span in reversed(spans)]
        return _paged(shown, request, 100)

    async def _delete_trace(self, request: web.Request) -> web.Response:
        trace_id = request.match_info["trace"]
        span_ids = {
            span["context"]["span_id"] for span in self.spans if span["context"]["trace_id"] == trace_id
        }
        self.spans = [span for span in self.spans if span["context"]["trace_id"] != trace_id]
        self.annotations = [each for each in self.annotations if each["span_id"] not in span_ids]
        return web.Response(status=204)

    async def _annotate(self, request: web.Request) -> web.Response:
        now = _now()
        wanted = (await request.json())["data"]
        known = {span["context"]["span_id"] for span in self.spans}
        if missing := [each["span_id"] for each in wanted if each["span_id"] not in known]:
            return web.Response(text=f"Spans with IDs {', '.join(missing)} do not exist.", status=404)
        for each in wanted:
            stands = next((other for other in self.annotations if _key(other) == _key(each)), None)
            if stands is None:
                stands = {"id": secrets.token_hex(4), "created_at": now, "user_id": None}
                self.annotations.insert(0, stands)
            result = {"label": None, "score": None, "explanation": None, **(each.get("result") or {})}
            stands |= {"identifier": "", "metadata": {}, **each, "result": result, "updated_at": now}
        return web.json_response({"data": [{"id": "annotation"} for _ in wanted]})

    async def _list_annotations(self, request: web.Request) -> web.Response:
        spans = self._spans_of(request)
        if spans is None:
            return _missing_project(request)
        span_ids, identifiers = request.query.getall("span_ids", []), request.query.getall("identifier", [])
        if self.is_old:
            identifiers = []
        listed = [
            each
            for each in self.annotations
            if (not span_ids or each["span_id"] in span_ids)
            and (not identifiers or each["identifier"] in identifiers)
        ]
        is_there = bool({span["context"]["span_id"] for span in spans} & set(span_ids))
        if not listed and not identifiers and not is_there:
            return web.Response(text="None of the supplied span_ids exist in this project", status=404)
        return _paged(listed, request, 10)

    async def _delete_annotations(self, request: web.Request) -> web.Response:
        if self.is_old:
            return web.Response(text="Method Not Allowed", status=405)
        query = request.query
        if not {"start_time", "end_time"} <= query.keys() and query.get("delete_all") != "true":
            return web.Response(text="a time window or delete_all is needed", status=422)
        filters = {name: query[name] for name in ("name", "identifier", "annotator_kind") if name in query}

        def is_meant(annotation: Document) -> bool:
            created = _time(annotation["created_at"])
            is_within = "start_time" not in query or (
                # as on SQLite, where a whole second counts as less than itself
                _time(query["start_time"]) < created < _time(query["end_time"])
            )
            return is_within and all(annotation[name] == value for name, value in filters.items())

        if self.may_delete:
            self.annotations = [each for each in self.annotations if not is_meant(each)]
        return web.Response(status=204)

    def _spans_of(self, request: web.Request) -> list[Document] | None:
        place = request.match_info["project"]
        own_id = self.projects.get(place, place)
        if own_id not in self.projects.values():
            return None
        return [span for span in self.spans if span["project"] == own_id]


async def _page(_: web.Request) -> web.Response:
    """Answer an unknown path as the server does: with its web page."""
    return web.Response(text="<!DOCTYPE html>", content_type="text/html")


def _missing_project(request: web.Request) -> web.Response:
    return web.Response(text=f"Project with ID {request.match_info['project']} not found", status=404)


def _paged(documents: Iterable[Document], request: web.Request, default: int) -> web.Response:
    listed = list(documents)
    begin, size = int(request.query.get("cursor", 0)), int(request.query.get("limit", default))
    end = begin + size
    body = {"data": listed[begin:end], "next_cursor": str(end) if end < len(listed) else None}
    return web.json_response(body)


def _fits(span: Document, request: web.Request) -> bool:
    query = request.query
    trace_ids, span_ids = query.getall("trace_id", []), query.getall("span_id", [])
    context = span["context"]
    return (
        (not trace_ids or context["trace_id"] in trace_ids)
        and (not span_ids or context["span_id"] in span_ids)
        and (query.get("parent_id") != "null" or span["parent_id"] is None)
    )


def _outline(span: Document) -> Document:
    """Return a span as a listing of traces has it: without attributes."""
    names = ("id", "name", "parent_id", "span_kind", "status_code", "start_time", "end_time")
    return {**{name: span.get(name) for name in names}, "span_id": span["context"]["span_id"]}


def _key(annotation: Document) -> tuple[Json, ...]:
    return annotation["span_id"], annotation["name"], annotation.get("identifier", "")


def _time(moment: str) -> datetime:
    time = datetime.fromisoformat(moment)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
