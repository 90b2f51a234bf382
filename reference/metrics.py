"""Metrics of `GET /metrics`, from the registry that the bot fills."""

from bot.records import JudgeStatus, RecentAgreement, Status
from bot.web.metrics import registry_of
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


def all_metrics() -> list[tuple[str, str, str, str]]:
    """Return each metric's name, kind, labels and meaning."""
    registry = registry_of(STATUS, {"accepted": 1}, {}, [AGREEMENT], span_counts={"accepted": 1})
    return [
        (
            f"{family.name}_total" if family.type == "counter" else family.name,
            family.type,
            ", ".join(sorted({code(label) for sample in family.samples for label in sample.labels})),
            family.documentation,
        )
        for family in registry.collect()
    ]


def metric_table() -> str:
    """Return a table of the metrics."""
    rows = [(code(name), kind, labels, f"{meaning}.") for name, kind, labels, meaning in all_metrics()]
    return table(("metric", "kind", "labels", "meaning"), rows)
