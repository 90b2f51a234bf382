"""A trace of MLflow's REST API as a record. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from bot.connectors.tool import OWN_ID, RemoteAssessment, TraceHead
from bot.connectors.tool_times import milliseconds
from memalign.mlflow_documents import trace_of_document
from memalign.records import Json, Trace


def head_of(info: Mapping[str, Json]) -> TraceHead | None:
    """Return the head of a trace's info; None without id or time."""
    trace_id, time_ms = info.get("trace_id"), milliseconds(info.get("request_time"))
    if not isinstance(trace_id, str) or time_ms is None:
        return None
    return TraceHead(
        trace_id=trace_id,
        reference=trace_id,
        time_ms=time_ms,
        is_finished=info.get("state") != "IN_PROGRESS",
    )


def trace_of(document: Mapping[str, Json]) -> Trace | None:
    """Return a trace of `traces/get` or `traces/batchGet`, without its assessments; None without an id."""
    info = document.get("trace_info") or {}
    if not isinstance(info.get("trace_id"), str):
        return None
    return replace(trace_of_document(document), assessments=())


def infos_in(listed: Json) -> list[Mapping[str, Json]]:
    """Return the infos of traces in an answer; what is no object is left out."""
    return [info for info in listed or () if isinstance(info, Mapping)]


def assessments_of(info: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """Return a trace's assessments; what is no object is left out."""
    return [each for each in info.get("assessments") or () if isinstance(each, Mapping)]


def own_id_in(assessment: Mapping[str, Json]) -> str | None:
    """Return the id that an assessment of ours bears; None for one of somebody else.

    MLflow's page copies our metadata into a person's correction of a verdict, which overrides the verdict.
    """
    own_id = _part(assessment, "metadata").get(OWN_ID)
    return None if own_id is None or assessment.get("overrides") else str(own_id)


def answers_of(info: Mapping[str, Json]) -> tuple[RemoteAssessment, ...]:
    """Return what people answered; ours, what was overridden, and errors are left out."""
    return tuple(
        RemoteAssessment(
            name=str(each.get("assessment_name") or ""),
            author=str(source.get("source_id") or "default"),
            value=feedback.get("value"),
            rationale=str(each.get("rationale") or ""),
            updated_ms=milliseconds(each.get("last_update_time") or each.get("create_time")) or 0,
        )
        for each in assessments_of(info)
        if (source := _part(each, "source")).get("source_type") == "HUMAN"
        and (feedback := _part(each, "feedback"))
        and own_id_in(each) is None
        and each.get("valid") is not False
    )


def _part(document: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    part = document.get(name)
    return part if isinstance(part, Mapping) else {}
