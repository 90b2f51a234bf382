"""Traces that applications send."""

from collections.abc import Callable

from bot.ingest.http import TraceEndpoint
from bot.judging.trace_sampler import TraceSampler
from bot.resources import Resources


def build(resources: Resources, sampler: TraceSampler, wake_judging: Callable[[], None]) -> TraceEndpoint:
    """Build what takes traces over HTTP."""
    settings, database, memories = resources.settings, resources.database, resources.memories
    return TraceEndpoint(
        settings, database, memories, resources.judge_names, resources.redactor, sampler, wake_judging
    )
