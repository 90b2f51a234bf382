"""Paths of fields in the settings, such as `inputs.user.email`, `inputs.messages.*.name` or `metadata`."""

import re
from collections.abc import Sequence

Path = tuple[str, ...]
"""Names and list positions that lead to a value, beginning with the trace's field."""


class FieldPaths:
    """A set of paths; each stands for the value there and all that is in it."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Take paths as the settings have them; `*` stands for one name or position."""
        self._pattern = re.compile("|".join(map(_pattern, paths))) if paths else None

    def __contains__(self, path: Path) -> bool:
        """Return whether a value is at one of the paths or inside one; a dot in a name counts as a step."""
        return self._pattern is not None and self._pattern.fullmatch(".".join(path)) is not None


def _pattern(path: str) -> str:
    steps = (
        r"[^.]+" if step == "*" else re.escape(step).replace(r"\*", r"[^.]*") for step in path.split(".")
    )
    return r"\.".join(steps) + r"(?:\..*)?"
