"""Metrics for Prometheus."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge

from bot.records import Status

REFUSAL_REASONS = ("unsigned", "wrong secret", "wrong clock", "payload")
"""Reasons that are told, also while their number is 0."""


def registry_of(
    status: Status, trace_counts: Mapping[str, int], refusals: Mapping[str, int]
) -> CollectorRegistry:
    """Return the metrics of the bot's status.

    Args:
        status: the status now.
        trace_counts: traces received since the start, by outcome.
        refusals: Slack's requests refused since the start, by reason.
    """
    registry = CollectorRegistry()
    traces = Gauge("memalign_traces", "Traces received since the start", ["result"], registry=registry)
    for result, number in trace_counts.items():
        traces.labels(result).set(number)
    refused = Gauge(
        "memalign_slack_requests_refused",
        "Requests in Slack's name refused since the start",
        ["reason"],
        registry=registry,
    )
    for reason in REFUSAL_REASONS:
        refused.labels(reason).set(refusals.get(reason, 0))
    waiting = Gauge("memalign_waiting", "Work that waits", ["what"], registry=registry)
    waiting.labels("traces").set(status.traces_waiting)
    waiting.labels("feedback").set(status.feedback_waiting)
    waiting.labels("posts").set(status.posts_waiting)
    Gauge("memalign_connected", "1 while connected to Slack", registry=registry).set(status.connected)
    cases = Gauge("memalign_cases", "Episodes remembered", ["judge"], registry=registry)
    guidelines = Gauge("memalign_guidelines", "Guidelines learned", ["judge"], registry=registry)
    no_rules = Gauge(
        "memalign_rules_refused",
        "Sentences that fix the verdict or instruct the model, refused as guidelines since the start",
        ["judge"],
        registry=registry,
    )
    given_up = Gauge(
        "memalign_traces_refused",
        "Traces that the judge's model refused for good",
        ["judge"],
        registry=registry,
    )
    unread = Gauge(
        "memalign_reasons_refused",
        "Traces whose reasons the reflection model refused for good",
        ["judge"],
        registry=registry,
    )
    for judge in status.judges:
        given_up.labels(judge.name).set(judge.refused_traces)
        unread.labels(judge.name).set(judge.declined_traces)
        no_rules.labels(judge.name).set(judge.refused_rules)
        cases.labels(judge.name).set(judge.cases)
        guidelines.labels(judge.name).set(judge.guidelines)
    return registry
