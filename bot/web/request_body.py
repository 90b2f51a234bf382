"""Bodies of requests: read with a limit, a deadline, and few large ones at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from bot.web.content_encoding import unpacked
from bot.web.request_error import RequestError

LARGE_BYTES = 128 * 1024
"""Bodies beyond this wait for each other, so that a number of them does not fill the memory."""
MAX_LARGE_BODIES = 4
BODY_SECONDS = 30.0
MALFORMED_BODY_ERRORS = (web.RequestPayloadError, ClientPayloadError, HttpProcessingError)
"""Raised by aiohttp for chunks that are none."""


class BodyReader:
    """Reads the bodies of one route."""

    def __init__(self, max_bytes: int, *, seconds: float = BODY_SECONDS) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._large_bodies = asyncio.Semaphore(MAX_LARGE_BODIES)

    @asynccontextmanager
    async def read(self, request: web.Request) -> AsyncIterator[bytes]:
        """Yield a request's body; a large one keeps its place while the context is open.

        Raises:
            RequestError: it is too large, also when it is unpacked (413), too slow (408), packed in another way than by
                gzip or deflate (415), or not what its headers say (400).
        """
        if (request.content_length or 0) > self._max_bytes:
            raise self._too_large()
        encoding = request.headers.get("Content-Encoding", "")
        async with AsyncExitStack() as place:
            body = await self._read_until(request, bytearray(), min(LARGE_BYTES, self._max_bytes))
            if not request.content.at_eof():
                await place.enter_async_context(self._large_bodies)
                body = await self._read_until(request, body, self._max_bytes)
            elif encoding and len(unpacked(body, encoding, LARGE_BYTES)) > LARGE_BYTES:
                await place.enter_async_context(self._large_bodies)
            yield await self._unpack(bytes(body), encoding)

    async def _unpack(self, body: bytes, encoding: str) -> bytes:
        if encoding and len(body) <= self._max_bytes:
            body = await asyncio.to_thread(unpacked, body, encoding, self._max_bytes)
        if len(body) > self._max_bytes:
            raise self._too_large()
        return body

    async def _read_until(self, request: web.Request, body: bytearray, size: int) -> bytearray:
        """Read on until the body's end, or until there are more than `size` bytes."""
        try:
            async with asyncio.timeout(self._seconds):
                while len(body) <= size and not request.content.at_eof():
                    body += await request.content.readany()
        except TimeoutError:
            raise RequestError(
                408, f"The body did not come within {self._seconds:g} s; send it again."
            ) from None
        except MALFORMED_BODY_ERRORS:
            raise RequestError(400, "The body is not what its header Transfer-Encoding says.") from None
        return body

    def _too_large(self) -> RequestError:
        limit = self._max_bytes / 1024 / 1024
        return RequestError(413, f"The body is larger than {limit:.3g} MB; send it in smaller parts.")
