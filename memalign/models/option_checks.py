"""Checks of a model's options, key by key."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Literal, get_args

from memalign.errors import SettingsError
from memalign.models.address import check_address
from memalign.records import Json

Structured = Literal["auto", "json_schema", "json_object", "tool", "none"]
"""The form in which an answer is asked for; auto: the best that the server takes."""
STRUCTURED_MODES: tuple[Structured, ...] = get_args(Structured)
ENVIRONMENT_PREFIX = "env:"
"""A header's value `env:NAME` is the value of the environment variable NAME."""
RESERVED_PARAMS: Mapping[str, str] = {
    "model": "name the model in its own setting",
    "messages": "the judge writes them",
    "stream": "answers are read whole",
    "extra_headers": "use headers",
}
"""Parameters that are never passed on -> the reason, or what takes their place."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""As RFC 9110 has them."""


def option_keys() -> tuple[str, ...]:
    """List the keys of a model's options.

    Returns:
        Their names.
    """
    return tuple(_CHECKS)


def option_problems(options: Mapping[str, Json]) -> Iterator[str]:
    """Look for what is wrong with options.

    Args:
        options: Values by key.

    Yields:
        A clause for each wrong key or value, without the full stop; no value that may be a secret is in it.
    """
    known = option_keys()
    for key, value in options.items():
        if key not in known:
            yield f"{key}: is no option of a model ({_suggestion(str(key), known)})"
        else:
            yield from _CHECKS[key](key, value)


def _suggestion(key: str, known: tuple[str, ...]) -> str:
    nearest = get_close_matches(key, known, n=1)
    return f"did you mean {nearest[0]}?" if nearest else f"expected one of {', '.join(known)}"


def _base_url_problems(key: str, value: Json) -> Iterator[str]:
    if value is None:
        return
    try:
        check_address(key, value if isinstance(value, str) else "")
    except SettingsError as error:
        yield str(error).rstrip(".")


def _variable_problems(key: str, value: Json) -> Iterator[str]:
    """Look at the name of a variable without showing it, for it may be the secret itself."""
    if value is not None and not (isinstance(value, str) and (not value or _VARIABLE.fullmatch(value))):
        yield f"{key}: expected the name of an environment variable that holds the key, not the key itself"


def _count_problems(key: str, value: Json) -> Iterator[str]:
    if value is not None and not (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        yield f"{key}: expected a whole number of at least 1, found {value!r}"


def _duration_problems(key: str, value: Json) -> Iterator[str]:
    if not (isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf):
        yield f"{key}: expected a number of seconds above 0, found {value!r}"


def _structured_problems(key: str, value: Json) -> Iterator[str]:
    if value not in STRUCTURED_MODES:
        yield f"{key}: expected one of {', '.join(STRUCTURED_MODES)}, found {value!r}"


def _header_problems(key: str, value: Json) -> Iterator[str]:
    """Look at headers without showing a value, which may be a secret."""
    if not isinstance(value, Mapping):
        yield f"{key}: expected values by name of the header"
        return
    for name, text in value.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            yield f"{key}: {name!r} is no name of an HTTP header"
        elif not is_header_value(text):
            yield f"{key}: the value of {name} is no text that a header can carry"
        elif text.startswith(ENVIRONMENT_PREFIX) and not _VARIABLE.fullmatch(environment_variable(text)):
            yield f'{key}: expected the name of an environment variable after "env:" in {name}'


def _param_problems(key: str, value: Json) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{key}: expected values by name of the parameter"
        return
    inner = value.get("extra_body", {})
    for name in ("extra_body", "extra_query"):
        if not isinstance(value.get(name, {}), Mapping):
            yield f"{key}: expected values by name in {name}"
    for name in sorted(RESERVED_PARAMS.keys() & {*value, *(inner if isinstance(inner, Mapping) else ())}):
        yield f"{key}: {name} cannot be set; {RESERVED_PARAMS[name]}"
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        yield f"{key}: expected what JSON can hold ({error})"


_CHECKS: Mapping[str, Callable[[str, Json], Iterator[str]]] = {
    "base_url": _base_url_problems,
    "api_key_env": _variable_problems,
    "context_tokens": _count_problems,
    "max_output_tokens": _count_problems,
    "timeout_seconds": _duration_problems,
    "structured": _structured_problems,
    "headers": _header_problems,
    "params": _param_problems,
}


def is_header_value(text: object) -> bool:
    """Check whether an HTTP header can carry a text.

    Args:
        text: The header's value.

    Returns:
        True if it can.
    """
    return isinstance(text, str) and bool(_HEADER_VALUE.fullmatch(text))


def environment_variable(value: str) -> str:
    """Read the name of the environment variable that holds a header's value.

    Args:
        value: `env:NAME`.

    Returns:
        The name.
    """
    return value.removeprefix(ENVIRONMENT_PREFIX)
