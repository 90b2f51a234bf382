"""An application and its people at a Phoenix, over its REST API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

import aiohttp

from memalign.records import Json

PROJECT = "support"
KINDS = ("HUMAN", "LLM", "CODE")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoenixClient:
    """An application, and people before Phoenix's page, at one project of a server."""

    url: str
    project: str
    key: str = field(default="", repr=False)

    @classmethod
    async def at(cls, url: str, project: str = PROJECT, key: str = "") -> "PhoenixClient":
        """Make the project."""
        client = cls(url=url, project=project, key=key)
        await client.call("POST", "/v1/projects", {"name": project})
        return client

    async def trace(self, number: int, answer: str = "Go away.", *, start_ms: int) -> str:
        """Send a trace of two spans, the child first; its id."""
        root = self.span(number, 1, start_ms, {"input.value": "Can you help me?", "output.value": answer})
        await self.send(self.span(number, 2, start_ms + 1, parent=1), root)
        return trace_hex(number)

    def span(
        self,
        trace: int,
        number: int,
        start_ms: int,
        attributes: Mapping[str, Json] | None = None,
        parent: int | None = None,
    ) -> dict[str, Json]:
        """Return a span of a trace, of 2 ms."""
        return {
            "name": f"step {number}",
            "context": {"trace_id": trace_hex(trace), "span_id": span_hex(trace, number)},
            "span_kind": "CHAIN",
            "parent_id": None if parent is None else span_hex(trace, parent),
            "start_time": _moment(start_ms),
            "end_time": _moment(start_ms + 2),
            "status_code": "OK",
            "attributes": dict(attributes or {}),
            "events": [],
        }

    async def send(self, *spans: dict[str, Json]) -> None:
        """Send spans."""
        await self.call("POST", f"/v1/projects/{quote(self.project)}/spans", {"data": list(spans)})

    async def annotate(
        self, trace_id: str, *, by: str, name: str = "politeness", explanation: str = "", **result: Json
    ) -> None:
        """Annotate a trace's root, or change an annotation."""
        annotation = {
            "span_id": root_of(trace_id),
            "name": name,
            "annotator_kind": "HUMAN",
            "identifier": by,
            "result": {"explanation": explanation, **result},
        }
        await self.call("POST", "/v1/span_annotations?sync=true", {"data": [annotation]})

    async def take_back(self, *, by: str, name: str = "politeness") -> None:
        """Delete somebody's annotations of one name."""
        query = f"delete_all=true&identifier={quote(by)}&name={quote(name)}"
        await self.call("DELETE", f"/v1/projects/{quote(self.project)}/span_annotations?{query}")

    async def delete(self, trace_id: str) -> None:
        """Delete a trace."""
        await self.call("DELETE", f"/v1/traces/{trace_id}")

    async def annotations(self, trace_id: str) -> list[dict[str, Json]]:
        """Return what stands at a trace's root."""
        path = f"/v1/projects/{quote(self.project)}/span_annotations?limit=100&span_ids={root_of(trace_id)}"
        return list((await self.call("GET", path))["data"])

    async def by_source(self, trace_id: str) -> dict[str, Json]:
        """Return the labels at a trace by kind and source; fail where a source has two."""
        pairs = [
            (f"{each['annotator_kind']} {_source(each)}", each["result"]["label"])
            for each in await self.annotations(trace_id)
        ]
        assert len(pairs) == len(dict(pairs)), pairs
        return dict(pairs)

    async def call(self, method: str, path: str, body: Json = None) -> Json:
        """Send a request; the answer's JSON."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"{self.url}{path}", json=body) as reply,
        ):
            assert reply.status in (200, 202, 204), f"{method} {path}: {reply.status} {await reply.text()}"
            return None if reply.status == 204 else await reply.json(content_type=None)


def trace_hex(number: int) -> str:
    """Return the id of a trace."""
    return f"{number:032x}"


def span_hex(trace: int, number: int) -> str:
    """Return the id of a span."""
    return f"{trace:08x}{number:08x}"


def root_of(trace_id: str) -> str:
    """Return the id of the root that `PhoenixClient.trace` gives a trace."""
    return span_hex(int(trace_id, 16), 1)


def _source(annotation: dict[str, Json]) -> str:
    return str((annotation.get("metadata") or {}).get("source_id") or annotation["identifier"])


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
