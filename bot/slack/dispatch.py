"""The way of Slack's payloads, from HTTP or Socket Mode, to the listeners."""

import logging
import time
from collections import Counter
from functools import partial

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.runtime.log_throttle import LogThrottle
from bot.runtime.metrics import Metrics, PayloadKind
from bot.runtime.reference_clock import ReferenceClock
from bot.slack.deliveries import Deliveries, delivery_key
from bot.slack.payload import MalformedPayloadError, check_payload
from memalign.records import Json
from storage.deliveries import DeliveryLog

log = logging.getLogger(__name__)

Headers = dict[str, str]
TIMESTAMP_HEADER = "X-Slack-Request-Timestamp"
BOLT_READING_ERRORS = (TypeError, AttributeError, KeyError, ValueError, IndexError, RecursionError)
"""Raised by Bolt where ids are not where it looks for them."""


class SlackDispatcher:
    """Checks payloads, and hands each to the Bolt app once."""

    def __init__(self, app: AsyncApp, log: DeliveryLog, metrics: Metrics, clock: ReferenceClock) -> None:
        """Note in `log` what is done once; events are not, for they have times by which a repeated one is known.

        `clock` is Slack's.
        """
        self._app = app
        self._metrics = metrics
        self._clock = clock
        self._deliveries = Deliveries(log)
        self._throttle = LogThrottle()
        self.refusals: Counter[str] = Counter()
        """Refused requests by reason, since the start."""

    async def dispatch(self, payload: Json, headers: Headers) -> BoltResponse:
        """Return the response to a payload: 400 for a malformed one."""
        start = time.perf_counter()
        try:
            request = _bolt_request(check_payload(payload), headers)
        except MalformedPayloadError as error:
            return self.refuse(400, "payload", str(error))
        kind = _kind(request.body)
        if kind == "event" and (event_ms := _event_ms(request.body)):
            self._metrics.observe_event_lag((self._clock.now_ms() - event_ms) / 1000)
        try:
            return await self._dispatch_once(request, headers)
        finally:
            self._metrics.observe_ack(kind, time.perf_counter() - start)

    async def _dispatch_once(self, request: AsyncBoltRequest, headers: Headers) -> BoltResponse:
        key = delivery_key(request.body)
        if "command" in request.body:
            # a command typed again is another one, a request sent again has the same time
            key += headers.get(TIMESTAMP_HEADER, "").encode("utf-8", "surrogateescape")
        work = partial(self._dispatch, request)
        if _kind(request.body) == "event":
            return await self._deliveries.once(key, work)
        return await self._deliveries.once_for_good(key, work)

    async def _dispatch(self, request: AsyncBoltRequest) -> BoltResponse:
        try:
            response: BoltResponse = await self._app.async_dispatch(request)
        except BOLT_READING_ERRORS as error:  # of Bolt itself: what listeners raise has become a response
            return self.refuse(400, "payload", f"The payload is malformed ({type(error).__name__}).")
        if response.status == 400:
            self.refusals["payload"] += 1
        return response

    def refuse(self, status: int, reason: str, sentence: str) -> BoltResponse:
        """Count and log a request that is refused; return the response."""
        self.refusals[reason] += 1
        left_out = self._throttle.admit(reason)
        if left_out is not None:
            log.warning(
                "a request of Slack's was refused with %d, %d more before: %s", status, left_out, sentence
            )
        return BoltResponse(status=status, body={"error": sentence})


def _kind(body: dict[str, Json]) -> PayloadKind:
    if body.get("type") == "event_callback":
        return "event"
    return "command" if "command" in body else "interaction"


def _event_ms(body: dict[str, Json]) -> int:
    """Return when an event was, in milliseconds since 1970; 0 where Slack does not say."""
    event = body.get("event") or {}
    try:
        return int(float(event.get("event_ts") or body.get("event_time") or 0) * 1000)
    except (TypeError, ValueError, OverflowError):
        return 0


def _bolt_request(payload: dict[str, Json], headers: Headers) -> AsyncBoltRequest:
    """Return Bolt's request of a payload that is parsed already, which Bolt calls Socket Mode in either mode."""
    try:
        return AsyncBoltRequest(mode="socket_mode", body=payload, headers=dict(headers))
    except BOLT_READING_ERRORS as error:
        raise MalformedPayloadError(f"The payload is malformed ({type(error).__name__}).") from error
