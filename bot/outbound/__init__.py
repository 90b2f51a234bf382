"""Events out to others: signed webhooks, and verdicts as evaluation results of OpenTelemetry's."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.outbound.evaluation_results import EvaluationResults
from bot.outbound.kinds import open_collector, open_webhooks
from bot.outbound.payloads import EventPayloads
from bot.outbound.receiver import EventReceiver
from bot.outbound.worker import DeliveryWorker
from bot.plain_text import pluralise
from bot.records import ReceiverFigures
from bot.resources import Resources
from bot.runtime.supervisor import Background
from storage.database import Database

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundFlow:
    """The receivers of events, built."""

    database: Database
    receivers: tuple[EventReceiver, ...]
    workers: tuple[DeliveryWorker, ...]
    background: Background

    async def subscribe(self) -> None:
        """Have these receivers told of all changes from now on, and no others. Raises `StorageError`."""
        subscriptions = [each.subscription for each in self.receivers]
        if former := await self.database.outbound_events.subscribe(subscriptions):
            left = pluralise(len(former), "receiver of events", "receivers of events")
            log.warning("%s left the settings; what waited to be told there is dropped", left)

    async def figures(self) -> Sequence[ReceiverFigures]:
        """Return how many events each receiver was told. Raises `StorageError`."""
        return [await worker.figures() for worker in self.workers]


def build(resources: Resources) -> OutboundFlow:
    """Build a worker for each receiver of the settings. Raises `SettingsError` where a secret is not set."""
    receivers = tuple(_receivers(resources))
    workers = {each.name: DeliveryWorker(each, resources.database, resources.health) for each in receivers}
    return OutboundFlow(
        database=resources.database,
        receivers=receivers,
        workers=tuple(workers.values()),
        background={name: worker.run for name, worker in workers.items()},
    )


def _receivers(resources: Resources) -> Iterator[EventReceiver]:
    settings, database, redactor = resources.settings, resources.database, resources.redactor
    policies = {judge.name: settings.policy_of(judge) for judge in settings.judges}
    payloads = EventPayloads(database, resources.memories, policies, redactor)
    yield from open_webhooks(settings.webhooks, payloads)
    if settings.otlp.endpoint:
        yield open_collector(settings.otlp, EvaluationResults(database, policies, redactor))
