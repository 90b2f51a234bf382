"""Getting events and interactions to the app: once at least, again when nobody acknowledged."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from bot.sandbox.workspace.errors import TimedOut
from bot.sandbox.workspace.records import Payload

EnvelopeType: TypeAlias = Literal["events_api", "slash_commands", "interactive"]


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One thing for the app and how far it got; the deliveries are the record tests read.

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
    """One attempt; `retry_attempt` counts from 0, `retry_reason` says what became of the attempt before."""

    id: str
    type: EnvelopeType
    payload: Payload
    retry_attempt: int
    retry_reason: str | None


class Undelivered(Exception):  # noqa: N818 - an everyday outcome
    """An attempt was not acknowledged; `final`: the app asked not to be tried again."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class Transport(Protocol):
    """A way to the app: Socket Mode, or signed HTTP."""

    async def carry(self, envelope: Envelope) -> Payload:
        """Deliver an envelope and return what the acknowledgement carried; raises Undelivered."""
        ...


class Dispatcher:
    """Delivers through a carrier. `retries`: seconds to wait before each further attempt of an event."""

    def __init__(self, carrier: Transport, retries: Sequence[float]) -> None:
        self.deliveries: list[Delivery] = []
        self._carrier = carrier
        self._retries = tuple(retries)
        self._tasks: set[asyncio.Task[None]] = set()
        self._acks_to_drop = 0
        self._envelopes = 0

    def send_event(self, payload: Payload) -> Delivery:
        """Deliver an event in the background, again and again while it is not acknowledged."""
        delivery = Delivery(type="events_api", payload=payload, event_id=payload["event_id"])
        self.deliveries.append(delivery)
        self._start(self._insist(delivery))
        return delivery

    async def send(self, kind: EnvelopeType, payload: Payload, what: str) -> Payload:
        """Deliver a command or an interaction, once; returns its response, raises TimedOut naming `what`."""
        delivery = Delivery(type=kind, payload=payload)
        self.deliveries.append(delivery)
        try:
            return await self._attempt(delivery, None)
        except Undelivered as undelivered:
            delivery.failure = undelivered.reason
            raise TimedOut(what) from undelivered

    def redeliver_last(self) -> None:
        """Deliver the last event once more, as Slack does when an acknowledgement got lost on its way."""
        events = [delivery for delivery in self.deliveries if delivery.type == "events_api"]
        if not events:
            raise LookupError("no event was delivered yet, there is nothing to deliver again")
        self._start(self._repeat(events[-1]))

    def drop_acks(self, count: int) -> None:
        """Lose the next `count` acknowledgements."""
        self._acks_to_drop += count

    async def settled(self, timeout: float) -> None:
        """Wait until no event is under way; raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while self._tasks:
                await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """Give up whatever is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _insist(self, delivery: Delivery) -> None:
        reason: str | None = None
        for wait in (None, *self._retries):
            if wait is not None:
                await asyncio.sleep(wait)
            try:
                await self._attempt(delivery, reason)
            except Undelivered as undelivered:
                reason = undelivered.reason
                if undelivered.final:
                    break
            else:
                return
        delivery.failure = reason

    async def _repeat(self, delivery: Delivery) -> None:
        try:
            await self._attempt(delivery, "timeout")
        except Undelivered as undelivered:
            delivery.failure = undelivered.reason

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
        response = await self._carrier.carry(envelope)
        if self._acks_to_drop:
            self._acks_to_drop -= 1
            raise Undelivered("timeout")
        delivery.acked = True
        delivery.response = response
        return response
