"""A verdict as a row of a table or a line of a file."""

from memalign.records import Json, Verdict


def verdict_row(verdict: Verdict) -> dict[str, Json]:
    """Return a verdict as a line of VERDICTS.jsonl.

    Args:
        verdict: The verdict.

    Returns:
        `trace_id, judge, value, rationale, guideline_ids, retrieved_trace_ids`; the guidelines are those that led the
        judge.
    """
    return {
        "trace_id": verdict.trace_id,
        "judge": verdict.judge,
        "value": verdict.value,
        "rationale": verdict.rationale,
        "guideline_ids": list(verdict.guideline_ids),
        "retrieved_trace_ids": list(verdict.retrieved_trace_ids),
    }
