"""An annotation queue of Langfuse by its name, and the traces that wait in it.

Paths and fields are those of `annotation-queues.yml` in Langfuse's API definition; v3 and v4 have the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from bot.connectors.errors import GoneError
from bot.connectors.tool_client import ToolClient
from bot.connectors.tool_times import milliseconds
from memalign.records import Json

QUEUES = "/api/public/annotation-queues"
ITEMS_PER_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """A trace that waits to be annotated."""

    trace_id: str
    added_ms: int
    """Moment at which it was put into the queue, in milliseconds since 1970."""


class AnnotationQueue:
    """One queue."""

    def __init__(self, client: ToolClient, name: str) -> None:
        self._client = client
        self._name = name
        self._id: str | None = None

    async def look_up(self) -> str:
        """Return the queue's id, asked for anew. Raises `GoneError` where there is no queue of that name."""
        ids = [str(each["id"]) for each in await self._all(QUEUES) if each.get("name") == self._name]
        if not ids:
            raise GoneError(
                f'Langfuse has no annotation queue "{self._name}"; correct the connector\'s queue', 404
            )
        self._id = ids[0]
        return self._id

    async def id(self) -> str:
        """Return the queue's id, which is looked up once."""
        return self._id or await self.look_up()

    async def pending(self, since_ms: int) -> list[QueueItem]:
        """Return the traces that wait, put in at that time or later, the oldest first; other items are left out."""
        path = f"{QUEUES}/{quote(await self.id(), safe='')}/items"
        items = [
            QueueItem(trace_id=str(row.get("objectId")), added_ms=added_ms)
            for row in await self._all(path, {"status": "PENDING"})
            if row.get("objectType") == "TRACE"
            and (added_ms := milliseconds(row.get("createdAt"))) is not None
            and added_ms >= since_ms
        ]
        return sorted(items, key=lambda item: item.added_ms)

    async def _all(self, path: str, query: Mapping[str, str] | None = None) -> list[dict[str, Json]]:
        rows: list[dict[str, Json]] = []
        number, pages = 0, 1
        while number < pages:
            number += 1
            paging = {"limit": str(ITEMS_PER_PAGE), "page": str(number)}
            answer = await self._client.call("GET", path, query={**(query or {}), **paging}) or {}
            rows += answer.get("data") or ()
            pages = int((answer.get("meta") or {}).get("totalPages") or 0)
        return rows
