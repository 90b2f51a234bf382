"""HTTP to a tracing tool: time limits, sizes, rate limits and refusals, in one place for all tools."""

import asyncio
import base64
import json
import time
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
LONGEST_PAUSE_SECONDS = 3600.0
"""Longest pause that a tool may ask for."""
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
        self._secrets = _secrets_in(key, headers or {})
        self._session: aiohttp.ClientSession | None = None
        self._paused_until = 0.0
        """Moment until which the tool asks not to be called, by a clock that nobody sets."""

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
        if (seconds := self._paused_until - time.monotonic()) > 0:
            raise ToolUnavailableError(f"{self._name} asks to wait", seconds)
        status, headers, answer = await self._send(method, path, query, body)
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            error = self._error(status, headers, answer)
            if isinstance(error, ToolUnavailableError):
                self._paused_until = time.monotonic() + min(error.retry_after, LONGEST_PAUSE_SECONDS)
            raise error
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
                f"{self._name} {words}; check that it runs, the network, and the connector's url"
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
        told = self._without_secrets(_told(answer))
        if status in _TRY_AGAIN:
            return ToolUnavailableError(f"{self._name} asks to wait ({status})", asked_seconds(headers))
        if _refuses_host(status, answer):
            return ToolRefusedError(
                f"{self._name} refuses the name in the connector's url ({status}); "
                "let its server allow that host (MLflow: --allowed-hosts), or correct the url",
                status,
            )
        if status in _ABSENT:
            return GoneError(f"{self._name} knows no such thing ({status}){told}", status)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            reason = f"{self._name} fails ({status}){told}"
            is_failure = status == HTTPStatus.INTERNAL_SERVER_ERROR
            kind = ToolFailedError if is_failure else ToolUnavailableError
            return kind(reason, asked_seconds(headers))
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            remedy = (
                f"refuses the key ({status}); check the variable named by api_key_env"
                if self._secrets
                else f"asks for a key ({status}); name its variable by the connector's api_key_env"
            )
            return ToolRefusedError(f"{self._name} {remedy}", status)
        if status < HTTPStatus.BAD_REQUEST:
            return ToolRefusedError(
                f"{self._name} sends to another address ({status}); correct the connector's url", status
            )
        return ToolRefusedError(f"{self._name} refuses the request ({status}){told}", status)

    def _without_secrets(self, told: str) -> str:
        """Return a tool's words without the key, which some repeat."""
        for secret in self._secrets:
            told = told.replace(secret, "…")
        return told


def authorization(key: str) -> dict[str, str]:
    """Return the header that a key is sent in: Basic where it is a name and a password, else Bearer; none without."""
    if not key:
        return {}
    if ":" in key:
        return {"Authorization": f"Basic {base64.b64encode(key.encode()).decode()}"}
    return {"Authorization": f"Bearer {key}"}


def _secrets_in(key: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return all forms in which the key is sent, and its parts, the longest first."""
    sent = [value.rpartition(" ")[2] for value in (*authorization(key).values(), *headers.values())]
    return tuple(sorted({part for part in (key, *key.split(":"), *sent) if part}, key=len, reverse=True))


def asked_seconds(headers: Mapping[str, str]) -> float:
    """Return the seconds that a tool asks to wait: those of Retry-After, else until a limit of requests ends."""
    for name in ("Retry-After", "X-RateLimit-Reset", "RateLimit-Reset"):
        if seconds := retry_after_seconds(headers.get(name)):
            return seconds
    return 0.0


def _refuses_host(status: int, answer: bytes) -> bool:
    is_refusal = status in (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST)
    return is_refusal and b"host header" in answer[:MAX_TOLD_CHARS].lower()


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
