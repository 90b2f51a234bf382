"""The reader of `memalign.toml`: it reports all problems of a file together, one a line."""

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.config.line_numbers import TomlPath, line_numbers, line_of
from bot.config.settings import JudgeSettings, Section, Settings
from memalign import make_judge
from memalign.errors import SettingsError
from memalign.models import option_keys

SHOULD_BE = "input should be "
"""The beginning of pydantic's sentences on a wrong type."""


DATABASE_VARIABLE = "MEMALIGN_DATABASE_URL"
"""Variable of the database that holds the store; it comes before `[storage]`."""


def load_settings(
    file: Path, *, channels: bool = True, environment: Mapping[str, str] = os.environ
) -> Settings:
    """Read a settings file.

    Args:
        file: The TOML file.
        channels: Require the channel of every judge.
        environment: MEMALIGN_DATABASE_URL is read from it, which comes before the file.

    Returns:
        The settings, with defaults for the keys that the file leaves out.

    Raises:
        SettingsError: If the file cannot be read, or has problems; a line for each, with the file, the key and what
            was expected.
    """
    try:
        text = file.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except FileNotFoundError:
        raise SettingsError(
            f"There is no settings file {file}; copy memalign.example.toml there, or name yours with --config."
        ) from None
    except OSError as error:
        raise SettingsError(
            f"The settings file {file} cannot be read ({error.strerror}); name another one with --config."
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"The settings file {file} is not UTF-8 text; save it as such.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}.") from error
    settings = read_settings(document, file, channels=channels, lines=line_numbers(text))
    url = environment.get(DATABASE_VARIABLE, "").strip()
    if not url:
        return settings
    try:
        return settings.stored_at(url)
    except SettingsError as error:
        raise SettingsError(f"{DATABASE_VARIABLE}: {error}") from None


def read_settings(
    document: Mapping[str, Any],
    file: Path,
    *,
    channels: bool = True,
    lines: Mapping[TomlPath, int] = MappingProxyType({}),
) -> Settings:
    """Read the document of a settings file; see `load_settings`. `lines` tells the line numbers of its keys."""
    problems: list[tuple[TomlPath, str]] = []
    if "folder" in document:
        problems.append((("folder",), "folder: is not a key; remove it"))
    try:
        settings = Settings.model_validate({**document, "folder": file.parent})
    except ValidationError as error:
        problems += _problems(error.errors())
    else:
        for number, judge in enumerate(settings.judges):
            problems += [(("judges", number), problem) for problem in _judge_problems(judge, channels)]
    if problems:
        placed = sorted(
            ((line_of(path, lines) or 0, problem) for path, problem in problems), key=itemgetter(0)
        )
        sentences = (f"{_place(file, line)}: {_ended(problem)}" for line, problem in placed)
        raise SettingsError("\n".join(dict.fromkeys(sentences)))
    return settings


def _ended(problem: str) -> str:
    return problem if problem.endswith("?") else f"{problem}."


def _place(file: Path, line: int) -> str:
    return f"{file}:{line}" if line else str(file)


def _judge_problems(judge: JudgeSettings, channels: bool) -> list[str]:
    problems = []
    if (channels and not judge.channel) or judge.channel.startswith("#"):
        problems.append(
            f'judges.channel of "{judge.name}": expected the id of its channel, such as C0123456789'
        )
    try:
        make_judge(
            name=judge.name,
            instructions=judge.instructions,
            feedback_value_type=judge.feedback_value_type,
            model=judge.model,
            value_range=judge.range,
        )
    except SettingsError as error:
        problems.append(str(error).rstrip("."))
    return problems


def _problems(details: Sequence[ErrorDetails]) -> Iterator[tuple[TomlPath, str]]:
    """Yield each problem once: the place, and the key with what was expected of it."""
    places = groupby(details, key=lambda detail: _place_in_file(detail["loc"]))
    for path, here in places:
        key = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        alternatives = list(here)
        expected = list(dict.fromkeys(_expected(detail) for detail in alternatives if _is_type_error(detail)))
        if expected:
            alternative = " or ".join([expected[0], *(each.removeprefix(SHOULD_BE) for each in expected[1:])])
            yield path, f"{key}: {alternative}, found {alternatives[0]['input']!r}"
        for detail in alternatives:
            if not _is_type_error(detail):
                yield from ((path, problem) for problem in _stated_problems(detail, path, key))


def _place_in_file(location: TomlPath) -> TomlPath:
    """Return the keys of a problem's place, without what pydantic adds of the alternatives it tried."""
    return tuple(
        part
        for part in location
        if not str(part).startswith(("literal[", "constrained", "list[", "function-"))
    )


def _is_type_error(detail: ErrorDetails) -> bool:
    return detail["type"] not in {"extra_forbidden", "missing", "value_error"}


def _expected(detail: ErrorDetails) -> str:
    return detail["msg"][0].lower() + detail["msg"][1:]


def _stated_problems(detail: ErrorDetails, path: TomlPath, key: str) -> list[str]:
    if detail["type"] == "missing":
        return [f"{key}: is missing"]
    if detail["type"] == "value_error":
        lines = detail["msg"].removeprefix("Value error, ").splitlines()
        return [f"{key or 'judges'}: {line}" for line in lines]
    known = keys_of(next((str(part) for part in path[:-1]), ""))
    if similar := get_close_matches(str(path[-1]).casefold(), known, n=1):
        return [f"{key}: unknown key; did you mean {similar[0]}?"]
    return [f"{key}: unknown key; expected one of {', '.join(known)}"]


def keys_of(section: str = "") -> list[str]:
    """Return the keys of a section of the settings file; without a section, the names of the sections."""
    if not section:
        return [name for name in Settings.model_fields if name != "folder"]
    if section == "models":
        return list(option_keys())
    annotation = Settings.model_fields[section].annotation
    section_type = cast("type[Section]", next(iter(get_args(annotation)), annotation))  # of a list: its items
    return list(section_type.model_fields)
