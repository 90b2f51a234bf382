"""Metrics for Prometheus."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge

from bot.records import Status


def registry_of(status: Status, trace_counts: Mapping[str, int]) -> CollectorRegistry:
    """Return the metrics of the bot's status."""
    registry = CollectorRegistry()
    traces = Gauge("memalign_traces", "Traces received since the start", ["result"], registry=registry)
    for result, number in trace_counts.items():
        traces.labels(result).set(number)
    waiting = Gauge("memalign_waiting", "Work that waits", ["what"], registry=registry)
    waiting.labels("traces").set(status.traces_waiting)
    waiting.labels("feedback").set(status.feedback_waiting)
    waiting.labels("posts").set(status.posts_waiting)
    Gauge("memalign_connected", "1 while connected to Slack", registry=registry).set(status.connected)
    cases = Gauge("memalign_cases", "Episodes remembered", ["judge"], registry=registry)
    guidelines = Gauge("memalign_guidelines", "Guidelines learned", ["judge"], registry=registry)
    for judge in status.judges:
        cases.labels(judge.name).set(judge.cases)
        guidelines.labels(judge.name).set(judge.guidelines)
    return registry
