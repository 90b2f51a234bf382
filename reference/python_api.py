"""The library's public names, which mkdocstrings describes by their docstrings."""

import memalign
from memalign.errors import MemAlignError

ERROR_OPTIONS = "    options:\n      show_source: false\n      members: false\n"


def directives() -> str:
    """Return a directive of mkdocstrings for each public name, errors last."""
    names = sorted(memalign.__all__, key=lambda name: (name[:1].isupper(), name.lower()))
    plain = [name for name in names if not _is_error(name)]
    errors = [name for name in names if _is_error(name)]
    parts = [*(f"::: memalign.{name}\n" for name in plain)]
    parts += ["## Errors\n", *(f"::: memalign.{name}\n{ERROR_OPTIONS}" for name in errors)]
    return "\n".join(parts)


def _is_error(name: str) -> bool:
    item = getattr(memalign, name)
    return isinstance(item, type) and issubclass(item, MemAlignError)
