"""A walk over the scalars of a JSON value, of whatever shape."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from memalign.records import Json


class Leaf(NamedTuple):
    """One scalar of a JSON value."""

    path: tuple[str | int, ...]
    """Names and list positions that lead to it."""
    value: Json
    """A text, a number or a truth value; never None."""

    @property
    def key(self) -> str:
        """The nearest name that leads to it; empty outside any object."""
        return next((step for step in reversed(self.path) if isinstance(step, str)), "")


def leaves(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[Leaf]:
    """Walk over the scalars of a JSON value, depth first, in the order of its objects and lists.

    Args:
        value: Any JSON; mappings and tuples are taken as objects and lists.
        path: Where the value lies; empty by default.

    Yields:
        Each scalar but null.
    """
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, (*path, str(name)))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from leaves(inner, (*path, place))
    elif value is not None:
        yield Leaf(path, value)
