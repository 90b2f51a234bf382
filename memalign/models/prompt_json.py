"""JSON inside of prompts: on one line, and without anything that could end a delimiter."""

import json
import re

from memalign.records import Json

_ESCAPED = re.compile("[<>\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters that could end a delimiter or a line, and half surrogate pairs, which no request can carry."""


def encode(value: Json) -> str:
    """Write JSON on one line in which no delimiter can occur.

    Args:
        value: Any JSON.

    Returns:
        The line.
    """
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", as_json(value))


def as_json(value: Json) -> str:
    """Write JSON on one line as a person would read it.

    Args:
        value: Any JSON.

    Returns:
        The line.
    """
    return json.dumps(value, ensure_ascii=False, default=str)
