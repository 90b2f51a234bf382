"""Conversion of a verdict to `mlflow.entities.Feedback`. MLflow is no dependency: only this imports it."""

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from memalign.errors import SettingsError

SOURCE_ID = "memalign"
"""The source of feedback that our judges give."""
OWN_ASSESSMENT_ID = "memalign.assessment_id"
"""Name, in the metadata of an assessment of ours, of the id by which we know it again."""
CITED_GUIDELINES = "guideline_ids"
SHOWN_GUIDELINES = "shown_guideline_ids"
"""Metadata that feedback of 0.1.0 lacks: there, `guideline_ids` are all that the judge was shown."""


def import_mlflow(module: str) -> Any:
    """Import a module of MLflow's, which is no dependency.

    Args:
        module: Its name, such as `mlflow.entities`.

    Returns:
        The module.

    Raises:
        SettingsError: If it cannot be imported.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise SettingsError(f"This needs MLflow ({error}); install it with: pip install mlflow") from error


def cited_guidelines(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Read the guidelines that led a judge from the metadata of its feedback.

    Args:
        metadata: As `feedback` wrote it, or anybody else.

    Returns:
        Their ids; none where the metadata does not tell them.
    """
    try:
        shown, cited = (json.loads(metadata.get(name, "[]")) for name in (SHOWN_GUIDELINES, CITED_GUIDELINES))
    except (TypeError, ValueError, RecursionError):
        return ()
    if not (isinstance(shown, list) and isinstance(cited, list)):
        return ()
    return tuple(dict.fromkeys(each for each in cited if isinstance(each, str) and each in shown))


def feedback(
    name: str, value: object, rationale: str, trace_id: str, evidence: Mapping[str, Sequence[str]]
) -> Any:
    """Make an `mlflow.entities.Feedback` of a judge.

    Args:
        name: The judge's name.
        value: The label.
        rationale: The reason.
        trace_id: Id of the trace; empty: none.
        evidence: Ids by name.

    Returns:
        The feedback, whose source is an LLM judge.

    Raises:
        SettingsError: If MLflow is not installed.
    """
    entities = import_mlflow("mlflow.entities")
    return entities.Feedback(
        name=name,
        value=value,
        rationale=rationale,
        trace_id=trace_id or None,
        source=entities.AssessmentSource(source_type="LLM_JUDGE", source_id=SOURCE_ID),
        metadata=evidence_metadata(evidence) or None,
    )


def evidence_metadata(evidence: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Write ids as the metadata of feedback, whose values are texts.

    Args:
        evidence: Ids by name; a list without any is left out.

    Returns:
        The lists as JSON.
    """
    return {kind: json.dumps(list(ids)) for kind, ids in evidence.items() if ids}
