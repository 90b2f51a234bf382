"""Feedback value types: the labels that a judge may give, and how written values become labels."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, _SpecialForm, get_args, get_origin

from memalign.errors import InputError, SettingsError
from memalign.records import Json, Label

Kind = Literal["bool", "int", "float", "str", "category"]

FeedbackValueType: TypeAlias = (
    "type[bool | int | float | str] | ValueType | str | Sequence[Label] | _SpecialForm"
)
"""Forms in which a value type is given: bool, int, float, str, their names, categories as a list, a list's JSON or a
`Literal` (the special form)."""

_WORDS: Mapping[str, Kind] = {"bool": "bool", "int": "int", "float": "float", "str": "str"}
_PYTHON: Mapping[object, Kind] = {bool: "bool", int: "int", float: "float", str: "str"}
_YES = frozenset({"true", "yes", "y", "1", "pass", "passed", "correct", "good", "agree"})
_NO = frozenset({"false", "no", "n", "0", "fail", "failed", "incorrect", "wrong", "bad", "disagree"})
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_JSON_TYPES: Mapping[Kind, str] = {"bool": "boolean", "int": "integer", "float": "number", "str": "string"}
_PLAIN: Mapping[Kind, str] = {
    "bool": "yes or no (true or false)",
    "int": "a whole number",
    "float": "a number",
    "str": "a text that is not empty",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueType:
    """The labels that a judge may give."""

    kind: Kind
    categories: tuple[Label, ...] = ()
    """The allowed labels in their own spelling; empty unless `kind` is category."""

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
        if self.kind != "category":
            return _PLAIN[self.kind]
        return "one of " + ", ".join(_spelled(category) for category in self.categories)

    def parse(self, value: Json) -> Label:
        """Read what a model or a person wrote.

        Args:
            value: A label, or a text such as "yes", "4" or "Great".

        Returns:
            The label, a category in its own spelling.

        Raises:
            InputError: If it is not a value of this type.
        """
        label = _READERS[self.kind](self, value)
        if label is None:
            raise InputError(f"“{_cut(value)}” is not a value of this judge; it expects {self.description}.")
        return label

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
        return {"type": _JSON_TYPES[self.kind]}


def value_type_of(form: object) -> ValueType:
    """Read a value type in any of its forms.

    Args:
        form: A `FeedbackValueType`; anything else is an error.

    Returns:
        The value type.

    Raises:
        SettingsError: If it is none of these; if categories are fewer than two, not different (letter case and blanks
            aside), empty, or neither texts nor numbers.
    """
    if isinstance(form, ValueType):
        return form
    if isinstance(form, str):
        return _from_word(form)
    if get_origin(form) is Literal:
        return _from_list(get_args(form))
    if isinstance(form, Sequence):
        return _from_list(form)
    kind = _PYTHON.get(form) if isinstance(form, type) else None
    if kind is None:
        raise _unknown(form)
    return ValueType(kind=kind)


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
    if len(categories) < 2:
        raise SettingsError("A judge needs at least two categories; name them in feedback_value_type.")
    return ValueType(kind="category", categories=tuple(categories))


def _unknown(form: object) -> SettingsError:
    return SettingsError(
        f"feedback_value_type {_cut(form)!r} is unknown; "
        'use "bool", "int", "float", "str" or a list of categories.'
    )


def _same(item: Label, others: Sequence[Label]) -> bool:
    return any(_folded(item) == _folded(other) for other in others)


def _folded(value: Json) -> str:
    return " ".join(str(value).split()).casefold()


def _spelled(label: Label) -> str:
    return label if isinstance(label, str) else json.dumps(label)


def _cut(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:57] + "…"


def _bare(value: Json) -> str:
    """Return the word without the marks that people and models put round it."""
    return _folded(value).strip("\"'`“”*_.! ")


def _read_bool(_: ValueType, value: Json) -> Label | None:
    if isinstance(value, bool):
        return value
    word = _bare(value)
    return True if word in _YES else False if word in _NO else None


def _read_number(value: Json) -> float | int | None:
    if isinstance(value, bool):
        return None
    text = _bare(str(value).replace("−", "-")) if isinstance(value, str) else str(value)
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    if not math.isfinite(number):
        return None
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else number


def _read_int(_: ValueType, value: Json) -> Label | None:
    number = _read_number(value)
    if isinstance(number, float):
        return int(number) if number.is_integer() else None
    return number


def _read_float(_: ValueType, value: Json) -> Label | None:
    number = _read_number(value)
    if number is None:
        return None
    try:
        return float(number)
    except OverflowError:
        return None


def _read_str(_: ValueType, value: Json) -> Label | None:
    text = value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if text and value is not None else None


def _read_category(value_type: ValueType, value: Json) -> Label | None:
    for folded in (_folded, _bare):
        for category in value_type.categories:
            if folded(category) == folded(value):
                return category
    return None


_READERS = {
    "bool": _read_bool,
    "int": _read_int,
    "float": _read_float,
    "str": _read_str,
    "category": _read_category,
}
