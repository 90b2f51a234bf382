"""Telling one receiver: in order, again until it has taken each event, and without waiting for other receivers."""

import asyncio
import logging
from collections import Counter

from bot.outbound.errors import (
    EventRefusedError,
    EventRejectedError,
    ReceiverGoneError,
    ReceiverUnavailableError,
)
from bot.outbound.receiver import EventReceiver
from bot.plain_text import pluralise
from bot.records import ReceiverFigures
from bot.runtime.circuit_breaker import CircuitBreaker, asked_pause_ms
from bot.runtime.clock import DAY_MS, backoff_ms, now_ms
from bot.runtime.health import HealthRegistry, unexpected
from memalign.errors import StorageError
from storage.database import Database
from storage.records import OutboundEvent

log = logging.getLogger(__name__)

COMPONENT = "outbound events"
POLL_SECONDS = 1.0
"""Pause between two looks for events."""
EVENTS_PER_PASS = 50
LONGEST_PAUSE_MS = 300_000
"""Between two tries of a receiver that takes nothing, unless it asks for a longer one."""
LONGEST_REFUSAL_PAUSE_MS = 3_600_000
"""Between two tries of an event that is refused."""
GIVE_UP_DAYS = 3
"""Events are given up once their receiver has taken nothing, and they have waited, for so long."""
MAX_REFUSALS = 100
"""An event that is refused so often, in about three days, is given up."""


class DeliveryWorker:
    """Tells one receiver of what waits for it."""

    def __init__(self, receiver: EventReceiver, database: Database, health: HealthRegistry) -> None:
        self._receiver = receiver
        self._key = receiver.subscription.receiver
        self._events = database.outbound_events
        self._health = health
        self._breaker = CircuitBreaker(LONGEST_PAUSE_MS)
        self._is_gone = False
        self._counts = Counter[str]()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            await self._report(None)
            while True:
                await self.deliver_due()
                await asyncio.sleep(POLL_SECONDS)
        finally:
            await self._receiver.close()

    async def figures(self) -> ReceiverFigures:
        """Return how many events were told since the start, and how many wait. Raises `StorageError`."""
        backlog = await self._events.backlog(self._key)
        return ReceiverFigures(
            name=self._receiver.name,
            waiting=backlog.waiting,
            results={name: self._counts[name] for name in ("delivered", "failed", "given_up")},
        )

    async def deliver_due(self) -> None:
        """Tell what is due, unless the receiver is known to take nothing. Raises `StorageError`."""
        if self._is_gone or self._breaker.is_open(self._key):
            return
        events = await self._events.due(self._key, now_ms(), EVENTS_PER_PASS)
        for event in events:
            if not await self._deliver(event):
                return
        if events:
            await self._report(None)

    async def _deliver(self, event: OutboundEvent) -> bool:
        """Tell one event; False where those behind it have to wait."""
        try:
            is_told = await self._receiver.deliver(event)
        except StorageError:
            raise
        except ReceiverUnavailableError as error:
            await self._wait(str(error), asked_pause_ms(error.retry_after))
            return False
        except ReceiverGoneError as error:
            self._is_gone = True
            self._counts["failed"] += 1
            await self._report(str(error))
            return False
        except EventRejectedError as error:
            await self._give_up(event, str(error))
        except EventRefusedError as error:
            await self._postpone(event, str(error))
        except Exception:  # a bug at one event must not stop the others
            await self._postpone(event, unexpected(self._receiver.name))
        else:
            await self._note(event, is_told)
        return True

    async def _note(self, event: OutboundEvent, is_told: bool) -> None:
        if not is_told:
            await self._events.drop(event)
            return
        self._breaker.record_success(self._key)
        self._counts["delivered"] += 1
        await self._events.delivered(event)

    async def _wait(self, reason: str, asked_ms: int) -> None:
        self._counts["failed"] += 1
        self._breaker.record_failure(self._key, asked_ms)
        given_up = await self._events.note_failure(self._key, now_ms(), GIVE_UP_DAYS * DAY_MS)
        if given_up:
            self._counts["given_up"] += given_up
            log.warning(
                "%s has taken nothing for %d days: %s given up",
                self._receiver.name,
                GIVE_UP_DAYS,
                pluralise(given_up, "event"),
            )
        await self._report(reason)

    async def _postpone(self, event: OutboundEvent, reason: str) -> None:
        if event.attempts + 1 >= MAX_REFUSALS and not event.tells_of_forgetting:
            await self._give_up(event, reason)
            return
        self._counts["failed"] += 1
        pause_ms = backoff_ms(event.attempts, LONGEST_REFUSAL_PAUSE_MS)
        await self._events.postpone(event, now_ms() + pause_ms, reason)

    async def _give_up(self, event: OutboundEvent, reason: str) -> None:
        self._counts["failed"] += 1
        self._counts["given_up"] += 1
        log.warning("%s: %s; %s is given up", self._receiver.name, reason, event.event_id)
        await self._events.drop(event)

    async def _report(self, reason: str | None) -> None:
        """Tell in the status why events wait, and how many were given up; nothing where there are none."""
        backlog = await self._events.backlog(self._key)
        refusal = f"{backlog.reason}; that event is tried again later" if backlog.refused else None
        why = reason or refusal
        waiting = f"{pluralise(backlog.waiting, 'event')} waiting" if why and backlog.waiting else None
        number = self._counts["given_up"]
        given_up = f"{pluralise(number, 'event')} given up since the start" if number else None
        told = "; ".join(filter(None, (why, waiting, given_up)))
        self._health.report(COMPONENT, self._receiver.name, told or None)
        if reason:
            log.warning("%s: %s", self._receiver.name, told)
