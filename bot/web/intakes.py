"""The parts that take traces in; neither this package nor `bot.ingest` imports the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web


class TraceIntake(Protocol):
    """Takes the traces of `POST /traces`."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Traces received since the start, by outcome."""
        ...

    async def post(self, body: bytes, content_type: str) -> web.StreamResponse:
        """Store the traces of a body."""
        ...


class SpanIntake(Protocol):
    """Takes the spans of `POST /v1/traces`."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Spans received since the start, by outcome."""
        ...

    async def post(self, body: bytes, content_type: str) -> web.StreamResponse:
        """Store the spans of a body."""
        ...

    def refuse(self, content_type: str, status: int, sentence: str) -> web.StreamResponse:
        """Return a refusal in the form of the request, with a time to send it again where that may help."""
        ...


class SpanAssembly(Protocol):
    """Makes traces of spans."""

    @property
    def without_content(self) -> int:
        """Traces without question and answer, since the start."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Intakes:
    """All of them."""

    traces: TraceIntake
    spans: SpanIntake
    assembly: SpanAssembly
