"""Feedback value types: the labels that a judge may give."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import NoneType, UnionType
from typing import Literal, TypeAlias, Union, _SpecialForm, get_args, get_origin

from memalign.errors import InputError, SettingsError
from memalign.label_reading import (
    LabelledText,
    plain_value,
    read_bool,
    read_category,
    read_float,
    read_int,
    read_text,
    split_label,
    split_number,
    split_truth,
)
from memalign.records import Json, Label
from memalign.text_folding import fold

Kind = Literal["bool", "int", "float", "str", "category"]

FeedbackValueType: TypeAlias = (
    "type[bool | int | float | str] | ValueType | str | Sequence[Label] | _SpecialForm | UnionType"
)
"""Forms in which a value type is given: bool, int, float, str, their names, categories as a list, a list's JSON or a
`Literal` (the special form). One that may be empty, such as `bool | None`, is read without the None: a judge always
gives a label."""

_WORDS: Mapping[str, Kind] = {"bool": "bool", "int": "int", "float": "float", "str": "str"}
_PYTHON: Mapping[object, Kind] = {bool: "bool", int: "int", float: "float", str: "str"}
_JSON_TYPES: Mapping[Kind, str] = {"bool": "boolean", "int": "integer", "float": "number", "str": "string"}
_PLAIN: Mapping[Kind, str] = {
    "bool": "pass or fail",
    "int": "a whole number",
    "float": "a number",
    "str": "a text that is not empty",
}


MAX_LISTED_LABELS = 25
"""Of a bounded int, in a menu. Set by hand: more of them are quicker typed than found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueType:
    """The labels that a judge may give."""

    kind: Kind
    categories: tuple[Label, ...] = ()
    """The allowed labels in their own spelling; empty unless `kind` is category."""
    value_range: tuple[float, float] | None = None
    """Lowest and highest label of a numeric kind; None: no bounds."""

    @property
    def setting(self) -> str:
        """The form in settings and files: bool, int, float, str, or a JSON list of categories."""
        return json.dumps(self.categories, ensure_ascii=False) if self.kind == "category" else self.kind

    @property
    def python_type(self) -> object:
        """The Python type of the labels; of categories, their `Literal`."""
        types = {word: kind for kind, word in _PYTHON.items()}
        return types[self.kind] if self.kind in types else Literal[self.categories]

    @property
    def binary(self) -> bool:
        """True if there are two labels, so that one is the opposite of the other."""
        return self.kind == "bool" or len(self.categories) == 2

    @property
    def numeric(self) -> bool:
        """True if labels are numbers, and not categories."""
        return self.kind in ("int", "float")

    @property
    def description(self) -> str:
        """The labels in words for a person."""
        if self.kind == "category":
            return "one of " + ", ".join(_spelled(category) for category in self.categories)
        if self.value_range:
            low, high = self.value_range
            return f"{_PLAIN[self.kind]} from {low:g} to {high:g}"
        return _PLAIN[self.kind]

    @property
    def small_range(self) -> tuple[Label, ...]:
        """All labels of a bounded int, where they are at most `MAX_LISTED_LABELS`; else none."""
        if self.kind != "int" or self.value_range is None:
            return ()
        low, high = map(int, self.value_range)
        return tuple(range(low, high + 1)) if high - low < MAX_LISTED_LABELS else ()

    def parse(self, value: Json) -> Label:
        """Read what a model, a person, a file or another tool wrote.

        Args:
            value: A label, or a text such as "yes", "4", "4 because it is curt" or "Great".

        Returns:
            The label, a category in its own spelling.

        Raises:
            InputError: If it is not a value of this type, is out of its range, or leaves a doubt.
        """
        split = self._split(plain_value(value))
        if split is None:
            raise InputError(f"“{_cut(value)}” is not a value of this judge; it expects {self.description}.")
        return split.label

    def split(self, text: str) -> LabelledText | None:
        """Read a text that begins with a label.

        Args:
            text: A reply or an answer in words, such as "4: curt".

        Returns:
            The label, and the reason after it; None where the text does not begin with one label beyond doubt, and
            for judges of free text, where any text is a label.
        """
        return None if self.kind == "str" else self._split(text)

    def _split(self, value: Json) -> LabelledText | None:
        if self.kind == "str" or not isinstance(value, str):
            label = self._read(value)
            return None if label is None else LabelledText(label, "")
        if self.kind == "bool":
            return split_label(value, self._read) or split_truth(value)
        return split_label(value, self._read) or split_number(value, self._read)

    def _read(self, value: Json) -> Label | None:
        """Read a value that is nothing but a label."""
        match self.kind:
            case "bool":
                return read_bool(value)
            case "int":
                return self._in_range(read_int(value, self._end))
            case "float":
                return self._in_range(read_float(value, self._end))
            case "str":
                return read_text(value)
            case "category":
                return read_category(value, self.categories)

    @property
    def _end(self) -> float | None:
        return self.value_range[1] if self.value_range else None

    def _in_range(self, label: Label | None) -> Label | None:
        if self.value_range is None or not isinstance(label, int | float):
            return label
        return label if self.value_range[0] <= label <= self.value_range[1] else None

    def accepts(self, label: Label) -> bool:
        """Tell whether a label that was given earlier is one of this type, in its own spelling.

        Args:
            label: The label.

        Returns:
            True if it is. A whole number is one for a judge of int and of float, however it is written.
        """
        match self.kind:
            case "bool":
                return isinstance(label, bool)
            case "str":
                return isinstance(label, str)
            case "category":
                return any(type(each) is type(label) and each == label for each in self.categories)
        if isinstance(label, bool | str):
            return False
        return (self.kind == "float" or float(label).is_integer()) and self._in_range(label) is not None

    def opposite(self, label: Label) -> Label | None:
        """Find the label that a 👎 on a label stands for.

        Args:
            label: The judge's.

        Returns:
            The other truth value; None where more than one other label is possible.
        """
        return (not label) if self.kind == "bool" else None

    def schema(self) -> dict[str, Json]:
        """Write the JSON schema of a value.

        Returns:
            The schema.
        """
        if self.kind == "category":
            texts = all(isinstance(category, str) for category in self.categories)
            return {"enum": list(self.categories), **({"type": "string"} if texts else {})}
        low, high = self.value_range or (None, None)
        bounds = (
            {} if low is None else {"minimum": _as_kind(low, self.kind), "maximum": _as_kind(high, self.kind)}
        )
        return {"type": _JSON_TYPES[self.kind], **bounds}


def value_type_of_schema(schema: Mapping[str, Json]) -> ValueType:
    """Read the value type that `ValueType.schema` wrote.

    Args:
        schema: The JSON schema of a value.

    Returns:
        The value type.
    """
    if "enum" in schema:
        return ValueType(kind="category", categories=tuple(schema["enum"]))
    kind = next(kind for kind, name in _JSON_TYPES.items() if name == schema["type"])
    bounds = (schema["minimum"], schema["maximum"]) if "minimum" in schema else None
    return ValueType(kind=kind, value_range=bounds)


def value_type_of(form: object, value_range: Sequence[object] | None = None) -> ValueType:
    """Read a value type in any of its forms.

    Args:
        form: A `FeedbackValueType`; anything else is an error.
        value_range: Lowest and highest label, for int and float only; None: as the form has it.

    Returns:
        The value type.

    Raises:
        SettingsError: If it is none of these, or a collection, as in `list[str]`; if categories are fewer than two,
            not different (letter case and blanks aside), empty, or neither texts nor numbers; if the range is none of
            this type.
    """
    value_type = _of_form(form)
    return (
        value_type
        if value_range is None
        else replace(value_type, value_range=_range(value_type, value_range))
    )


def _of_form(form: object) -> ValueType:
    if isinstance(form, ValueType):
        return form
    if isinstance(form, str):
        return _from_word(form)
    if get_origin(form) is not None:
        return _from_generic(form)
    if isinstance(form, Sequence):
        return _from_list(form)
    kind = _PYTHON.get(form) if isinstance(form, type) else None
    if kind is None:
        raise _unknown(form)
    return ValueType(kind=kind)


def _from_generic(form: object) -> ValueType:
    """Read `Literal[…]` and `T | None`; of collections no judge makes a verdict."""
    if get_origin(form) is Literal:
        return _from_list(get_args(form))
    if get_origin(form) in (Union, UnionType):
        members = [member for member in get_args(form) if member is not NoneType]
        if len(members) == 1:
            return _of_form(members[0])
    if get_origin(form) in (list, dict):
        raise SettingsError(
            f"feedback_value_type {_cut(form)} is for several values at once, and a judge here gives one; "
            "make a judge for each value."
        )
    raise _unknown(form)


def _from_word(word: str) -> ValueType:
    kind = _WORDS.get(word.strip().lower())
    if kind is not None:
        return ValueType(kind=kind)
    try:
        listed = json.loads(word)
    except ValueError:
        listed = None
    if not isinstance(listed, list):
        raise _unknown(word)
    return _from_list(listed)


def _from_list(listed: Sequence[object]) -> ValueType:
    categories: list[Label] = []
    for item in listed:
        if not isinstance(item, bool | int | float | str) or item == "" or _same(item, categories):
            raise SettingsError(
                f"The categories of a judge must be different texts or numbers, and {_cut(item)!r} is not; "
                "correct feedback_value_type."
            )
        categories.append(item)
    if len(categories) == 2 and all(isinstance(category, bool) for category in categories):
        return ValueType(kind="bool")
    if len(categories) < 2:
        raise SettingsError("A judge needs at least two categories; name them in feedback_value_type.")
    return ValueType(kind="category", categories=tuple(categories))


def _range(value_type: ValueType, value_range: Sequence[object]) -> tuple[float, float]:
    if not value_type.numeric:
        raise SettingsError(
            f"A range is for judges of int or float, not of {value_type.setting}; leave it out."
        )
    ends = [end for end in value_range if isinstance(end, int | float) and not isinstance(end, bool)]
    is_pair = len(value_range) == len(ends) == 2 and not isinstance(value_range, str)
    if not is_pair or not all(map(math.isfinite, ends)) or ends[0] >= ends[1]:
        raise SettingsError(
            f"range {_cut(value_range)!r} is none; set the lowest and the highest value, such as [1, 5]."
        )
    if value_type.kind == "int" and not all(float(end).is_integer() for end in ends):
        raise SettingsError(
            f"range {_cut(value_range)!r} of an int judge needs whole numbers, such as [1, 5]."
        )
    return ends[0], ends[1]


def _as_kind(number: float | None, kind: Kind) -> float | None:
    return int(number) if number is not None and kind == "int" else number


def _unknown(form: object) -> SettingsError:
    return SettingsError(
        f"feedback_value_type {_cut(form)!r} is unknown; "
        'use "bool", "int", "float", "str" or a list of categories.'
    )


def _same(item: Label, others: Sequence[Label]) -> bool:
    return any(fold(str(item)) == fold(str(other)) for other in others)


def label_text(label: Label) -> str:
    """Write a label as a sentence has it.

    Args:
        label: The label.

    Returns:
        Pass or fail for a truth value; else the label as JSON, so that texts are in quotes.
    """
    if isinstance(label, bool):
        return "pass" if label else "fail"
    return json.dumps(label, ensure_ascii=False)


def _spelled(label: Label) -> str:
    return label if isinstance(label, str) else json.dumps(label)


def _cut(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:57] + "…"
