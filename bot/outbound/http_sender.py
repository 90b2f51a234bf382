"""Requests to a receiver of events: time limits, what is read of an answer, and what a refusal means."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus

import aiohttp

from bot.outbound.errors import EventRefusedError, ReceiverUnavailableError
from bot.runtime.retry_after import retry_after_seconds

TIMEOUT_SECONDS = 10.0
MAX_ANSWER_BYTES = 64 * 1024
"""Most bytes of an answer that are read."""
_BUSY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_CLOSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)
_ABSENT = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE)


class HttpSender:
    """Posts bodies to one address, and follows no redirect: signatures and headers are for that address alone."""

    def __init__(
        self, url: str, address_key: str, secret_key: str, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        """Take the address, the keys of the settings that its remedies name, and the time for one request."""
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._address_key = address_key
        self._secret_key = secret_key
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Post a body; returns the status and the beginning of the answer. Raises `ReceiverUnavailableError`."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, trust_env=True)
        try:
            async with self._session.post(
                self._url, data=body, headers={"User-Agent": "memalign", **headers}, allow_redirects=False
            ) as answer:
                self._require_room(answer.status, answer.headers)
                return answer.status, await _beginning(answer)
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            words = "does not answer in time" if isinstance(error, TimeoutError) else "cannot be reached"
            raise ReceiverUnavailableError(
                f"it {words}; check the network and {self._address_key}"
            ) from error

    def _require_room(self, status: int, headers: Mapping[str, str]) -> None:
        if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            words = "asks to wait" if status in _BUSY else "fails"
            raise ReceiverUnavailableError(
                f"it {words} ({status})", retry_after_seconds(headers.get("Retry-After"))
            )

    def require_success(self, status: int) -> None:
        """Take the status of an answer.

        Raises:
            ReceiverUnavailableError: no event would be taken.
            EventRefusedError: this event is not taken.
        """
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return
        if status in _CLOSED:
            raise ReceiverUnavailableError(f"it lets nobody in ({status}); check {self._secret_key}")
        if status in _ABSENT:
            raise ReceiverUnavailableError(
                f"it takes no events there ({status}); correct {self._address_key}"
            )
        if status < HTTPStatus.BAD_REQUEST:
            raise ReceiverUnavailableError(
                f"it sends to another address ({status}), which is not followed; correct {self._address_key}"
            )
        raise EventRefusedError(f"it refuses an event ({status})")


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    """Return what comes of an answer's body; its status has said already whether the event was taken."""
    content = bytearray()
    with suppress(aiohttp.ClientError, TimeoutError, OSError):
        async for chunk in answer.content.iter_any():
            content += chunk
            if len(content) >= MAX_ANSWER_BYTES:
                answer.close()
                break
    return bytes(content[:MAX_ANSWER_BYTES])
