"""Metrics for Prometheus."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from prometheus_client import CollectorRegistry, Counter, Gauge

from bot.records import JudgeStatus, ReceiverFigures, RecentAgreement, Status

REFUSAL_REASONS = ("unsigned", "wrong secret", "wrong clock", "payload")
"""Reasons that are told, also while their number is 0."""

NOTHING_COUNTED: Mapping[str, int] = MappingProxyType({})
NOTHING_WAITS: Mapping[str, float] = MappingProxyType({})
Numbers = Mapping[str, int] | Mapping[str, float]
AGREEMENT_GAUGES = {
    "memalign_agreement": "Share of verdicts that people agree with, weighed by the chance of a card",
    "memalign_agreement_low": "Lower bound of the 95 % interval of the agreement",
    "memalign_agreement_high": "Upper bound of the 95 % interval of the agreement",
}
"""Gauges of a judge's agreement with people, each with its description."""


def registry_of(
    status: Status,
    trace_counts: Mapping[str, int],
    refusals: Mapping[str, int],
    agreements: Sequence[RecentAgreement] = (),
    *,
    span_counts: Mapping[str, int] = NOTHING_COUNTED,
    traces_without_content: int = 0,
    oldest_seconds: Mapping[str, float] = NOTHING_WAITS,
    receivers: Sequence[ReceiverFigures] = (),
) -> CollectorRegistry:
    """Return the metrics of the bot's status.

    Args:
        status: the status now.
        trace_counts: traces received since the start, by outcome.
        refusals: Slack's requests refused since the start, by reason.
        agreements: agreement of each judge over each period; none by default.
        span_counts: spans received since the start, by outcome; none by default.
        traces_without_content: traces of spans without question and answer, since the start; 0 by default.
        oldest_seconds: age of the oldest piece of work, by what waits; nothing waits by default.
        receivers: events of each receiver outside; none by default.
    """
    waiting = {
        "traces": status.traces_waiting,
        "feedback": status.feedback_waiting,
        "posts": status.posts_waiting,
    }
    registry = CollectorRegistry()
    _add(registry, "memalign_traces", "Traces received since the start", "result", trace_counts)
    _add(registry, "memalign_spans", "Spans received since the start", "result", span_counts)
    Counter(
        "memalign_traces_without_content",
        "Traces of spans that held neither a question nor an answer, and are not judged",
        registry=registry,
    ).inc(traces_without_content)
    _add(
        registry,
        "memalign_slack_requests_refused",
        "Requests in Slack's name refused since the start",
        "reason",
        {reason: refusals.get(reason, 0) for reason in REFUSAL_REASONS},
    )
    _add(registry, "memalign_waiting", "Work that waits", "what", waiting)
    ages = {what: oldest_seconds.get(what, 0.0) for what in waiting}
    _add(registry, "memalign_waiting_oldest_seconds", "Age of the oldest work that waits", "what", ages)
    Gauge("memalign_trial_calls", "Model calls for trials of guidelines today", registry=registry).set(
        status.model_calls.get("trials", 0)
    )
    _add(
        registry,
        "memalign_model_calls",
        "Model calls today, beside judging what is shown and learning",
        "purpose",
        status.model_calls,
    )
    Gauge("memalign_connected", "1 while connected to Slack", registry=registry).set(status.connected)
    _add_judges(registry, status.judges)
    _add_agreements(registry, agreements)
    _add_receivers(registry, receivers)
    return registry


def _add_judges(registry: CollectorRegistry, judges: Sequence[JudgeStatus]) -> None:
    cases = {judge.name: judge.cases for judge in judges}
    guidelines = {judge.name: judge.guidelines for judge in judges}
    refused = {judge.name: judge.refused_rules for judge in judges}
    _add(registry, "memalign_cases", "Cases remembered", "judge", cases)
    _add(registry, "memalign_guidelines", "Guidelines learned", "judge", guidelines)
    _add(
        registry,
        "memalign_rules_refused",
        "Sentences that fix the verdict or instruct the model, refused as guidelines since the start",
        "judge",
        refused,
    )
    given_up = {judge.name: judge.refused_traces for judge in judges}
    unread = {judge.name: judge.declined_traces for judge in judges}
    traces = "Traces that the judge's model refused for good"
    reasons = "Traces whose reasons the reflection model refused for good"
    _add(registry, "memalign_traces_refused", traces, "judge", given_up)
    _add(registry, "memalign_reasons_refused", reasons, "judge", unread)


def _add_agreements(registry: CollectorRegistry, agreements: Sequence[RecentAgreement]) -> None:
    """Add the agreement of each judge over each period; where there is no verdict, no share either."""
    labels = ["judge", "weeks"]
    verdicts = Gauge(
        "memalign_agreement_verdicts",
        "Verdicts with a majority of people, of which the agreement is told",
        labels,
        registry=registry,
    )
    share, low, high = (
        Gauge(name, f"{description}, over so many weeks with the running one", labels, registry=registry)
        for name, description in AGREEMENT_GAUGES.items()
    )
    for each in agreements:
        verdicts.labels(each.judge, each.weeks).set(each.n)
        for gauge, value in ((share, each.agreement), (low, each.low), (high, each.high)):
            if value is not None:
                gauge.labels(each.judge, each.weeks).set(value)


def _add_receivers(registry: CollectorRegistry, receivers: Sequence[ReceiverFigures]) -> None:
    """Add the events of webhooks and collectors; nothing where there are none."""
    if not receivers:
        return
    waiting = {each.name: each.waiting for each in receivers}
    _add(registry, "memalign_events_waiting", "Events that a receiver is to be told", "receiver", waiting)
    results = Gauge(
        "memalign_events",
        "Events delivered and given up, and attempts that failed, since the start",
        ["receiver", "result"],
        registry=registry,
    )
    for each in receivers:
        for result, number in each.results.items():
            results.labels(each.name, result).set(number)


def _add(
    registry: CollectorRegistry,
    name: str,
    description: str,
    label: str,
    numbers: Numbers,
) -> None:
    """Add a gauge with a number for each value of its label."""
    gauge = Gauge(name, description, [label], registry=registry)
    for value, number in numbers.items():
        gauge.labels(value).set(number)
