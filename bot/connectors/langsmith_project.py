"""One project of LangSmith: its id, looked up by its name, and the addresses of the server that holds it."""

from urllib.parse import urlsplit

from bot.connectors.errors import GoneError
from bot.connectors.tool_client import Query, ToolClient
from memalign.records import Json

HOSTED_DOMAIN = "smith.langchain.com"
"""The hosted service answers at `api.` of it, or of a region's, and shows its page without."""
API = "/api/v1"
"""Path of the API as LangSmith's OpenAPI description has it; LangSmith's SDK leaves it out at the hosted service."""


class LangsmithProject:
    """Calls LangSmith's API for one project."""

    def __init__(self, url: str, key: str, name: str) -> None:
        """Take an address as `LANGSMITH_ENDPOINT` has it, an API key, and the project's name."""
        self._root = url.rstrip("/").removesuffix("/v1").removesuffix("/api")
        self._client = ToolClient("LangSmith", self._root, "", {"x-api-key": key} if key else {})
        self.name = name
        self._api = API
        self._id: str | None = None
        self._page: str | None = None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def call(self, method: str, path: str, *, query: Query = (), body: Json = None) -> Json:
        """Call the first version of the API; see `ToolClient.call`."""
        return await self._client.call(method, f"{self._api}{path}", query=query, body=body)

    async def call_v2(self, path: str, body: Json) -> Json:
        """Post to the second version of the API; see `ToolClient.call`."""
        return await self._client.call("POST", f"/api/v2{path}", body=body)

    async def look_up(self) -> str:
        """Return the project's id, asked for anew. Raises `GoneError` where there is no project of that name."""
        projects = await self._projects()
        project = next((each for each in projects or () if each.get("name") == self.name), None)
        if project is None:
            raise GoneError(
                f'LangSmith has no project "{self.name}"; correct the connector\'s project or url', 404
            )
        self._id = str(project["id"])
        if tenant := project.get("tenant_id"):
            self._page = f"{page_address(self._root)}/o/{tenant}/projects/p/{self._id}"
        return self._id

    async def id(self) -> str:
        """Return the project's id, which is looked up once."""
        return self._id or await self.look_up()

    def run_url(self, run_id: str) -> str | None:
        """Return the address at which people read a run; None before the project was looked up."""
        return None if self._page is None else f"{self._page}/r/{run_id}"

    async def _projects(self) -> Json:
        query = {"name": self.name, "limit": "10", "include_stats": "false"}
        try:
            self._api = API
            return await self.call("GET", "/sessions", query=query)
        except GoneError:  # a proxy that passes on what the SDK asks for, and nothing else
            self._api = ""
            return await self.call("GET", "/sessions", query=query)


def page_address(url: str) -> str:
    """Return the address of LangSmith's page for an address of its API."""
    host = urlsplit(url).hostname or ""
    if host == HOSTED_DOMAIN or host.endswith(f".{HOSTED_DOMAIN}"):
        return f"https://{'.'.join(part for part in host.split('.') if part != 'api')}"
    return url
