"""HTTP by hand, for requests that no client sends."""

import asyncio
from urllib.parse import urlsplit


def port_of(url: str) -> int:
    return int(urlsplit(url).port or 0)


async def raw_request(url: str, request: bytes) -> bytes:
    """Send bytes to a server; return its whole answer, up to the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(url))
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.close()


async def status_of(url: str, request: bytes) -> int:
    """Send bytes that ask to close the connection; return the status of the answer."""
    return int((await raw_request(url, request)).split(b" ", 2)[1])
