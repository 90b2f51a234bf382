"""Delivery of events and interactions to the app: at least once, with retries of unacknowledged events."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from bot.sandbox.workspace.errors import AckTimeoutError
from bot.sandbox.workspace.records import Payload

EnvelopeType: TypeAlias = Literal["events_api", "slash_commands", "interactive"]


@dataclass(slots=True, kw_only=True)
class Delivery:
    """The progress of one event, command or interaction; tests read these records.

    `envelope_id` is that of the last attempt. `response` is what came with the acknowledgement. `failure`
    is set once the delivery was given up.
    """

    type: EnvelopeType
    payload: Payload
    event_id: str | None = None
    envelope_id: str = ""
    attempts: int = 0
    acked: bool = False
    response: Payload | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One attempt; `retry_attempt` counts from 0, `retry_reason` is why the attempt before failed."""

    id: str
    type: EnvelopeType
    payload: Payload
    retry_attempt: int
    retry_reason: str | None


class DeliveryError(Exception):
    """An attempt was not acknowledged; `final`: the app asked not to be tried again."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class Transport(Protocol):
    """A way to the app: Socket Mode, or signed HTTP."""

    async def send(self, envelope: Envelope) -> Payload:
        """Send an envelope and return what the acknowledgement carried; raises DeliveryError."""
        ...


class Dispatcher:
    """Sends events and interactions through a transport and records each delivery.

    Args:
        transport: the way to the app.
        retries: seconds to wait before each further attempt of an event.

    """

    def __init__(self, transport: Transport, retries: Sequence[float]) -> None:
        self.deliveries: list[Delivery] = []
        self._transport = transport
        self._retries = tuple(retries)
        self._tasks: set[asyncio.Task[None]] = set()
        self._acks_to_drop = 0
        self._withholds_events = False
        self._envelopes = 0

    def withhold_events(self) -> None:
        """Send no event from now on, nor later."""
        self._withholds_events = True

    def send_event(self, payload: Payload) -> Delivery:
        """Send an event in the background, with retries while it is not acknowledged."""
        delivery = Delivery(type="events_api", payload=payload, event_id=payload["event_id"])
        self.deliveries.append(delivery)
        if self._withholds_events:
            delivery.failure = "withheld"
            return delivery
        self._start(self._attempt_with_retries(delivery, self._retries, None))
        return delivery

    async def send_once(self, kind: EnvelopeType, payload: Payload, subject: str) -> Payload:
        """Send a command or an interaction without retries.

        Args:
            kind: `slash_commands` or `interactive`.
            payload: its body.
            subject: what the person is told has failed.

        Returns:
            The response the acknowledgement carried.

        Raises:
            AckTimeoutError: when it was not acknowledged.

        """
        delivery = Delivery(type=kind, payload=payload)
        self.deliveries.append(delivery)
        try:
            return await self._attempt(delivery, None)
        except DeliveryError as error:
            delivery.failure = error.reason
            raise AckTimeoutError(subject) from error

    def redeliver(self, delivery: Delivery) -> None:
        """Send an event once more under the same event id, as Slack does when an acknowledgement got lost."""
        self._start(self._attempt_with_retries(delivery, (), "timeout"))

    def drop_acks(self, count: int) -> None:
        """Ignore `count` more of the acknowledgements to come."""
        self._acks_to_drop += count

    def stop_dropping_acks(self) -> None:
        """Take every acknowledgement from now on."""
        self._acks_to_drop = 0
        self._withholds_events = False

    async def settled(self, timeout: float) -> None:
        """Wait until no event is under way; raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while self._tasks:
                await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """Cancel whatever is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt_with_retries(
        self, delivery: Delivery, retries: Sequence[float], reason: str | None
    ) -> None:
        for wait in (0.0, *retries):
            if wait:
                await asyncio.sleep(wait)
            try:
                await self._attempt(delivery, reason)
            except DeliveryError as error:
                reason = error.reason
                if error.final:
                    break
            else:
                return
        delivery.failure = reason

    async def _attempt(self, delivery: Delivery, reason: str | None) -> Payload:
        self._envelopes += 1
        delivery.envelope_id = f"00000000-0000-4000-9000-{self._envelopes:012d}"
        envelope = Envelope(
            id=delivery.envelope_id,
            type=delivery.type,
            payload=delivery.payload,
            retry_attempt=delivery.attempts,
            retry_reason=reason,
        )
        delivery.attempts += 1
        response = await self._transport.send(envelope)
        if self._acks_to_drop:
            self._acks_to_drop -= 1
            raise DeliveryError("timeout")
        delivery.acked = True
        delivery.response = response
        return response
