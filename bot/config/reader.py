"""The reader of `memalign.toml`: it reports all problems of a file together, one a line."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.config.settings import JudgeSettings, Section, Settings
from memalign import make_judge
from memalign.errors import SettingsError
from memalign.models import option_keys


def load_settings(file: Path, *, channels: bool = True) -> Settings:
    """Read a settings file.

    Args:
        file: The TOML file.
        channels: Require the channel of every judge.

    Returns:
        The settings, with defaults for the keys that the file leaves out.

    Raises:
        SettingsError: If the file cannot be read, or has problems; a line for each, with the file, the key and what
            was expected.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"There is no settings file {file}; copy memalign.example.toml there, or name yours with --config."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}.") from error
    return read_settings(document, file, channels=channels)


def read_settings(document: Mapping[str, Any], file: Path, *, channels: bool = True) -> Settings:
    """Read the document of a settings file; see `load_settings`."""
    problems = ["folder: is not a key; remove it"] if "folder" in document else []
    try:
        settings = Settings.model_validate({**document, "folder": file.parent})
    except ValidationError as error:
        problems += [line for detail in error.errors() for line in _problems(detail)]
    else:
        problems += [problem for judge in settings.judges for problem in _judge_problems(judge, channels)]
    if problems:
        raise SettingsError("\n".join(f"{file}: {problem}." for problem in dict.fromkeys(problems)))
    return settings


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


def _problems(detail: ErrorDetails) -> list[str]:
    """Return each problem as the key and what was expected of it."""
    place = [part for part in detail["loc"] if not str(part).startswith(("literal[", "constrained", "list["))]
    key = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    match detail["type"]:
        case "extra_forbidden":
            section = next((str(part) for part in place[:-1]), "")
            return [f"{key}: unknown key; expected one of {', '.join(keys_of(section))}"]
        case "missing":
            return [f"{key}: is missing"]
        case "value_error":
            lines = detail["msg"].removeprefix("Value error, ").splitlines()
            return [f"{key or 'judges'}: {line}" for line in lines]
        case _:
            expected = detail["msg"][0].lower() + detail["msg"][1:]
            return [f"{key}: {expected}, found {detail['input']!r}"]


def keys_of(section: str = "") -> list[str]:
    """Return the keys of a section of the settings file; without a section, the names of the sections."""
    if not section:
        return [name for name in Settings.model_fields if name != "folder"]
    if section == "models":
        return list(option_keys())
    annotation = Settings.model_fields[section].annotation
    section_type = cast("type[Section]", next(iter(get_args(annotation)), annotation))  # of a list: its items
    return list(section_type.model_fields)
