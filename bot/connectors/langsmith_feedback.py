"""Feedback of LangSmith: assessments of ours as it takes them, and people's answers as we do. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import NAMESPACE_URL, uuid5

from bot.connectors.tool import OWN_ID, OwnAssessment, RemoteAssessment
from bot.connectors.tool_times import milliseconds
from memalign.records import Json

SCORE_DECIMALS = 4
"""LangSmith refuses scores that are more precise."""
PEOPLE = ("app", "api")
"""Sources of feedback that comes from people: LangSmith's page, and applications that pass on their users' answers."""
AUTHOR_KEYS = ("user_name", "user", "user_id", "ls_user_id")
"""Names under which a source of feedback, or its metadata, has the person; the first that is there counts."""
UNKNOWN_AUTHOR = "default"
CORRECTOR = "reviewer"
"""Author of a correction, since LangSmith does not keep who made it."""
_NAMESPACE = uuid5(NAMESPACE_URL, "memalign:langsmith:feedback")


def feedback_id(own_id: str) -> str:
    """Return the id of an assessment of ours at LangSmith, which takes ids from outside."""
    return str(uuid5(_NAMESPACE, own_id))


def document(assessment: OwnAssessment, project_id: str) -> dict[str, Json]:
    """Return the body of `POST /feedback`."""
    is_judge = assessment.source_type == "LLM_JUDGE"
    author = {"model" if is_judge else "user": assessment.source_id}
    body: dict[str, Json] = {
        "id": feedback_id(assessment.own_id),
        "run_id": assessment.reference,
        "trace_id": assessment.trace_id,
        "session_id": project_id,
        "key": assessment.judge,
        **changes(assessment),
        "feedback_source": {
            "type": "model" if is_judge else "api",
            "metadata": {**assessment.metadata, **author, OWN_ID: assessment.own_id},
        },
    }
    # LangSmith keeps, and charges for, a run with feedback longer: a person's answer is worth it
    return {**body, "extend_trace_retention": False} if is_judge else body


def changes(assessment: OwnAssessment) -> dict[str, Json]:
    """Return the body of `PATCH /feedback/{id}`: all that may change."""
    value = assessment.value
    return {
        "score": None if isinstance(value, str) else round(value, SCORE_DECIMALS),
        "value": value if isinstance(value, str) else None,
        "comment": assessment.rationale or None,
    }


def answers(rows: Sequence[Mapping[str, Json]]) -> Iterator[RemoteAssessment]:
    """Yield what people answered, and where they corrected a verdict of ours; what we wrote is left out."""
    for row in rows:
        source = _mapping(row.get("feedback_source"))
        is_own = OWN_ID in _mapping(source.get("metadata"))
        if is_own and source.get("type") == "model" and row.get("correction") is not None:
            yield _correction(row)
        elif not is_own and str(source.get("type") or "api") in PEOPLE and _value(row) is not None:
            yield RemoteAssessment(
                name=str(row.get("key") or ""),
                author=_author(source),
                value=_value(row),
                rationale=str(row.get("comment") or ""),
                updated_ms=_updated_ms(row),
            )


def _correction(row: Mapping[str, Json]) -> RemoteAssessment:
    correction = row["correction"]
    parts = correction if isinstance(correction, Mapping) else {"value": correction}
    return RemoteAssessment(
        name=str(row.get("key") or ""),
        author=CORRECTOR,
        value=_value(parts),
        rationale=str(parts.get("comment") or parts.get("explanation") or ""),
        updated_ms=_updated_ms(row),
    )


def _value(row: Mapping[str, Json]) -> Json:
    """Return the label of feedback: its value where it has one, as categories do, else its score."""
    value = row.get("value")
    return row.get("score") if value is None or isinstance(value, Mapping | list) else value


def _author(source: Mapping[str, Json]) -> str:
    metadata = _mapping(source.get("metadata"))
    names = (part.get(key) for key in AUTHOR_KEYS for part in (source, metadata))
    return next((str(name) for name in names if name), UNKNOWN_AUTHOR)


def _updated_ms(row: Mapping[str, Json]) -> int:
    return milliseconds(row.get("modified_at") or row.get("created_at")) or 0


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}
