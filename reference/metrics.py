"""Metrics of `GET /metrics`, from the registries that the bot fills."""

from collections.abc import Iterator

from prometheus_client import Metric

from bot.records import JudgeStatus, ReceiverFigures, RecentAgreement, Status
from bot.runtime.metrics import Metrics
from bot.web.metrics import registry_of
from memalign.models import ModelCall
from memalign.records import Lesson, Usage
from reference.tables import code, table

JUDGE = JudgeStatus(name="politeness", title="Polite", model="local:/cases", cases=1, guidelines=1, waiting=0)
STATUS = Status(
    connected=True,
    traces_waiting=0,
    feedback_waiting=0,
    posts_waiting=0,
    judges=(JUDGE,),
    troubles=(),
    model_calls={"trials": 1},
)
AGREEMENT = RecentAgreement(judge="politeness", weeks=1, n=10, agreement=0.8, low=0.5, high=0.9)
RECEIVER = ReceiverFigures(name="hooks.example.com", waiting=1, results={"delivered": 1})
CALL = ModelCall(model="local:/cases", purpose="judging", seconds=1.0, usage=Usage(input_tokens=1))
SUFFIXES = {"counter": "_total", "info": "_info"}
"""Endings that Prometheus' text format gives to names, by kind."""
PARTS_OF_A_SERIES = {"le", "version"}
"""Labels of a bucket, and of the build: no series is chosen by them."""


def all_metrics() -> list[tuple[str, str, str, str]]:
    """Return each metric's name, kind, labels and meaning."""
    return [
        (
            family.name + SUFFIXES.get(family.type, ""),
            family.type,
            ", ".join(map(code, sorted(_labels(family)))),
            family.documentation,
        )
        for family in _families()
    ]


def metric_table() -> str:
    """Return a table of the metrics."""
    rows = [
        (code(name), kind, labels, f"{meaning.rstrip('.')}.") for name, kind, labels, meaning in all_metrics()
    ]
    return table(("metric", "kind", "labels", "meaning"), rows)


def _families() -> Iterator[Metric]:
    """Yield the gauges of the store, then the counts since the start, each with a sample."""
    gauges = registry_of(
        STATUS, {"accepted": 1}, {}, [AGREEMENT], span_counts={"accepted": 1}, receivers=[RECEIVER]
    )
    yield from gauges.collect()
    yield from _counts().registry.collect()


def _counts() -> Metrics:
    counts = Metrics(["politeness"])
    counts.count_traces({"accepted": 1})
    counts.count_vote("up", "button")
    counts.count_lesson("politeness", Lesson(learned=("tr-1",)))
    counts.count_model_call(CALL)
    counts.count_slack_request("chat.postMessage", 429, 1.0)
    counts.observe_event_lag(1.0)
    counts.observe_ack("event", 0.001)
    counts.count_http_request("/traces", 202, 0.01)
    return counts


def _labels(family: Metric) -> set[str]:
    return {label for sample in family.samples for label in sample.labels} - PARTS_OF_A_SERIES
