"""Guidelines of a judge that MLflow has aligned, as ours: with people's rationales on their traces as sources."""

from collections.abc import Iterable, Mapping, Sequence

from memalign.memory.guideline_handling import guideline_id
from memalign.records import Episode, Guideline, Handling, Json, Source

MLFLOW = "mlflow"
"""Stands for the person who added a guideline to MLflow by hand; MLflow does not say who it was."""


def source_trace_ids(documents: Iterable[Mapping[str, Json]]) -> tuple[str, ...]:
    """List the traces that guidelines rest on.

    Args:
        documents: As MLflow dumps guidelines, with `guideline_text` and `source_trace_ids`.

    Returns:
        Their ids, each once.
    """
    return tuple(
        dict.fromkeys(str(name) for each in documents for name in each.get("source_trace_ids") or ())
    )


def guidelines_of(
    judge: str, documents: Sequence[Mapping[str, Json]], episodes: Mapping[str, Episode]
) -> list[Guideline]:
    """Read guidelines.

    Args:
        judge: The judge's name.
        documents: As for `source_trace_ids`. Those of the same words are one guideline, with the sources of all.
        episodes: The labelled cases by trace id.

    Returns:
        The guidelines in their words. One without source traces, which MLflow takes for a user's own, counts as added
        by hand; one is left out if there are no cases of its source traces.
    """
    same: dict[str, list[Mapping[str, Json]]] = {}
    for document in documents:
        if _text(document):
            same.setdefault(guideline_id(judge, _text(document)), []).append(document)
    read = [_guideline(name, group, episodes) for name, group in same.items()]
    return [rule for rule in read if rule.sources or rule.added_by]


def _guideline(
    name: str, documents: Sequence[Mapping[str, Json]], episodes: Mapping[str, Episode]
) -> Guideline:
    text = _text(documents[0])
    by_hand = any(not document.get("source_trace_ids") for document in documents)
    sources = [
        Source(
            trace_id=trace_id,
            person=opinion.person,
            quote=opinion.rationale or "",
            time_ms=opinion.time_ms,
        )
        for trace_id in source_trace_ids(documents)
        if trace_id in episodes
        for opinion in episodes[trace_id].opinions
    ]
    return Guideline(
        id=name,
        text=text,
        sources=tuple(dict.fromkeys(sources)),
        added_by=Handling(person=MLFLOW, text=text) if by_hand else None,
    )


def _text(document: Mapping[str, Json]) -> str:
    return str(document.get("guideline_text") or "").strip()
