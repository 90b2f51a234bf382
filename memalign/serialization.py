"""Records to JSON documents and back: one form for the files of judges and for the store.

A document holds a record's fields by name. Nested records are documents, tuples are lists. Reading is lenient, so
that documents of other versions stay readable: a missing field takes its default, an unknown one is passed over.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, fields, is_dataclass
from functools import lru_cache
from types import NoneType
from typing import ClassVar, Protocol, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

from memalign.ports import Vector
from memalign.records import Json


class Dataclass(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Json]]]


RecordT = TypeVar("RecordT", bound=Dataclass)
_Reader = Callable[[Json], Json]


def to_document(record: Dataclass) -> dict[str, Json]:
    """Write a record as a JSON document.

    Args:
        record: A dataclass whose fields are JSON, records, or tuples of these.

    Returns:
        The fields by name, without those that `memalign.records.OMIT_DEFAULT` and `DERIVED` leave out. JSON values are
        shared with the record, not copied.
    """
    kept = (each for each in fields(record) if not each.metadata.get("derived"))
    values = ((each, getattr(record, each.name)) for each in kept)
    return {
        each.name: _written(value)
        for each, value in values
        if not (each.metadata.get("omit_default") and value == each.default)
    }


def from_document(kind: type[RecordT], document: Mapping[str, Json]) -> RecordT:
    """Read a record from its document.

    Args:
        kind: The record's class.
        document: As `to_document` of this or another version wrote it.

    Returns:
        The record.

    Raises:
        TypeError: If a field without default is missing, or a value has not the form of its field.
    """
    readers = _readers(kind)
    values = {name: readers[name](value) for name, value in document.items() if name in readers}
    return kind(**values)


def pack_vector(vector: Vector) -> str:
    """Write a vector as text.

    Args:
        vector: Of shape (dimension,).

    Returns:
        Base64 of its 32-bit floats, little endian.
    """
    return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode("ascii")


def unpack_vector(text: str) -> Vector:
    """Read a vector from its text.

    Args:
        text: As `pack_vector` wrote it.

    Returns:
        The vector, of shape (dimension,).

    Raises:
        ValueError: If the text is no base64 of 32-bit floats.
    """
    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float32)


def _written(value: Json) -> Json:
    if is_dataclass(value) and not isinstance(value, type):
        return to_document(value)
    return [_written(item) for item in value] if isinstance(value, tuple) else value


@lru_cache(maxsize=64)
def _readers(kind: type[Dataclass]) -> Mapping[str, _Reader]:
    """By field name, for the fields that a document may set."""
    hints = get_type_hints(kind)
    return {each.name: _reader(hints[each.name]) for each in fields(kind)}


def _reader(hint: object) -> _Reader:
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda document: from_document(hint, document)
    kinds = [each for each in get_args(hint) if each is not NoneType]
    if len(kinds) == 1 and NoneType in get_args(hint):
        read_value = _reader(kinds[0])
        return lambda value: None if value is None else read_value(value)
    if get_origin(hint) in (tuple, Sequence):
        read_item = _reader(get_args(hint)[0])
        return tuple if read_item is _as_it_is else lambda items: tuple(map(read_item, items))
    return _as_it_is


def _as_it_is(value: Json) -> Json:
    return value
