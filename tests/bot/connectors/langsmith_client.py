"""An application and its people at LangSmith, over its REST API."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import aiohttp

from memalign.records import Json
from tests.bot.connectors.fake_langsmith import KEY, FakeLangsmith

PROJECT = "support"


@dataclass(frozen=True, slots=True, kw_only=True)
class LangsmithClient:
    """An application, and people before LangSmith's page, at one project."""

    server: FakeLangsmith

    async def run(self, answer: str = "Go away.", *, start_ms: int, **fields: Json) -> str:
        """Send a root run; its id."""
        run_id = str(uuid4())
        moment = datetime.fromtimestamp(start_ms / 1000, UTC).isoformat()
        body = {
            "id": run_id,
            "name": "answer",
            "run_type": "chain",
            "session_name": PROJECT,
            "inputs": {"question": "Can you help me?"},
            "outputs": {"answer": answer},
            "start_time": moment,
            "end_time": moment,
        }
        await self._call("POST", "/runs", {**body, **fields})
        return run_id

    async def answer(self, run_id: str, *, by: str, key: str = "politeness", **fields: Json) -> str:
        """Answer in LangSmith's page; the feedback's id."""
        body = {
            "run_id": run_id,
            "trace_id": run_id,
            "session_id": self.server.projects[PROJECT],
            "key": key,
            "feedback_source": {"type": "app", "user_id": f"id of {by}", "user_name": by, "metadata": None},
            **fields,
        }
        return str((await self._call("POST", "/feedback", body))["id"])

    async def change(self, feedback_id: str, **fields: Json) -> None:
        """Change feedback in LangSmith's page."""
        await self._call("PATCH", f"/feedback/{feedback_id}", fields)

    async def take_back(self, feedback_id: str) -> None:
        """Delete feedback in LangSmith's page."""
        await self._call("DELETE", f"/feedback/{feedback_id}")

    def by_source(self, run_id: str) -> dict[str, Json]:
        """Return the scores, or values, at a run by type and name of their source; fail where a source has two."""
        found = [
            (_source(row["feedback_source"]), row["value"] if row["score"] is None else row["score"])
            for row in self.server.feedback.values()
            if row["run_id"] == run_id
        ]
        assert len(found) == len(dict(found)), found
        return dict(found)

    async def _call(self, method: str, path: str, body: Json = None) -> Json:
        url = f"{self.server.url}{self.server.base}{path}"
        async with (
            aiohttp.ClientSession(headers={"x-api-key": KEY}) as session,
            session.request(method, url, json=body) as reply,
        ):
            assert reply.status in (200, 202), f"{method} {path}: {reply.status} {await reply.text()}"
            return await reply.json(content_type=None)


def _source(source: dict[str, Json]) -> str:
    metadata = source.get("metadata") or {}
    name = source.get("user_name") or metadata.get("model") or metadata.get("user")
    return f"{source['type']} {name}"
