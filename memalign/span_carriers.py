"""Objects inside a span in which tools keep its parts: OpenAI's Agents SDK, Braintrust and Datadog."""

from collections.abc import Container, Iterator, Mapping
from functools import lru_cache

from memalign.records import Json

CARRIERS = ("spandata", "spanattributes", "meta")
"""Their names, without underscores and in lower case: `span_data`, `span_attributes`, `meta`."""


# spans have the same names over and over
@lru_cache(maxsize=1024)
def plain_name(name: str) -> str:
    """Fold a name's spelling.

    Args:
        name: In snake case or camel case.

    Returns:
        The name in lower case, without underscores.
    """
    return str(name).replace("_", "").lower()


def plain_parts(span: Mapping[str, Json]) -> dict[str, Json]:
    """Read a span's parts by their plain names.

    Args:
        span: As a tool exports it.

    Returns:
        Its own parts, and those inside that it lacks.
    """
    own = {plain_name(name): part for name, part in span.items()}
    inside = {plain_name(name): part for name, part in _inside(span)}
    return {**inside, **{name: part for name, part in own.items() if part is not None or name not in inside}}


def carried_attributes(span: Mapping[str, Json], known: Container[str]) -> dict[str, Json]:
    """Find what such objects hold besides a span's parts.

    Args:
        span: As a tool exports it.
        known: Plain names of a span's parts.

    Returns:
        Values by name.
    """
    return {name: part for name, part in _inside(span) if plain_name(name) not in known}


def _inside(span: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    for name, inner in span.items():
        if plain_name(name) in CARRIERS and isinstance(inner, Mapping):
            yield from inner.items()
