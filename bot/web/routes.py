"""The requests that the server answers."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import generate_latest

from bot.records import ReceiverFigures, Status
from bot.reports.recent_agreement import RecentAgreementReader
from bot.reports.status import StatusReport
from bot.runtime.metrics import Metrics
from bot.web.access import has_bearer_token, require_access
from bot.web.intakes import Intakes
from bot.web.metrics import registry_of
from bot.web.request_body import BodyReader
from bot.web.request_error import RequestError
from memalign.errors import StorageError
from memalign.records import Json

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 30
"""Pause that a sender is asked for while the store cannot be written."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Handlers by route."""

    intakes: Intakes
    trace_bodies: BodyReader
    status: StatusReport
    agreements: RecentAgreementReader
    forget: Handler
    """Answers `POST /forget`, which `memalign forget` on this machine sends."""
    guideline: Handler
    """Answers `POST /guideline`, which `memalign guideline` on this machine sends."""
    memory: Handler
    """Answers `POST /memory`, which `memalign memory rollback` on this machine sends."""
    token: str
    """MEMALIGN_INGEST_TOKEN; empty: whoever reaches the server may send traces."""
    slack: Handler | None
    """Takes Slack's signed requests; None in Socket Mode."""
    refusals: Counter[str]
    """Slack's requests that were refused, by reason."""
    activity: Metrics
    """Counters and histograms since the start."""
    receivers: Callable[[], Awaitable[Sequence[ReceiverFigures]]]
    """Returns the events of each receiver outside."""

    async def take_traces(self, request: web.Request) -> web.StreamResponse:
        """`POST /traces`."""
        require_access(request, self.token)
        async with self.trace_bodies.read(request) as body:
            return await self.intakes.traces.post(body, request.content_type)

    async def take_spans(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/traces`: OTLP, answered in the form of the request, refusals included."""
        spans, kind = self.intakes.spans, request.content_type
        try:
            require_access(request, self.token)
            async with self.trace_bodies.read(request) as body:
                return await spans.post(body, kind)
        except RequestError as error:
            response = spans.refuse(kind, error.status, str(error))
            response.force_close()
            return response
        except StorageError as error:
            log.warning("%s %s: %s", request.method, request.path, error)
            return spans.refuse(kind, 503, str(error))

    async def healthz(self, _: web.Request) -> web.StreamResponse:
        """`GET /healthz`: alive."""
        return web.json_response({"status": "alive"})

    async def readyz(self, request: web.Request) -> web.StreamResponse:
        """`GET /readyz`: ready or not; and, for who may know, what waits and why."""
        document = await self._readiness()
        status = 200 if document["status"] == "ready" else 503
        if self.token and not has_bearer_token(request, self.token):
            return web.json_response({"status": document["status"]}, status=status)
        require_access(request, self.token)
        return web.json_response(document, status=status)

    async def _readiness(self) -> dict[str, Json]:
        if self.status.is_stopping:
            return {"status": "not ready", "why": ["the bot is being stopped"]}
        try:
            status = await self.status.read()
        except StorageError as error:
            return {"status": "not ready", "why": [str(error)]}
        if not status.ready:
            unconnected = () if status.connected else ("not connected to Slack",)
            return {"status": "not ready", "why": [*unconnected, *status.troubles]}
        return {
            "status": "ready",
            "waiting": _waiting(status),
            "why": list(status.troubles),
            "remarks": list(status.remarks),
        }

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        """`GET /metrics`: Prometheus text."""
        require_access(request, self.token)
        agreements = await self.agreements.read()
        intakes = self.intakes
        registry = registry_of(
            await self.status.read(),
            intakes.traces.counts,
            self.refusals,
            agreements,
            span_counts=intakes.spans.counts,
            traces_without_content=intakes.assembly.without_content,
            oldest_seconds=await self.status.oldest_seconds(),
            receivers=await self.receivers(),
        )
        return web.Response(
            body=generate_latest(self.activity.registry) + generate_latest(registry),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    async def slack_events(self, request: web.Request) -> web.StreamResponse:
        """`POST /slack/events`: Slack's events, commands and interactions, signed."""
        if self.slack is None:
            raise RequestError(404, "The bot is in Socket Mode; unset SLACK_APP_TOKEN for HTTP mode.")
        return await self.slack(request)


def _waiting(status: Status) -> dict[str, int]:
    return {
        "traces": status.traces_waiting,
        "feedback": status.feedback_waiting,
        "posts": status.posts_waiting,
    }
