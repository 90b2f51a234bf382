"""HTTP to a tracing tool: time limits, sizes, rate limits and refusals, in one place for all tools."""

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import aiohttp

from bot.connectors.errors import GoneError, ToolFailedError, ToolRefusedError, ToolUnavailableError
from bot.runtime.retry_after import retry_after_seconds
from memalign.records import Json

TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)
MAX_ANSWER_BYTES = 64_000_000
"""Most bytes of an answer, unpacked."""
MAX_TOLD_CHARS = 200
"""Characters of a tool's own words that are told."""
_TRY_AGAIN = {408, 425, 429}
_ABSENT = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.NOT_IMPLEMENTED)

Query = Mapping[str, str] | Sequence[tuple[str, str]]


class ToolClient:
    """Asks one tool."""

    def __init__(self, name: str, url: str, key: str, headers: Mapping[str, str] | None = None) -> None:
        """Take what every request needs.

        Args:
            name: the tool as people call it, such as `MLflow`.
            url: its address, without the path of its API.
            key: the secret; `name:password`, or `public key:secret key`, is sent as Basic, anything else as Bearer.
                Empty: none is sent.
            headers: further headers.
        """
        self._name = name
        self._url = url.rstrip("/")
        self._headers = {**authorization(key), **(headers or {})}
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(self, method: str, path: str, *, query: Query = (), body: Json = None) -> Json:
        """Send a request and read the JSON of its answer; None where that is empty.

        Raises:
            ToolUnavailableError: the tool cannot be reached, asks to wait, or fails.
            GoneError: there is no such thing.
            ToolRefusedError: the tool refuses, or answers with something else than JSON.
        """
        status, headers, answer = await self._send(method, path, query, body)
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            raise self._error(status, headers, answer)
        try:
            return json.loads(answer) if answer.strip() else None
        except (ValueError, RecursionError):
            raise ToolRefusedError(
                f"{self._name} answers with something else than JSON; correct the connector's url", status
            ) from None

    async def _send(
        self, method: str, path: str, query: Query, body: Json
    ) -> tuple[int, Mapping[str, str], bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=TIMEOUT, trust_env=True)
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode(errors="replace")
        headers = {} if data is None else {"Content-Type": "application/json"}
        try:
            # a redirect elsewhere would be told the key
            async with self._session.request(
                method,
                f"{self._url}{path}",
                params=list(query.items() if isinstance(query, Mapping) else query),
                data=data,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                return answer.status, answer.headers, await self._read(answer)
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            words = "does not answer in time" if isinstance(error, TimeoutError) else "cannot be reached"
            raise ToolUnavailableError(
                f"{self._name} {words}; check the network and the connector's url"
            ) from error

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in answer.content.iter_any():
            content += chunk
            if len(content) > MAX_ANSWER_BYTES:
                answer.close()
                raise ToolRefusedError(
                    f"{self._name} answers with more than {MAX_ANSWER_BYTES // 10**6} MB",
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                )
        return bytes(content)

    def _error(
        self, status: int, headers: Mapping[str, str], answer: bytes
    ) -> ToolUnavailableError | ToolRefusedError:
        told = _told(answer)
        if status in _TRY_AGAIN:
            reason = f"{self._name} asks to wait ({status})"
            return ToolUnavailableError(reason, retry_after_seconds(headers.get("Retry-After")))
        if status in _ABSENT:
            return GoneError(f"{self._name} knows no such thing ({status}){told}", status)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            reason = f"{self._name} fails ({status}){told}"
            is_failure = status == HTTPStatus.INTERNAL_SERVER_ERROR
            kind = ToolFailedError if is_failure else ToolUnavailableError
            return kind(reason, retry_after_seconds(headers.get("Retry-After")))
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return ToolRefusedError(
                f"{self._name} refuses the key ({status}); check the variable named by api_key_env", status
            )
        if status < HTTPStatus.BAD_REQUEST:
            return ToolRefusedError(
                f"{self._name} sends to another address ({status}); correct the connector's url", status
            )
        return ToolRefusedError(f"{self._name} refuses the request ({status}){told}", status)


def authorization(key: str) -> dict[str, str]:
    """Return the header that a key is sent in: Basic where it is a name and a password, else Bearer; none without."""
    if not key:
        return {}
    if ":" in key:
        return {"Authorization": f"Basic {base64.b64encode(key.encode()).decode()}"}
    return {"Authorization": f"Bearer {key}"}


def _told(answer: bytes) -> str:
    """Return a tool's own words on an error, for the end of a sentence; empty where it has none."""
    try:
        document = json.loads(answer)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict):
        return ""
    words = next((document[name] for name in ("message", "detail", "error") if document.get(name)), "")
    told = " ".join(words.split())[:MAX_TOLD_CHARS] if isinstance(words, str) else ""
    return f": {told}" if told else ""
