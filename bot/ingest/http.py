"""Traces over HTTP, stored before they are answered with 202."""

import asyncio
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from aiohttp import web

from bot.ingest.trace_report import json_response, report_response
from bot.judging.trace_admission import TraceAdmission
from bot.trace_json.json_items import TooManyItemsError
from bot.trace_json.trace_body import read_body
from memalign.errors import InputError

THREAD_PARSE_BYTES = 20_000
"""Larger bodies are parsed and redacted in a thread, so that the event loop goes on."""
NDJSON_TYPES = ("application/x-ndjson", "application/jsonl", "application/ndjson")

P = ParamSpec("P")
T = TypeVar("T")


class TraceEndpoint:
    """`POST /traces`."""

    def __init__(self, admission: TraceAdmission) -> None:
        self._admission = admission

    @property
    def counts(self) -> Mapping[str, int]:
        """Traces by outcome, since the start."""
        return self._admission.counts

    async def post(self, body: bytes, content_type: str) -> web.Response:
        """Store what can be stored, and say what could not. Raises `StorageError`."""
        ndjson = content_type in NDJSON_TYPES
        try:
            items = await call_for_body(len(body), read_body, body, ndjson)
        except TooManyItemsError as error:
            return json_response(413, {"error": str(error)})
        except InputError as error:
            return json_response(400, {"error": str(error)})
        return report_response(await self._admission.admit(items, in_thread=len(body) > THREAD_PARSE_BYTES))


async def call_for_body(size: int, function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Call a function that works on a body of that many bytes, in a thread if it would hold up the event loop."""
    if size > THREAD_PARSE_BYTES:
        return await asyncio.to_thread(function, *args, **options)
    return function(*args, **options)
