"""Exports of LangSmith: runs, with statistics of their feedback, and rows of feedback, which stand apart.

https://docs.langchain.com/langsmith/run-data-format, https://docs.langchain.com/langsmith/feedback-data-format
"""

from collections.abc import Iterator, Mapping

from bot.conversion.cells import cell_value, label_of, milliseconds, text_of
from bot.conversion.records import Document, ExportForm, Part, SeparateLabel, TraceSpan
from memalign.errors import InputError
from memalign.records import Assessment, Json

_RUN_KEYS = {"run_type", "dotted_order", "parent_run_id", "parent_run_ids", "feedback_stats", "child_run_ids"}
_SPAN_PARTS = (
    "id", "parent_run_id", "name", "run_type", "start_time", "end_time", "inputs", "outputs", "error", "status",
    "events",
)  # fmt: skip
_MAX_LABELS = 1_000
"""Labels that the figures of one run stand for; more are no people's."""
_MODELS = ("model", "auto_eval", "evaluator")
"""Types of sources that are no people; `app` is LangSmith's page, `api` may be either."""


def _is_feedback(document: Document) -> bool:
    return {"run_id", "key"} <= document.keys() and bool({"score", "value"} & document.keys())


def _recognises(document: Document) -> bool:
    return _is_feedback(document) or bool(_RUN_KEYS & document.keys())


def _read(document: Document) -> Iterator[Part]:
    if _is_feedback(document):
        yield _feedback(document, (text_of(document["run_id"]), text_of(document.get("trace_id"))))
        return
    run_id = text_of(document.get("id") or document.get("run_id"))
    trace_id = text_of(document.get("trace_id")) or run_id
    if trace_id is None:
        raise InputError("it is a run without an id; export runs of LangSmith with their ids")
    span = {name: cell_value(document[name]) for name in _SPAN_PARTS if document.get(name) is not None}
    yield TraceSpan(
        trace_id=trace_id, span_id=run_id or "", span={**span, "id": run_id}, metadata=_metadata(document)
    )
    for label in _labels(document):
        yield _feedback(label, (run_id, trace_id))
    children = cell_value(document.get("child_runs"))
    for child in children if isinstance(children, list) else ():
        if isinstance(child, Mapping):
            yield from _read({"parent_run_id": run_id, **child, "trace_id": trace_id})


def _metadata(document: Document) -> dict[str, Json]:
    extra, tags = cell_value(document.get("extra")), cell_value(document.get("tags"))
    metadata = extra.get("metadata") if isinstance(extra, Mapping) else None
    return {
        **(metadata if isinstance(metadata, Mapping) else {}),
        **({"tags": tags} if isinstance(tags, list) and tags else {}),
    }


def _labels(document: Document) -> Iterator[Document]:
    """Yield the feedback that a run holds: rows, or statistics that tell what each person said."""
    rows = cell_value(document.get("feedback") or document.get("feedbacks"))
    if isinstance(rows, list):
        yield from (row for row in rows if isinstance(row, Mapping) and "key" in row)
        return
    stats = cell_value(document.get("feedback_stats"))
    for key, figures in stats.items() if isinstance(stats, Mapping) else ():
        if isinstance(figures, Mapping):
            yield from _rows_of_figures(key, figures)


def _rows_of_figures(key: str, figures: Document) -> Iterator[Document]:
    """Yield a row for each label that an average can be taken apart into: of one, or of several that are the same."""
    number, comments = figures.get("n"), figures.get("comments")
    values = figures.get("values")
    comments = comments if isinstance(comments, list) else []
    labels: list[Json] = []
    if isinstance(values, Mapping) and values:
        counts = ((value, count) for value, count in values.items() if isinstance(count, int))
        labels = [value for value, count in counts for _ in range(min(count, _MAX_LABELS))]
    elif number == 1 or (isinstance(number, int) and figures.get("stdev") == 0):
        labels = [figures.get("avg")] * min(int(number), _MAX_LABELS)
    for place, label in enumerate(labels):
        # comments have no order that ties them to labels
        comment = comments[place] if len(labels) == len(comments) == 1 else None
        yield {"key": key, "score": label, "comment": comment}


def _feedback(document: Document, target_ids: tuple[str | None, ...]) -> SeparateLabel:
    source = cell_value(document.get("feedback_source"))
    source = source if isinstance(source, Mapping) else {}
    kind = str(source.get("type") or document.get("feedback_source.type") or "").lower()
    corrected = _correction(document.get("correction"))
    value = label_of(document.get("value"))
    score = label_of(document.get("score")) if value is None else value
    return SeparateLabel(
        target_ids=tuple(filter(None, target_ids)),
        assessment=Assessment(
            name=text_of(document.get("key")) or "",
            # whoever corrects the score of a model is a person
            value=score if corrected is None else corrected,
            rationale=text_of(document.get("comment")),
            source_type="LLM_JUDGE" if kind in _MODELS and corrected is None else "HUMAN",
            source_id=text_of(
                source.get("user_name") or source.get("user_id") or document.get("feedback_source.user_id")
            )
            or "",
            create_time_ms=milliseconds(document.get("modified_at") or document.get("created_at")),
        ),
    )


def _correction(cell: Json) -> Json:
    """Return the label that a correction names; None where it corrects the answer, or there is none."""
    correction = cell_value(cell)
    if not isinstance(correction, Mapping):
        return None
    value = label_of(correction.get("value"))
    return label_of(correction.get("score")) if value is None else value


LANGSMITH = ExportForm(name="langsmith", title="LangSmith", recognises=_recognises, read=_read)
