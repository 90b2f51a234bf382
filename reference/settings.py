"""Keys of `memalign.toml`, from the classes that read them.

A key without a docstring there is described by its comment in memalign.example.toml.
"""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from bot.config.reader import keys_of
from bot.config.settings import (
    Address,
    AnyModelName,
    EmbeddingModelName,
    JudgeModelName,
    Moment,
    ReflectionModelName,
    Settings,
)
from memalign.models import ModelOptions
from reference.tables import code, table

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "memalign.example.toml"
KEY_LINE = re.compile(r"^(?:# )?(?P<key>\w+) *=.*?(?:[\]\"}\w)] +# (?P<comment>.*))?$")
CONTINUATION = re.compile(r"^ {20,}# (?P<comment>.*)$")
SECTION_LINE = re.compile(r"^(?:# )?\[+(?P<section>\w+)")
TYPE_WORDS: Mapping[object, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Moment: "date and time (ISO 8601)",
    Address: "address",
    **dict.fromkeys(
        (JudgeModelName, ReflectionModelName, EmbeddingModelName, AnyModelName), "a model, `provider:/name`"
    ),
    dict: "table",
}
BOUND_WORDS: Mapping[str, str] = {"ge": "from {}", "gt": "above {}", "le": "to {}", "lt": "below {}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A key of the settings file."""

    section: str
    key: str
    type: str
    default: str
    description: str


@cache
def all_settings() -> tuple[Setting, ...]:
    """Return every key, in the order of the sections."""
    comments = example_comments()
    return tuple(setting for section in keys_of() for setting in _settings_of(section, comments))


def sections() -> str:
    """Return the sections of the file, each with a table of its keys."""
    parts = []
    for section in keys_of():
        parts.append(f"## {heading(section)}\n\n{_about(section)}\n")
        rows = [
            (code(setting.key), setting.type, setting.default, setting.description)
            for setting in all_settings()
            if setting.section == section
        ]
        parts.append(table(("key", "type", "default", "meaning"), rows))
    return "\n".join(parts)


def heading(section: str) -> str:
    """Return a section as the file writes it."""
    if section == "models":
        return '`[models."provider:/name"]`'
    return f"`[[{section}]]`" if is_list(section) else f"`[{section}]`"


def is_list(section: str) -> bool:
    """Return whether the file may have any number of such tables."""
    return get_origin(Settings.model_fields[section].annotation) is list


def example_comments() -> dict[tuple[str, str], str]:
    """Return the comments of the example file, by section and key."""
    comments: dict[tuple[str, str], str] = {}
    section, key = "", ""
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if start := SECTION_LINE.match(line):
            section, key = start["section"], ""
        elif more := CONTINUATION.match(line):
            comments[section, key] = f"{comments[section, key]} {more['comment']}"
        elif entry := KEY_LINE.match(line):
            key = entry["key"]
            if entry["comment"]:
                comments[section, key] = entry["comment"]
    return comments


def attribute_docstrings(owner: type) -> dict[str, str]:
    """Return the string that follows each attribute of a class."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    if not isinstance(definition, ast.ClassDef):
        return {}
    docstrings = {}
    for attribute, after in pairwise(definition.body):
        if (
            isinstance(attribute, ast.AnnAssign)
            and isinstance(attribute.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            docstrings[attribute.target.id] = inspect.cleandoc(str(after.value.value))
    return docstrings


def _settings_of(section: str, comments: Mapping[tuple[str, str], str]) -> Iterator[Setting]:
    owner = ModelOptions if section == "models" else section_class(section)
    docstrings = attribute_docstrings(owner)
    for key, (annotation, default, bounds) in _fields_of(owner).items():
        yield Setting(
            section=section,
            key=key,
            type=_type_words(annotation, bounds),
            default=default,
            description=_sentence(docstrings.get(key) or comments.get((section, key), "")),
        )


def section_class(section: str) -> type[BaseModel]:
    """Return the class that reads a section, but for the options of models."""
    annotation = Settings.model_fields[section].annotation
    return next((part for part in get_args(annotation) if isinstance(part, type)), annotation)  # type: ignore[return-value]


def _fields_of(owner: type) -> dict[str, tuple[object, str, list[str]]]:
    if not issubclass(owner, BaseModel):
        hints = get_type_hints(ModelOptions)
        return {each.name: (hints[each.name], _option_default(each), []) for each in fields(ModelOptions)}
    hints = get_type_hints(owner, include_extras=True)
    return {
        key: (hints[key], _default_words(field.default), _bounds(field.metadata))
        for key, field in owner.model_fields.items()
    }


def _option_default(option: Any) -> str:
    return _default_words({} if option.default is MISSING else option.default)


def _default_words(default: object) -> str:
    if default is PydanticUndefined:
        return "required"
    if default is None:
        return "left out"
    return code(json.dumps(default)) if default not in ("", {}) else "empty"


def _bounds(metadata: list[Any]) -> list[str]:
    return [
        words.format(f"{value:,}" if isinstance(value, int) else value)
        for constraint in metadata
        for name, words in BOUND_WORDS.items()
        if (value := getattr(constraint, name, None)) is not None
    ]


def _type_words(annotation: object, bounds: list[str]) -> str:
    return " ".join([_words_of(annotation), *bounds])


def _words_of(annotation: object) -> str:
    if annotation in TYPE_WORDS:
        return TYPE_WORDS[annotation]
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(code(json.dumps(value)) for value in parts)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_words_of(part) for part in parts if part is not NoneType))
    if origin is Annotated:
        return _words_of(parts[0])
    if origin is tuple:
        return "list of two numbers"
    if origin is list:
        return f"list of {_plural(_words_of(parts[0]))}"
    return "table"


def _plural(words: str) -> str:
    return "texts" if words == "text" else words


def _sentence(text: str) -> str:
    """Return a comment as a sentence, with markup for the names of settings."""
    text = re.sub(r"`+", "`", text.strip())
    text = re.sub(r"\bNone(?=[:;, .])", "left out", text)
    text = re.sub(r"(?<!`)\[(?:access|sampling|redaction|memory)\](?: (?:manage|forget))?", r"`\g<0>`", text)
    if not re.match(r"\w+[:_]\w", text):
        text = text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", "?")) else f"{text}."


def _about(section: str) -> str:
    if section == "models":
        return "Options of one model; any number of such tables. In the library they are `model_options`."
    about = inspect.cleandoc(section_class(section).__doc__ or "")
    if is_list(section):
        return f"{about} Any number of such tables."
    return about
