"""Traces that applications send, whole or in spans."""

from dataclasses import dataclass

from bot.ingest.http import TraceEndpoint
from bot.ingest.missing_content import MissingContent
from bot.ingest.otlp_http import SpanEndpoint
from bot.ingest.span_preparation import SpanPreparation
from bot.ingest.span_worker import SpanWorker
from bot.judging.trace_admission import TraceAdmission
from bot.resources import Resources
from bot.runtime.supervisor import Background


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """The parts that take traces in."""

    traces: TraceEndpoint
    spans: SpanEndpoint
    span_worker: SpanWorker
    background: Background


def build(resources: Resources, admission: TraceAdmission) -> Ingest:
    """Build what takes traces over HTTP."""
    settings, database = resources.settings, resources.database
    preparation = SpanPreparation(settings, resources.redactor)
    missing_content = MissingContent(database, resources.health)
    worker = SpanWorker(database, admission, preparation, missing_content)
    return Ingest(
        traces=TraceEndpoint(admission),
        spans=SpanEndpoint(settings, database, preparation, worker.wake),
        span_worker=worker,
        background={"assembling traces": worker.run},
    )
