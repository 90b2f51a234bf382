"""Annotations of Phoenix: ours as its REST API takes them, and people's as assessments. Pure."""

import base64
import binascii
from collections.abc import Mapping

from bot.connectors.phoenix_trace import milliseconds
from bot.connectors.tool import OWN_ID, OwnAssessment, RemoteAssessment
from memalign.records import Json, Label
from memalign.value_types import label_text

PAGE_IDENTIFIER = "px-"
"""Beginning of the identifiers that Phoenix's own page gives."""
UNNAMED = "default"
"""The author of annotations at a Phoenix without a log-in."""

Annotation = Mapping[str, Json]


def annotation_of(assessment: OwnAssessment) -> dict[str, Json]:
    """Return an assessment of ours; our own id is the identifier, by which Phoenix knows it again."""
    return {
        "span_id": assessment.reference,
        "name": assessment.judge,
        "annotator_kind": "HUMAN" if assessment.source_type == "HUMAN" else "LLM",
        "identifier": assessment.own_id,
        "result": {
            "label": _label(assessment.value),
            "score": _score(assessment.value),
            "explanation": assessment.rationale or None,
        },
        "metadata": {**assessment.metadata, "source_id": assessment.source_id, OWN_ID: assessment.own_id},
    }


def emptied(annotation: Annotation) -> dict[str, Json]:
    """Return an annotation of ours without anything that it says."""
    kept = ("span_id", "name", "annotator_kind", "identifier")
    return {
        **{name: annotation.get(name) for name in kept},
        "result": {"label": None, "score": None, "explanation": None},
        "metadata": {OWN_ID: annotation.get("identifier")},
    }


def answer_of(annotation: Annotation, users: Mapping[str, str]) -> RemoteAssessment | None:
    """Return what a person answered; None for what no person did, for ours, and for one without a value.

    Args:
        annotation: as the REST API lists it.
        users: names of Phoenix's users by their ids.
    """
    result = annotation.get("result") or {}
    value = result.get("score") if result.get("label") in (None, "") else result["label"]
    if not is_persons(annotation) or value is None:
        return None
    return RemoteAssessment(
        name=str(annotation.get("name") or ""),
        author=_author(annotation, users),
        value=value,
        rationale=str(result.get("explanation") or ""),
        updated_ms=milliseconds(annotation.get("updated_at") or annotation.get("created_at")) or 0,
    )


def is_persons(annotation: Annotation) -> bool:
    """Return whether a person gave an annotation in Phoenix itself."""
    return annotation.get("annotator_kind") == "HUMAN" and OWN_ID not in (annotation.get("metadata") or {})


def user_words(user_id: str) -> str:
    """Return what a user is called whose name may not be looked up, such as `user 2`."""
    try:
        kind, _, number = base64.b64decode(user_id, validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        return user_id
    return f"{kind.lower()} {number}" if number else user_id


def _author(annotation: Annotation, users: Mapping[str, str]) -> str:
    """Return the person: an application tells them by the identifier, Phoenix's page by its user."""
    identifier = str(annotation.get("identifier") or "")
    if identifier and not identifier.startswith(PAGE_IDENTIFIER):
        return identifier
    user_id = annotation.get("user_id")
    return users.get(user_id, user_words(user_id)) if isinstance(user_id, str) else UNNAMED


def _label(value: Label) -> str:
    return value if isinstance(value, str) else label_text(value)


def _score(value: Label) -> float | None:
    return None if isinstance(value, str) else float(value)
