"""Traces that applications send."""

from bot.ingest.http import TraceEndpoint
from bot.judging.trace_admission import TraceAdmission


def build(admission: TraceAdmission) -> TraceEndpoint:
    """Build what takes traces over HTTP."""
    return TraceEndpoint(admission)
