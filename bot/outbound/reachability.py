"""A look whether a receiver can be reached: a connection is opened and closed, and nothing is sent."""

import asyncio
from urllib.parse import urlsplit

from bot.outbound.errors import ReceiverUnavailableError

CONNECT_SECONDS = 10.0
_PORTS = {"http": 80, "https": 443}


async def connect(url: str) -> str:
    """Open a connection, with TLS where the address has it, and close it; returns host and port.

    Raises `ReceiverUnavailableError` with the reason.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    place = f"{host} port {port}"
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=parts.scheme == "https" or None)
            writer.close()
            await writer.wait_closed()
    except TimeoutError:
        raise ReceiverUnavailableError(f"{place} does not answer in time; check the network") from None
    except OSError as error:  # errors of TLS are among them
        raise ReceiverUnavailableError(f"{place} cannot be reached ({_reason(error)})") from error
    return place


def _reason(error: OSError) -> str:
    return error.strerror or getattr(error, "reason", None) or type(error).__name__
