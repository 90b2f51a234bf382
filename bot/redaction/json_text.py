"""Texts that are JSON: their texts, numbers and names are replaced in place, and the layout stays as it is."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from bot.redaction.field_paths import Path
from bot.redaction.markers import REMOVED
from memalign.records import Json

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++')


class Replacement(Protocol):
    """Replaces the parts of a JSON value."""

    def is_dropped(self, path: Path) -> bool:
        """Return whether a value is left out whole."""
        ...

    def scalar(self, value: Json, path: Path) -> Json:
        """Return what stands for a text, number or truth value."""
        ...

    def name(self, name: str) -> str:
        """Return what stands for the name of a field."""
        ...


@dataclass(slots=True, kw_only=True)
class _Level:
    """An object or list that is being read."""

    path: Path
    is_object: bool
    step: str | int
    """The name or position of the value that comes next."""
    is_name_next: bool

    @property
    def value_path(self) -> Path:
        return (*self.path, str(self.step))


def is_json_text(text: str) -> bool:
    """Return whether a text is a JSON object or list."""
    if not (text.lstrip()[:1] in ("{", "[") and text.rstrip()[-1:] in ("}", "]")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def replace_in_json_text(text: str, path: Path, replacement: Replacement) -> str:
    """Return a JSON text with the replaced literals; it is JSON again, of the same structure.

    Args:
        text: a text for which `is_json_text` holds.
        path: where the text stands.
        replacement: what stands for each part.
    """
    pieces, end = [], 0
    for start, stop, literal in _replaced(text, path, replacement):
        pieces += [text[end:start], literal]
        end = stop
    return "".join((*pieces, text[end:]))


def _replaced(text: str, path: Path, replacement: Replacement) -> Iterator[tuple[int, int, str]]:
    """Yield begin and end of each changed part, with what stands there."""
    levels: list[_Level] = []
    tokens = TOKEN.finditer(text)
    for token in tokens:
        sign, level = token[0], levels[-1] if levels else None
        if level and level.is_name_next and sign.startswith('"'):
            level.step, level.is_name_next = json.loads(sign), False
            if (changed := replacement.name(str(level.step))) != level.step:
                yield token.start(), token.end(), _literal(changed, sign)
        elif sign in "{[":
            inner = level.value_path if level else path
            if replacement.is_dropped(inner):
                yield token.start(), _skip(tokens, token), f'"{REMOVED}"'
            else:
                levels.append(_Level(path=inner, is_object=sign == "{", step=0, is_name_next=sign == "{"))
        elif sign in "}]":
            levels.pop()
        elif sign == ",":
            _next(level)
        elif sign != ":" and level:
            value = json.loads(sign)
            changed = replacement.scalar(value, level.value_path)
            if changed is not value and changed != value:
                yield token.start(), token.end(), _literal(changed, sign)


def _next(level: _Level | None) -> None:
    if level is not None:
        level.is_name_next = level.is_object
        level.step = level.step if isinstance(level.step, str) else level.step + 1


def _skip(tokens: Iterator[re.Match[str]], opening: re.Match[str]) -> int:
    """Read on to the bracket that closes the opening one, and return where it ends."""
    depth = 1
    token = opening
    while depth:
        token = next(tokens)
        depth += (token[0] in "{[") - (token[0] in "}]")
    return token.end()


def _literal(value: Json, before: str) -> str:
    return json.dumps(value, ensure_ascii=before.isascii())
