"""The spans of a trace as a tree: parents before their children, each with its id, name, times and status."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from memalign.records import Json
from memalign.span_contents import is_empty
from memalign.span_forms import FORM, children_of, span_document

Span = dict[str, Json]
NO_REASON: Final = "no reason is given"
"""Stands for the error of a run that failed without a word."""
MAX_SPANS = 20_000
"""Spans that are read of one trace."""


def span_tree(spans: Iterable[Json]) -> list[Json]:
    """Order spans as a tree.

    Args:
        spans: As a tool exports them, flat with the ids of their parents, or each with its children.

    Returns:
        A document for each span, parents before their children, siblings by time; `start_ms` counts from the
        trace's begin. What is no object stands at the end as it is. To call it again changes nothing.
    """
    flat: list[Span] = []
    others: list[Json] = []
    for span in spans:
        if isinstance(span, Mapping):
            flat += _flattened(span, "", str(len(flat) + 1))
        else:
            others.append(span)
    ordered = _ordered(flat)
    begin = min((span["start_ns"] for span in ordered if "start_ns" in span), default=0)
    return [*(_with_relative_time(span, begin) for span in ordered), *others]


def shallowest_content(spans: Sequence[Json]) -> tuple[Json, Json]:
    """Find what a trace was asked and answered, where its root does not say.

    Args:
        spans: As `span_tree` returns them.

    Returns:
        The first inputs and the last outputs of those spans next to the root that have any; None for what they lack.
    """
    levels = [depth for span, depth in _depths(spans) if _has_content(span)]
    if not levels:
        return None, None
    level = [span for span, depth in _depths(spans) if depth == min(levels)]
    inputs = [span["inputs"] for span in level if "inputs" in span]
    outputs = [span["outputs"] for span in level if "outputs" in span]
    return (inputs[0] if inputs else None), (outputs[-1] if outputs else None)


def error_of(spans: Sequence[Json], *, failed: bool = False) -> str | None:
    """Find the error with which a run ended: that of a root; where it does not say why, of the last span that failed.

    Args:
        spans: As `span_tree` returns them.
        failed: True where the run is known to have failed, whatever its roots say; False by default.

    Returns:
        The error in words; None where no root failed.
    """
    roots = [span for span, depth in _depths(spans) if depth == 0]
    if not failed and not any(is_failed(span) for span in roots):
        return None
    causes = [span for span, _ in _depths(spans) if is_failed(span)]
    return next((words for words in map(_error_words, (*roots, *reversed(causes))) if words), NO_REASON)


def is_failed(span: Json) -> bool:
    """Tell whether a span ended with an error.

    Args:
        span: As `span_tree` returns it.

    Returns:
        True if its status or an exception says so.
    """
    return isinstance(span, Mapping) and (span.get("status") == "error" or bool(span.get("exceptions")))


def is_span_list(value: Json) -> bool:
    """Tell whether a value is a list of spans.

    Args:
        value: Any JSON.

    Returns:
        True for two or more documents as `span_tree` returns them.
    """
    return (
        isinstance(value, list)
        and len(value) > 1
        and all(isinstance(span, Mapping) and "name" in span and span.keys() & _MARKS for span in value)
    )


_MARKS = {"id", "type", "status", "start_ms", "parent"}


def places_by_importance(spans: Sequence[Json]) -> list[int]:
    """Rank spans by what must stay when not all fit.

    Args:
        spans: As `span_tree` returns them.

    Returns:
        Their places: the roots, those that failed, then the last ones.
    """
    known = {span.get("id") for span in spans if isinstance(span, Mapping)}
    roots = [place for place, span in enumerate(spans) if place == 0 or _is_root(span, known)][:3]
    failed = [place for place, span in enumerate(spans) if is_failed(span)]
    return list(dict.fromkeys((*roots, *reversed(failed), *reversed(range(len(spans))))))


def _is_root(span: Json, known: Iterable[Json]) -> bool:
    return isinstance(span, Mapping) and "id" in span and span.get("parent") not in known


def _flattened(span: Mapping[str, Json], parent: str, own_id: str) -> Iterator[Span]:
    """Yield a span and those it holds, which get its id as their parent's, and ids where they have none."""
    document = span_document(span)
    children = children_of(span)
    if children or parent:
        document.setdefault("id", own_id)
    if parent:
        document.setdefault("parent", parent)
    yield document
    for place, child in enumerate(children, start=1):
        yield from _flattened(child, document["id"], f"{own_id}.{place}")


def _ordered(spans: Sequence[Span]) -> list[Span]:
    known = {span["id"] for span in spans if "id" in span}
    below: dict[str, list[Span]] = {}
    roots: list[Span] = []
    for span in sorted(spans[:MAX_SPANS], key=lambda span: span.get("start_ns", 0)):
        parent = str(span.get("parent"))
        (below.setdefault(parent, []) if parent in known and parent != span.get("id") else roots).append(span)
    ordered: list[Span] = []
    seen: set[int] = set()
    waiting = [*reversed(roots)]
    while waiting:
        span = waiting.pop()
        if id(span) not in seen:
            seen.add(id(span))
            ordered.append(span)
            waiting += reversed(below.get(span.get("id", ""), []))
    return [
        *ordered,
        *(span for span in spans if id(span) not in seen),
    ]  # spans that are each other's parents


def _with_relative_time(span: Span, begin: int) -> Span:
    start = span.pop("start_ns", None)
    timed = span if start is None else {**span, "start_ms": round((start - begin) / 1_000_000)}
    names = [*(name for name in FORM if name in timed), *(name for name in timed if name not in FORM)]
    return {name: timed[name] for name in names}


def _depths(spans: Sequence[Json]) -> Iterator[tuple[Mapping[str, Json], int]]:
    depths: dict[str, int] = {}
    for span in spans:
        if isinstance(span, Mapping):
            depth = depths.get(span.get("parent") or "", -1) + 1
            depths[span.get("id") or ""] = depth if span.get("id") else -1
            yield span, depth


def _has_content(span: Mapping[str, Json]) -> bool:
    return not (is_empty(span.get("inputs")) and is_empty(span.get("outputs")))


def _error_words(span: Mapping[str, Json]) -> str:
    error = span.get("error")
    if not is_empty(error):
        message = error.get("message") if isinstance(error, Mapping) else None
        return str(message or error)
    for exception in reversed(span.get("exceptions") or ()):
        if isinstance(exception, Mapping):
            return ": ".join(str(exception[name]) for name in ("type", "message") if exception.get(name))
    return ""
