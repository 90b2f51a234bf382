"""A look whether a receiver can be reached: a connection is opened and closed, and nothing is sent."""

import asyncio
import os
import socket
import ssl
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
        raise ReceiverUnavailableError(
            f"{place} cannot be reached ({_reason(error)}); check the network and the address"
        ) from error
    return place


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "it does not speak TLS as https needs it"
    if isinstance(error, socket.gaierror):
        return error.strerror or "its name is not known"
    if error.errno is None:  # one of several addresses for each of which there was another reason
        return "none of its addresses takes connections"
    return os.strerror(error.errno)  # asyncio's own words tell the address once more
