"""The form of stored documents: a record's fields by name, each with its type. Pure.

`memalign.serialization` reads leniently, so that documents of other versions stay readable. This tells a document
of another version, which may have further fields or lack those with a default, from a damaged one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from memalign.records import Json

Form = Callable[[Mapping[str, Json]], object]
"""Raises one of `DAMAGE` for a document that is damaged."""
DAMAGE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""Errors that come of reading what no writer of ours has written."""
_SCALARS: Mapping[object, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    float: (int, float),
    NoneType: (NoneType,),
}


def any_form(_: Mapping[str, Json]) -> None:
    """Accept any document."""


def form_of(kind: type) -> Form:
    """Return the form of a record's documents; fields that the record does not have are passed over."""
    return lambda body: _check(body, kind, kind.__name__)


def fields_form(**hints: object) -> Form:
    """Return the form of documents with fields of these types."""

    def check(body: Mapping[str, Json]) -> None:
        for name, hint in hints.items():
            _check(body[name], hint, name)

    return check


def _check(value: Json, hint: Any, name: str) -> None:
    if not _conforms(value, hint, name):
        raise TypeError(f"{name} is {type(value).__name__}")


def _conforms(value: Json, hint: Any, name: str) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin is Literal:
        return value in arguments
    if origin in (Union, UnionType):
        return any(_conforms_quietly(value, each, name) for each in arguments)
    if isinstance(hint, type) and is_dataclass(hint):
        return isinstance(value, dict) and _check_record(value, hint)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return isinstance(value, list) and all(
            _conforms(each, part, name) for each, part in zip(value, arguments, strict=True)
        )
    if origin in (tuple, Sequence, frozenset, list):
        return isinstance(value, list) and all(_conforms(each, arguments[0], name) for each in value)
    if origin is Mapping:
        return isinstance(value, dict) and all(_conforms(each, arguments[1], name) for each in value.values())
    if hint is bool or isinstance(value, bool):
        return hint is bool and isinstance(value, bool)
    return isinstance(value, _SCALARS.get(hint, (object,)))


def _conforms_quietly(value: Json, hint: Any, name: str) -> bool:
    try:
        return _conforms(value, hint, name)
    except TypeError:
        return False


def _check_record(body: Mapping[str, Json], kind: type) -> bool:
    for field in _fields(kind):
        if field.name in body:
            _check(body[field.name], field.hint, field.name)
        elif field.is_required:
            raise TypeError(f"{field.name} is missing")
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    name: str
    hint: Any
    is_required: bool


@lru_cache(maxsize=64)
def _fields(kind: type) -> tuple[_Field, ...]:
    hints = get_type_hints(kind)
    return tuple(
        _Field(
            name=each.name,
            hint=hints[each.name],
            is_required=each.default is MISSING and each.default_factory is MISSING,
        )
        for each in fields(kind)
    )
