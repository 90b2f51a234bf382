"""One project of Phoenix by its name: the parts below its path, page after page."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

from bot.connectors.errors import GoneError
from bot.connectors.tool_client import ToolClient
from memalign.records import Json

Parameters = list[tuple[str, str]]


class PhoenixProject:
    """Asks for parts of a project; errors as `ToolClient.call` raises them, `GoneError` also for the project itself."""

    def __init__(self, client: ToolClient, name: str) -> None:
        """Take the server, and the project's name."""
        self._client = client
        self._name = name
        self._id: str | None = None

    async def find(self) -> str:
        """Look the project up; return its id."""
        # the path of a project cannot hold every name
        projects = await self._pages("/v1/projects", [("name_contains", self._name)])
        ids = [str(each["id"]) for each in projects if each.get("name") == self._name]
        if not ids:
            raise GoneError(
                f'Phoenix has no project "{self._name}"; correct the connector\'s project or url',
                HTTPStatus.NOT_FOUND,
            )
        self._id = ids[0]
        return self._id

    async def id(self) -> str:
        """Return the project's id, which is looked up once."""
        return self._id or await self.find()

    async def ask(self, method: str, part: str, query: Parameters) -> Mapping[str, Json]:
        """Send a request about a part of the project, such as `spans`."""
        return await self._call(method, await self._path(part), query)

    async def all(self, part: str, query: Parameters, page_size: int) -> list[dict[str, Json]]:
        """Read all pages of a part."""
        return await self._pages(await self._path(part), [*query, ("limit", str(page_size))])

    async def users(self) -> list[dict[str, Json]]:
        """Read the users of the server; only an administrator's key may."""
        return await self._pages("/v1/users", [])

    async def _pages(self, path: str, query: Parameters) -> list[dict[str, Json]]:
        documents: list[dict[str, Json]] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = await self._call("GET", path, [*query, *([("cursor", cursor)] if cursor else [])])
            documents += answer.get("data") or ()
            cursor = answer.get("next_cursor") or None
        return documents

    async def _call(self, method: str, path: str, query: Parameters) -> Mapping[str, Json]:
        try:
            answer: Mapping[str, Json] = await self._client.call(method, path, query=query) or {}
        except GoneError:
            self._id = None  # a project that was made anew has another id
            raise
        return answer

    async def _path(self, part: str) -> str:
        return f"/v1/projects/{quote(await self.id(), safe='')}/{part}"
