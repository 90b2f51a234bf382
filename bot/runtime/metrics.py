"""Metrics of what the bot does, since its start: counters and histograms. Figures of the store are gauges elsewhere.

Names, units and labels as Prometheus recommends (prometheus.io/docs/practices/naming); no label has values that people
or applications choose.
"""

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from memalign.errors import (
    MalformedAnswerError,
    ModelError,
    ModelUnavailableError,
    RequestFailedError,
)
from memalign.models import ModelCall
from memalign.records import Lesson

# the time at which a series began is of no use here, and would double their number
disable_created_metrics()  # type: ignore[no-untyped-call] # prometheus_client gives no types here

MODEL_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
SLACK_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LAG_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)
ACK_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 3.0)
"""Slack gives up after three seconds."""
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
TOO_MANY_REQUESTS = 429

VoteWay = Literal["reaction", "button", "tool"]
"""Place of a vote: a reaction or a button in Slack, or a tracing tool."""
PayloadKind = Literal["event", "command", "interaction"]


class Metrics:
    """The counters and histograms of one bot.

    Args:
        judges: names of the judges, whose counters begin at 0; without, a series begins with its first count.
    """

    def __init__(self, judges: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry()
        Info("memalign_build", "Version of the program", registry=self.registry).info(
            {"version": version("memalign")}
        )
        ProcessCollector(registry=self.registry)
        self._traces = self._counter("memalign_traces_received", "Traces received, of any source", "result")
        self._verdicts = self._counter("memalign_verdicts", "Verdicts that were given a card", "judge")
        self._votes = self._counter("memalign_votes", "Votes that people gave", "vote", "way")
        self._lessons = self._counter(
            "memalign_lessons", "Rounds in which a judge learned or unlearned something", "judge"
        )
        self._traces_learned = self._counter(
            "memalign_traces_learned", "Traces whose feedback a judge learned from", "judge"
        )
        self._guidelines = self._counter(
            "memalign_guideline_changes", "Guidelines that came, went or were doubted", "judge", "change"
        )
        self._model_requests = self._counter(
            "memalign_model_requests", "Calls of models that have ended", "model", "purpose", "outcome"
        )
        self._model_tokens = self._counter(
            "memalign_model_tokens", "Tokens that models read and wrote", "model", "purpose", "kind"
        )
        self._model_seconds = self._histogram(
            "memalign_model_request_duration_seconds",
            "Time of a model call, with the wait for its turn and further attempts",
            MODEL_BUCKETS,
            "model",
            "purpose",
        )
        self._slack_requests = self._counter(
            "memalign_slack_requests", "Requests to Slack's Web API, each attempt", "method", "status"
        )
        self._slack_limits = self._counter(
            "memalign_slack_rate_limits", "Requests that Slack answered with 429", "method"
        )
        self._slack_seconds = self._histogram(
            "memalign_slack_request_duration_seconds",
            "Time of a request to Slack's Web API",
            SLACK_BUCKETS,
            "method",
        )
        self._event_lag = self._histogram(
            "memalign_slack_event_lag_seconds", "Time from an event in Slack to its arrival", LAG_BUCKETS
        )
        self._ack_seconds = self._histogram(
            "memalign_slack_ack_seconds",
            "Time from the arrival of Slack's request to its acknowledgement",
            ACK_BUCKETS,
            "kind",
        )
        self._http_requests = self._counter(
            "memalign_http_requests", "Requests that the bot's server answered", "route", "status"
        )
        self._http_seconds = self._histogram(
            "memalign_http_request_duration_seconds",
            "Time until the bot's server answered a request",
            HTTP_BUCKETS,
            "route",
        )
        for judge in judges:
            for counter in (self._verdicts, self._lessons, self._traces_learned):
                counter.labels(judge)

    def _counter(self, name: str, description: str, *labels: str) -> Counter:
        return Counter(name, description, labels, registry=self.registry)

    def _histogram(self, name: str, description: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, description, labels, buckets=buckets, registry=self.registry)

    def count_traces(self, results: Mapping[str, int]) -> None:
        """Count traces that came in, by result."""
        for result, number in results.items():
            self._traces.labels(result).inc(number)

    def count_verdict(self, judge: str) -> None:
        """Count a verdict that is stored with its card."""
        self._verdicts.labels(judge).inc()

    def count_vote(self, vote: str, way: VoteWay) -> None:
        """Count a vote that somebody gave: `up`, `down` or `unsure`."""
        self._votes.labels(vote, way).inc()

    def count_lesson(self, judge: str, lesson: Lesson) -> None:
        """Count a round of learning, where anything was learned in it."""
        if not lesson.learned:
            return
        self._lessons.labels(judge).inc()
        self._traces_learned.labels(judge).inc(len(lesson.learned))
        changes = {"added": lesson.added, "retired": lesson.retired, "doubted": lesson.doubted}
        for change, guidelines in changes.items():
            self._guidelines.labels(judge, change).inc(len(guidelines))

    def count_model_call(self, call: ModelCall) -> None:
        """Count a model call, with its tokens and its time."""
        self._model_requests.labels(call.model, call.purpose, model_outcome(call.error)).inc()
        self._model_seconds.labels(call.model, call.purpose).observe(call.seconds)
        tokens = {
            "input": call.usage.input_tokens - call.usage.cached_tokens,
            "cached": call.usage.cached_tokens,
            "output": call.usage.output_tokens,
            "embedding": call.usage.embedding_tokens,
        }
        for kind, number in tokens.items():
            if number > 0:
                self._model_tokens.labels(call.model, call.purpose, kind).inc(number)

    def count_slack_request(self, method: str, status: int | None, seconds: float) -> None:
        """Count an attempt of a call of Slack's; without a status there was no answer."""
        self._slack_requests.labels(method, status or "none").inc()
        self._slack_seconds.labels(method).observe(seconds)
        if status == TOO_MANY_REQUESTS:
            self._slack_limits.labels(method).inc()

    def observe_event_lag(self, seconds: float) -> None:
        """Note how late an event of Slack's came."""
        self._event_lag.observe(max(0.0, seconds))

    def observe_ack(self, kind: PayloadKind, seconds: float) -> None:
        """Note how long Slack waited for an answer."""
        self._ack_seconds.labels(kind).observe(seconds)

    def count_http_request(self, route: str, status: int, seconds: float) -> None:
        """Count a request that the server answered."""
        self._http_requests.labels(route, status).inc()
        self._http_seconds.labels(route).observe(seconds)


def model_outcome(error: ModelError | None) -> str:
    """Return the outcome of a model call in a word or two."""
    if error is None:
        return "answered"
    if getattr(error.__cause__, "status_code", None) == TOO_MANY_REQUESTS:
        return "rate limited"
    if isinstance(error, RequestFailedError):
        return "failed"
    if isinstance(error, ModelUnavailableError):
        return "unavailable"
    return "malformed" if isinstance(error, MalformedAnswerError) else "refused"
