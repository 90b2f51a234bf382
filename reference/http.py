"""Calls of the bot's HTTP server."""

from collections.abc import Mapping

from bot.web.server import ENDPOINTS
from reference.refusals import request_refusals
from reference.tables import code, table

LOCAL_CALLS: Mapping[str, str] = {
    "GET /": "names the calls above",
    "POST /forget": "is sent by `memalign forget`",
    "POST /guideline": "is sent by `memalign guideline`",
    "POST /memory": "is sent by `memalign memory rollback`",
}
"""Calls that people do not need to make."""


def public_calls() -> str:
    """Return a table of the calls of applications and people."""
    return table(("call", "what it does"), [(code(call), text) for call, text in ENDPOINTS.items()])


def local_calls() -> str:
    """Return a table of the other calls."""
    return table(("call", "what it does"), [(code(call), text) for call, text in LOCAL_CALLS.items()])


def refusals() -> str:
    """Return a table of the sentences with which a request is refused."""
    return table(("status", "sentence"), [(str(status), text) for status, text in request_refusals()])
