"""The size of a JSON value: how deep, and of how many values. Work on a trace grows with both."""

from dataclasses import dataclass

from memalign.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSize:
    """Nesting depth of lists and objects, 0 for a text or a number; and the number of values, itself included."""

    depth: int
    values: int


def size_of(item: Json) -> JsonSize:
    """Return the size of a JSON value, however deep."""
    depth, values, level = 0, 1, [item]
    while level := [part for part in level if isinstance(part, dict | list)]:
        depth += 1
        values += sum(map(len, level))
        level = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]
    return JsonSize(depth=depth, values=values)
