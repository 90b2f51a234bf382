"""The worker tells a receiver in order, again after each failure, and gives up in the end: on fakes."""

from collections import deque

import pytest

from bot.outbound.errors import (
    EventRefusedError,
    EventRejectedError,
    ReceiverGoneError,
    ReceiverUnavailableError,
)
from bot.outbound.worker import COMPONENT, MAX_REFUSALS, DeliveryWorker
from bot.runtime.clock import DAY_MS, now_ms
from bot.runtime.health import HealthRegistry
from storage.database import Database
from storage.records import EventSubscription, OutboundEvent
from tests.storage.records import judged

NAME = "webhook hooks.example.com"


class FakeReceiver:
    """Takes events, or does with each what the next outcome says; remembers them."""

    def __init__(self, *outcomes: Exception | bool) -> None:
        self.name = NAME
        self.subscription = EventSubscription(receiver="hook", types=("verdict.created",))
        self.outcomes = deque(outcomes)
        self.asked: list[OutboundEvent] = []
        self.closed = 0

    @property
    def traces(self) -> list[str]:
        """The traces that it was told of, each attempt."""
        return [event.change.trace_id for event in self.asked]

    async def deliver(self, event: OutboundEvent) -> bool:
        self.asked.append(event)
        outcome = self.outcomes.popleft() if self.outcomes else True
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def close(self) -> None:
        self.closed += 1


async def ready(
    db: Database, receiver: FakeReceiver, verdicts: int = 3
) -> tuple[DeliveryWorker, HealthRegistry]:
    """Return a worker for whose receiver some verdicts wait."""
    await db.outbound_events.subscribe([receiver.subscription])
    for number in range(1, verdicts + 1):
        await judged(db, f"tr-{number}", judged_ms=now_ms())
    health = HealthRegistry()
    return DeliveryWorker(receiver, db, health), health


async def results(worker: DeliveryWorker) -> tuple[int, dict[str, int]]:
    figures = await worker.figures()
    return figures.waiting, {name: number for name, number in figures.results.items() if number}


async def test_all_that_waits_is_told_in_order_and_once(db: Database) -> None:
    receiver = FakeReceiver()
    worker, health = await ready(db, receiver)
    await worker.deliver_due()
    await worker.deliver_due()
    assert receiver.traces == ["tr-1", "tr-2", "tr-3"]
    assert await results(worker) == (0, {"delivered": 3})
    assert health.reason(COMPONENT, NAME) is None


async def test_a_receiver_that_is_down_is_left_alone_and_told_the_same_event_later(db: Database) -> None:
    receiver = FakeReceiver(ReceiverUnavailableError("it cannot be reached; check the network"))
    worker, health = await ready(db, receiver)
    await worker.deliver_due()
    await worker.deliver_due()
    assert receiver.traces == ["tr-1"]
    assert await results(worker) == (3, {"failed": 1})
    reason = "it cannot be reached; check the network; 3 events waiting"
    assert health.reason(COMPONENT, NAME) == reason
    # the next start tries at once
    again = DeliveryWorker(receiver, db, health)
    await again.deliver_due()
    assert receiver.traces == ["tr-1", "tr-1", "tr-2", "tr-3"]
    assert receiver.asked[0].event_id == receiver.asked[1].event_id
    assert health.reason(COMPONENT, NAME) is None


async def test_a_refused_event_keeps_no_other_waiting_and_is_told(db: Database) -> None:
    receiver = FakeReceiver(EventRefusedError("it refuses an event (422)"))
    worker, health = await ready(db, receiver)
    await worker.deliver_due()
    assert receiver.traces == ["tr-1", "tr-2", "tr-3"]
    assert await results(worker) == (1, {"delivered": 2, "failed": 1})
    reason = "it refuses an event (422); that event is tried again later; 1 event waiting"
    assert health.reason(COMPONENT, NAME) == reason


async def test_an_event_that_is_refused_again_and_again_is_given_up(db: Database) -> None:
    receiver = FakeReceiver(*(EventRefusedError("it refuses an event (422)") for _ in range(MAX_REFUSALS)))
    worker, health = await ready(db, receiver, verdicts=1)
    for _ in range(MAX_REFUSALS):
        for event in await db.outbound_events.due("hook", now_ms() + 90 * 60_000, 1):
            await db.outbound_events.postpone(event, 0, event.reason or "")  # its time has come
        await worker.deliver_due()
    waiting, counts = await results(worker)
    assert (waiting, counts["given_up"]) == (0, 1)
    assert len(receiver.asked) <= MAX_REFUSALS
    assert health.reason(COMPONENT, NAME) == "1 event given up since the start"


async def test_forgetting_is_asked_for_again_however_often_it_is_refused(db: Database) -> None:
    receiver = FakeReceiver(EventRefusedError("it refuses an event (422)"))
    receiver.subscription = EventSubscription(receiver="hook", types=("trace.forgotten",))
    worker, _ = await ready(db, receiver, verdicts=1)
    await db.forgetting.delete_traces(["tr-1"])
    [event] = await db.outbound_events.due("hook", now_ms(), 1)
    for _ in range(MAX_REFUSALS + 1):
        await db.outbound_events.postpone(event, 0, "it refuses an event (422)")
    await worker.deliver_due()
    assert await results(worker) == (1, {"failed": 1})


async def test_an_event_that_a_protocol_bars_from_another_try_is_given_up_at_once(db: Database) -> None:
    receiver = FakeReceiver(EventRejectedError("it cannot read an event (400)"))
    worker, _ = await ready(db, receiver)
    await worker.deliver_due()
    assert receiver.traces == ["tr-1", "tr-2", "tr-3"]
    assert await results(worker) == (0, {"delivered": 2, "failed": 1, "given_up": 1})


async def test_a_bug_at_one_event_stops_no_other(db: Database) -> None:
    receiver = FakeReceiver(KeyError("bug"))
    worker, health = await ready(db, receiver)
    await worker.deliver_due()
    assert receiver.traces == ["tr-1", "tr-2", "tr-3"]
    assert (await results(worker))[0] == 1
    assert "an unexpected error" in (health.reason(COMPONENT, NAME) or "")


async def test_a_receiver_that_is_gone_is_told_nothing_until_the_next_start(db: Database) -> None:
    receiver = FakeReceiver(ReceiverGoneError("it says that it is gone (410)"))
    worker, health = await ready(db, receiver)
    await worker.deliver_due()
    await worker.deliver_due()
    assert receiver.traces == ["tr-1"]
    assert health.reason(COMPONENT, NAME) == "it says that it is gone (410); 3 events waiting"
    await DeliveryWorker(receiver, db, health).deliver_due()
    assert receiver.traces == ["tr-1", "tr-1", "tr-2", "tr-3"]


async def test_what_says_nothing_any_more_goes_untold(db: Database) -> None:
    worker, _ = await ready(db, FakeReceiver(False))
    await worker.deliver_due()
    assert await results(worker) == (0, {"delivered": 2})


@pytest.mark.parametrize(("days", "given_up"), [(2, 0), (4, 3)])
async def test_after_days_without_one_success_old_events_are_given_up(
    db: Database, days: int, given_up: int
) -> None:
    receiver = FakeReceiver(ReceiverUnavailableError("it fails (502)"))
    await db.outbound_events.subscribe([receiver.subscription])
    for number in range(3):
        await judged(db, f"tr-{number}", judged_ms=now_ms() - days * DAY_MS)
    await db.outbound_events.note_failure("hook", now_ms() - days * DAY_MS, DAY_MS)
    health = HealthRegistry()
    worker = DeliveryWorker(receiver, db, health)
    await worker.deliver_due()
    waiting, counts = await results(worker)
    assert (waiting, counts.get("given_up", 0)) == (3 - given_up, given_up)
    told = health.reason(COMPONENT, NAME) or ""
    assert ("3 events given up since the start" in told) == bool(given_up)
