"""The settings, read once: `memalign.toml` for what a team reviews, the environment for secrets."""

import datetime as dt
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from memalign import make_judge
from memalign.errors import SettingsError
from memalign.models.registry import Use, check_use

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
_LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Name = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]
SLACK_API = "https://slack.com/api/"


class Section(BaseModel):
    """One table of the settings file; a key it does not name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class StorageSettings(Section):
    """Where the data lies; a relative path starts at the settings file's folder."""

    path: str = "data"
    keep_days: int | None = Field(default=None, gt=0)
    """Days after which a trace without feedback is erased; None: never."""


def _usable(model: str, use: Use) -> str:
    try:
        check_use(model, use)
    except SettingsError as error:
        raise ValueError(str(error).rstrip(".")) from None
    return model


class MemorySettings(Section):
    """How judges learn; the defaults are those of MLflow's MemAlign."""

    reflection_lm: str = "openai:/gpt-5-mini"
    embedding_model: str = "openai:/text-embedding-3-small"
    embedding_dim: int = Field(default=512, gt=0)
    retrieval_k: int = Field(default=5, gt=0)

    @field_validator("reflection_lm")
    @classmethod
    def _distils(cls, name: str) -> str:
        return _usable(name, "distils")

    @field_validator("embedding_model")
    @classmethod
    def _embeds(cls, name: str) -> str:
        return _usable(name, "embeds")


class JudgeSettings(Section):
    """One criterion, and the channel where its verdicts are shown."""

    name: Name
    instructions: str = Field(min_length=1)
    channel: str = ""
    model: str = "openai:/gpt-5-mini"

    @field_validator("model")
    @classmethod
    def _judges(cls, name: str) -> str:
        return _usable(name, "judges")

    feedback_value_type: (
        Literal["bool", "int", "float", "str"] | Annotated[list[str], Field(min_length=2)]
    ) = "bool"


class SamplingSettings(Section):
    """How many of the traces are judged and shown."""

    rate: float = Field(default=0.1, ge=0, le=1)
    max_per_day: int = Field(default=30, ge=0)


class DigestSettings(Section):
    """When the weekly digest is posted."""

    day: Weekday = "mon"
    time: str = "09:00"
    timezone: str = "UTC"

    @field_validator("day", mode="before")
    @classmethod
    def _short(cls, day: object) -> object:
        return day.lower()[:3] if isinstance(day, str) and day.lower() in (*WEEKDAYS, *_LONG_DAYS) else day

    @field_validator("time")
    @classmethod
    def _clock(cls, clock: str) -> str:
        try:
            dt.time.fromisoformat(clock)
        except ValueError:
            raise ValueError('expected a time of day such as "09:00"') from None
        return clock

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError('expected the name of a time zone such as "Europe/Berlin"') from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The digest's time zone; weeks and days are counted in it."""
        return ZoneInfo(self.timezone)

    @property
    def at(self) -> dt.time:
        """The time of day."""
        return dt.time.fromisoformat(self.time)


class AccessSettings(Section):
    """Who may do what cannot be undone."""

    forget: list[str] = []

    @field_validator("forget")
    @classmethod
    def _ids(cls, people: list[str]) -> list[str]:
        if any(person.startswith("@") or not person.strip() for person in people):
            raise ValueError("expected user ids such as U0123456789, not names")
        return people


class IngestSettings(Section):
    """The HTTP server that takes traces."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    max_pending: int = Field(default=10_000, gt=0)
    max_body_mb: float = Field(default=16, gt=0)

    @field_validator("max_body_mb", mode="before")
    @classmethod
    def _number(cls, size: object) -> object:
        return float(size) if isinstance(size, int) and not isinstance(size, bool) else size

    @property
    def max_body(self) -> int:
        """The largest body in bytes."""
        return int(self.max_body_mb * 1024 * 1024)


class Settings(Section):
    """Everything in the settings file."""

    storage: StorageSettings = StorageSettings()
    memory: MemorySettings = MemorySettings()
    judges: list[JudgeSettings] = Field(min_length=1)
    sampling: SamplingSettings = SamplingSettings()
    digest: DigestSettings = DigestSettings()
    access: AccessSettings = AccessSettings()
    ingest: IngestSettings = IngestSettings()
    folder: Path = Field(default=Path(), exclude=True)
    """Where the settings file lies; not a key of the file."""

    @model_validator(mode="after")
    def _judges_differ(self) -> "Settings":
        names = [judge.name for judge in self.judges]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f'two judges are named "{twice[0]}"; each needs a name of its own')
        return self

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / self.storage.path

    def judge(self, name: str) -> JudgeSettings:
        """The judge of that name, letter case aside. Raises `SettingsError` naming those there are."""
        same = [judge for judge in self.judges if judge.name.casefold() == name.casefold()]
        for judge in sorted(same, key=lambda judge: judge.name != name):
            return judge
        known = ", ".join(judge.name for judge in self.judges)
        raise SettingsError(f'There is no judge named "{name}"; the judges are: {known}.')

    def channel_title(self, channel: str) -> str:
        """Return what people call a channel: that of its judges; the id itself when no judge works there."""
        names = [judge.name for judge in self.judges if judge.channel == channel]
        return f"the channel of {' and '.join(names)}" if names else channel


class Secrets(BaseModel):
    """Secrets and addresses from the environment; their values are never shown."""

    model_config = ConfigDict(frozen=True)

    bot_token: str = Field(default="", repr=False)
    app_token: str = Field(default="", repr=False)
    signing_secret: str = Field(default="", repr=False)
    ingest_token: str = Field(default="", repr=False)
    api_url: str = SLACK_API

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Secrets":
        """Read the variables of the contract. Raises `SettingsError` for an address that is none."""
        url = environment.get("SLACK_API_URL", "").strip() or SLACK_API
        if not url.startswith(("https://", "http://")):
            raise SettingsError(f'SLACK_API_URL is "{url}"; expected an address such as {SLACK_API}.')
        return cls(
            bot_token=environment.get("SLACK_BOT_TOKEN", "").strip(),
            app_token=environment.get("SLACK_APP_TOKEN", "").strip(),
            signing_secret=environment.get("SLACK_SIGNING_SECRET", "").strip(),
            ingest_token=environment.get("MEMALIGN_INGEST_TOKEN", "").strip(),
            api_url=url.rstrip("/") + "/",
        )


def load_environment(folder: Path) -> None:
    """Take what `.env` in the working folder, or beside the settings file, adds to the environment."""
    for file in (Path(".env"), folder / ".env"):
        for key, value in dotenv_values(file).items():
            if value is not None:
                os.environ.setdefault(key, value)


def load_settings(file: Path, *, channels: bool = True) -> Settings:
    """Read a settings file.

    Args:
        file: the TOML file.
        channels: whether every judge must name its channel.

    Raises:
        SettingsError: naming the file and, for all problems together, the key and what was expected.
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
    """Check a settings document; see `load_settings`."""
    problems = ["folder: is not a key; remove it"] if "folder" in document else []
    try:
        settings = Settings.model_validate({**document, "folder": file.parent})
    except ValidationError as error:
        problems += [_problem(detail) for detail in error.errors()]
    else:
        problems += [problem for judge in settings.judges for problem in _judge_problems(judge, channels)]
    if problems:
        raise SettingsError(f"{file}: " + "; ".join(dict.fromkeys(problems)) + ".")
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
        )
    except SettingsError as error:
        problems.append(str(error).rstrip("."))
    return problems


def _problem(detail: ErrorDetails) -> str:
    """One problem as: the key, and what was expected."""
    place = [part for part in detail["loc"] if not str(part).startswith(("literal[", "constrained", "list["))]
    key = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    found = detail["input"]
    match detail["type"]:
        case "extra_forbidden":
            section = ".".join(str(part) for part in place[:-1] if not isinstance(part, int))
            return f"{key}: unknown key; expected one of {', '.join(_keys(section))}"
        case "missing":
            return f"{key}: is missing"
        case "value_error":
            return f"{key or 'judges'}: {detail['msg'].removeprefix('Value error, ')}"
        case _:
            wanted = detail["msg"][0].lower() + detail["msg"][1:]
            return f"{key}: {wanted}, found {found!r}"


def _keys(section: str) -> list[str]:
    sections: dict[str, type[Section]] = {
        "storage": StorageSettings,
        "memory": MemorySettings,
        "judges": JudgeSettings,
        "sampling": SamplingSettings,
        "digest": DigestSettings,
        "access": AccessSettings,
        "ingest": IngestSettings,
    }
    return [name for name in sections.get(section, Settings).model_fields if name != "folder"]
