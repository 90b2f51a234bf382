"""Access control of the HTTP server: the token, or this machine alone."""

import hmac
from urllib.parse import urlsplit

from aiohttp import web

from bot.web.request_error import RequestError
from memalign.models.address import is_loopback


def has_bearer_token(request: web.Request, token: str) -> bool:
    """Return whether a request carries the token in its `Authorization` header."""
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    sent_bytes = sent.strip().encode("utf-8", "surrogateescape")
    return scheme.lower() == "bearer" and hmac.compare_digest(sent_bytes, token.encode())


def require_access(request: web.Request, token: str) -> None:
    """Ask for the token; without one, for a request of this machine that no web page sent.

    A page of another site reaches this server through a name of its own that resolves to it ("DNS rebinding"); such
    a request has that name in its `Host` header.

    Raises:
        RequestError: the token is missing or wrong (401), or a web page may have sent the request (403, 421).
    """
    if token:
        if not has_bearer_token(request, token):
            raise RequestError(401, "Send the header Authorization: Bearer with MEMALIGN_INGEST_TOKEN.")
        return
    if "Origin" in request.headers:
        raise RequestError(403, "Web pages may not do this while no MEMALIGN_INGEST_TOKEN is set.")
    if not _is_for_this_machine(request):
        raise RequestError(
            421, "Call this server localhost or 127.0.0.1, or set MEMALIGN_INGEST_TOKEN and send it."
        )


def _is_for_this_machine(request: web.Request) -> bool:
    host = request.headers.get("Host")
    if host is None:  # no browser leaves it out
        return True
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return is_loopback(name or "")
