"""Cells of tables, which hold values as texts: JSON, or what Python prints."""

import ast
import json
import math
from datetime import UTC, datetime

from memalign.label_reading import plain_value
from memalign.records import Json, Label
from memalign.span_times import START_NAMES, read_time
from memalign.text_folding import fold
from memalign.tool_calls import from_json

MAX_LITERAL_CHARACTERS = 1_000_000
"""Length up to which a text is read as what Python prints; its parser needs much memory."""
_THUMBS = {
    "👍": True, "thumbs up": True, "thumb up": True, "thumbsup": True, "up": True, "upvote": True, "like": True,
    "liked": True, "👎": False, "thumbs down": False, "thumb down": False, "thumbsdown": False, "down": False,
    "downvote": False, "dislike": False, "disliked": False,
}  # fmt: skip
_NOTHING = ("nan", "null", "n/a", "<na>")
"""Words with which tables fill empty cells; None may be a category."""
_SKIN_TONES = dict.fromkeys(range(0x1F3FB, 0x1F400))
_LAST_SECOND = 253_370_764_800


def cell_value(cell: Json) -> Json:
    """Return what a cell holds: an object or a list where its text is one, else the cell as it is."""
    value = from_json(cell)
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    if len(value) > MAX_LITERAL_CHARACTERS:
        return value
    try:
        # pandas writes lists and dicts into CSV as Python prints them
        read = ast.literal_eval(value.strip())
        json.dumps(read, allow_nan=False)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value
    return read if isinstance(read, dict | list) else value


def text_of(cell: Json) -> str | None:
    """Return a cell as a text in one piece; None where it is empty."""
    if cell is None or isinstance(cell, dict | list):
        return None
    text = str(cell).strip()
    return text or None


def label_of(cell: Json) -> Label | None:
    """Return a label: thumbs as a truth value, numbers and truth values out of texts; None where there is none."""
    value = plain_value(cell)
    if isinstance(value, str):
        return _label_of_text(value.strip())
    if isinstance(value, bool | int | float) or value is None:
        return value
    return json.dumps(value, ensure_ascii=False)


def _label_of_text(text: str) -> Label | None:
    word = fold(text.translate(_SKIN_TONES)).strip(":").replace("_", " ").replace("-", " ").strip()
    if word in _THUMBS:
        return _THUMBS[word]
    if word in ("true", "false"):
        return word == "true"
    if word in _NOTHING:
        return None
    try:
        number = json.loads(text)
    except (ValueError, RecursionError):
        return text or None
    is_number = isinstance(number, int | float) and math.isfinite(number)
    return number if is_number else text


def iso_time(cell: Json) -> str | None:
    """Return a time as ISO 8601, of ISO 8601 or of a number since 1970 in any unit; None of anything else."""
    value = cell.strip().replace(" UTC", "+00:00") if isinstance(cell, str) else cell
    nanoseconds = read_time({"timestamp": value}, START_NAMES)
    if nanoseconds is None or not 0 <= nanoseconds / 1e9 < _LAST_SECOND:
        return None
    return datetime.fromtimestamp(nanoseconds / 1e9, tz=UTC).isoformat(timespec="milliseconds")


def milliseconds(cell: Json) -> int | None:
    """Return a time as milliseconds since 1970; None where it is none."""
    stamp = iso_time(cell)
    return None if stamp is None else round(datetime.fromisoformat(stamp).timestamp() * 1000)
