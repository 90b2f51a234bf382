"""Sections and keys of `memalign.toml`, with their defaults."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import re2
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    field_validator,
    model_validator,
)

from memalign.errors import SettingsError
from memalign.judge import Judge
from memalign.models import (
    DEFAULT_OPTIONS,
    ModelOptions,
    Use,
    canonical_name,
    check_options,
    check_use,
    model_options_of,
    option_problems,
)
from memalign.models.address import check_address, is_loopback
from memalign.recall.guideline_selection import GUIDELINE_TOKENS
from memalign.records import GuidelinePolicy
from memalign.value_types import value_type_of
from storage.location import Location, parse_postgres_url

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
LogLevel = Literal["debug", "info", "warning", "error"]
ConnectorType = Literal["mlflow", "langfuse", "langsmith", "phoenix"]
"""A kind of tracing tool; `bot.connectors.kinds` has a class for each."""
PLACE_KEYS: Mapping[ConnectorType, str] = {
    "mlflow": "experiment",
    "langfuse": "project",
    "langsmith": "project",
    "phoenix": "project",
}
"""Key of what a connector reads, by the type of its tool."""
WebhookEvent = Literal["verdict", "vote", "lesson", "forget"]
"""A kind of changes that a webhook is told of; `bot.outbound.webhook` has the types of each."""
WEBHOOK_EVENTS: tuple[WebhookEvent, ...] = get_args(WebhookEvent)
LOG_LEVELS: tuple[LogLevel, ...] = get_args(LogLevel)
LONG_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _require_use(model: str, use: Use) -> str:
    try:
        check_use(model, use)
    except SettingsError as error:
        raise ValueError(str(error).rstrip(".")) from None
    return model


def _address(url: str) -> str:
    try:
        check_address("it", url)
    except SettingsError as error:
        raise ValueError(str(error).rstrip(".")) from None
    return url.rstrip("/")


Number = int | float
Name = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]
JudgeModelName = Annotated[str, AfterValidator(partial(_require_use, use="judges"))]
ReflectionModelName = Annotated[str, AfterValidator(partial(_require_use, use="distils"))]
EmbeddingModelName = Annotated[str, AfterValidator(partial(_require_use, use="embeds"))]


def _canonical(model: str) -> str:
    try:
        return canonical_name(model)
    except SettingsError as error:
        raise ValueError(str(error).rstrip(".")) from None


def _model_options(table: object) -> ModelOptions:
    if not isinstance(table, dict):
        raise ValueError(f"expected a table of options, found {table!r}")
    if problems := list(option_problems(table)):
        raise ValueError("\n".join(problems))
    return model_options_of(table)


def _as_float(number: object) -> object:
    return float(number) if isinstance(number, int) and not isinstance(number, bool) else number


def _moment(text: object) -> dt.datetime:
    """Read a moment of ISO 8601, or of TOML; without a time zone it is UTC."""
    if isinstance(text, dt.date) and not isinstance(text, dt.datetime):
        text = dt.datetime.combine(text, dt.time())
    try:
        moment = text if isinstance(text, dt.datetime) else dt.datetime.fromisoformat(str(text))
    except ValueError:
        raise ValueError("expected ISO 8601, such as 2026-11-20T09:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _variable_name(name: str) -> str:
    if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError("expected the name of a variable such as MLFLOW_TRACKING_TOKEN, not the key itself")
    return name


Moment = Annotated[dt.datetime, PlainValidator(_moment)]
Address = Annotated[str, AfterValidator(_address)]
AnyModelName = Annotated[str, AfterValidator(_canonical)]
ModelTable = Annotated[ModelOptions, PlainValidator(_model_options)]

SkippedKind = Literal["errors", "empty_outputs", "no_expectations"]
"""A kind of traces that a judge may leave out."""

FieldPath = Annotated[
    str,
    Field(pattern=r"^(inputs|outputs|expectations|conversation|spans|metadata|url)(\.[^.]+)*$"),
]
"""A field of a trace, and the names that lead to a value in it."""


def readable_name(name: str) -> str:
    """Return a judge's name as people write it: words apart, the first letter a capital."""
    words = " ".join(re.sub("[_-]+", " ", name).split())
    return words[:1].upper() + words[1:] or name


class Section(BaseModel):
    """A table of the settings file; a key that it does not define is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class StorageSettings(Section):
    """The data folder, or a database; a relative path starts at the settings file's folder."""

    path: str = "data"
    url: str = Field(default="", repr=False)
    """A PostgreSQL database, in place of the folder; MEMALIGN_DATABASE_URL comes before both."""
    keep_days: int | None = Field(default=None, gt=0)
    """Days after which a trace without feedback is deleted; None: never."""

    @field_validator("url")
    @classmethod
    def _require_database(cls, url: str) -> str:
        if url:
            try:
                parse_postgres_url(url)
            except SettingsError as error:
                raise ValueError(str(error).rstrip(".")) from None
        return url

    @model_validator(mode="after")
    def _require_one_place(self) -> "StorageSettings":
        if self.url and "path" in self.model_fields_set:
            raise ValueError("storage takes a path or a url, not both; remove one of them")
        return self


class MemorySettings(Section):
    """Models and sizes of the judges' memories; the defaults are those of MLflow's MemAlign."""

    reflection_lm: ReflectionModelName = "openai:/gpt-5-mini"
    embedding_model: EmbeddingModelName = "openai:/text-embedding-3-small"
    """Makes the vectors by which similar cases are found."""
    embedding_dim: int = Field(default=512, gt=0)
    """Length of these vectors; a local model has its own."""
    retrieval_k: int = Field(default=5, gt=0)
    guideline_tokens: int = Field(default=GUIDELINE_TOKENS, gt=0)
    """Room that guidelines may take in a prompt."""
    min_similarity: float | None = Field(default=None, ge=-1, le=1)
    """Least cosine of a case that a judge is shown; None: found from the memory."""
    min_people: int = Field(default=1, gt=0)
    """Different people that must support a guideline before it is used."""
    approval: Literal["auto", "manual"] = "auto"
    """With "manual", a new guideline is used once somebody in `[access] manage` says so."""
    trial_calls_per_day: int = Field(default=200, ge=0)
    """Model calls a day by which new guidelines are tried on earlier cases before they are used; 0: untried."""


class JudgeSettings(Section):
    """A criterion, and the channel in which its verdicts are shown."""

    name: Name
    """The name by which commands, files and figures know the judge; `memalign rename-judge` changes it."""
    instructions: str = Field(min_length=1)
    """The criterion, with template variables such as {{ inputs }} and {{ outputs }} for what it speaks of."""
    title: Annotated[Name, Field(max_length=80)] = ""
    """The judge as cards call it; the name made readable where the file gives none."""
    channel: str = ""
    model: JudgeModelName = "openai:/gpt-5-mini"
    """Judges the traces."""
    feedback_value_type: (
        Literal["bool", "int", "float", "str"] | Annotated[list[str], Field(min_length=2)]
    ) = "bool"
    """The kind of value that a verdict has; a list names the categories."""
    skip: list[SkippedKind] = []
    """Traces that are not judged: of runs that ended with an error, without output, or without expectations."""
    range: tuple[Number, Number] | None = None
    """Lowest and highest value of an int or float judge."""
    rate: float | None = Field(default=None, ge=0, le=1)
    """Share of its traces that are sampled; None: that of `[sampling]`."""
    max_per_day: int | None = Field(default=None, ge=0)
    """Most cards a day of this judge, among those of its channel; None: as many as the channel is shown."""

    @model_validator(mode="before")
    @classmethod
    def _title_by_name(cls, table: object) -> object:
        if isinstance(table, dict) and isinstance(name := table.get("name"), str) and name:
            return {"title": readable_name(name)[:80].rstrip(), **table}
        return table

    @field_validator("range", mode="before")
    @classmethod
    def _require_pair(cls, pair: object) -> object:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError("expected the lowest and the highest value, such as [1, 5]")
        return tuple(pair)


class SamplingSettings(Section):
    """The share of traces that are judged, and the daily cap of each channel."""

    rate: float = Field(default=0.1, ge=0, le=1)
    max_per_day: int = Field(default=30, ge=0)
    spread: bool = True
    """Draw cards from windows over the day where more traces are expected than the cap allows."""
    blind: float = Field(default=0.0, ge=0, le=1)
    """Share of the cards that ask before they show the verdict."""
    max_model_calls_per_day: int = Field(default=1000, ge=0)
    """Model calls a day for candidates, second opinions, shadow verdicts and trials of guidelines."""


class DigestSettings(Section):
    """The time of the weekly digest."""

    day: Weekday = "mon"
    """The weekday of the digest."""
    time: str = "09:00"
    """Its time of day."""
    timezone: str = "UTC"
    """The time zone in which days and weeks are counted, such as Europe/Berlin."""

    @field_validator("day", mode="before")
    @classmethod
    def _abbreviate(cls, day: object) -> object:
        is_weekday = isinstance(day, str) and day.lower() in (*WEEKDAYS, *LONG_WEEKDAYS)
        return str(day).lower()[:3] if is_weekday else day

    @field_validator("time")
    @classmethod
    def _require_time(cls, clock: str) -> str:
        try:
            dt.time.fromisoformat(clock)
        except ValueError:
            raise ValueError('expected a time of day such as "09:00"') from None
        return clock

    @field_validator("timezone")
    @classmethod
    def _require_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError('expected the name of a time zone such as "Europe/Berlin"') from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        """Time zone in which weeks and days are counted."""
        return ZoneInfo(self.timezone)

    @property
    def at(self) -> dt.time:
        """Time of day."""
        return dt.time.fromisoformat(self.time)


class AccessSettings(Section):
    """People who may teach the judges, manage guidelines, and do what cannot be undone."""

    forget: list[str] = []
    manage: list[str] = []
    """People who may approve guidelines; empty: everyone in the judge's channel."""
    show_votes: bool = True
    """False: a card's thread tells how many people answered, not who says what."""
    private_reasons: bool = False
    """True: a card's thread does not show what people type in the modal; without `show_votes` it never does."""
    teach: Literal["members", "everybody"] = "members"
    """With `everybody`, guests and people of connected workspaces teach and forget as members of the workspace do."""

    @field_validator("forget", "manage")
    @classmethod
    def _require_ids(cls, people: list[str]) -> list[str]:
        if any(person.startswith("@") or not person.strip() for person in people):
            raise ValueError("expected user ids such as U0123456789, not names")
        return people


class RedactionSettings(Section):
    """Personal data and secrets, taken out of traces and people's words before they are stored or sent."""

    enabled: bool = True
    patterns: list[str] = []
    """Regular expressions of the team's own, in RE2's syntax."""
    keep_fields: list[FieldPath] = []
    """Fields that stay as they are, such as `inputs.user.email`; `*` stands for one name or list position."""
    drop_fields: list[FieldPath] = []
    """Fields that are left out whole."""
    keep_original: bool = False
    """Store each trace also as it was sent; nothing but the store ever holds that."""
    names: str = ""
    """The spaCy pipeline that finds names of people; empty: names stay."""

    @field_validator("patterns")
    @classmethod
    def _require_patterns(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            _check_pattern(pattern)
        return patterns


def _check_pattern(pattern: str) -> None:
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise ValueError(
            f"{pattern!r} is no regular expression of RE2, which has no look-around and no back-references ({reason})"
        ) from None
    if compiled.search(""):
        raise ValueError(f"{pattern!r} matches the empty text, so it would be found everywhere")


class IngestSettings(Section):
    """The HTTP server that takes traces."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    """The port that is listened on; 0: one that is free."""
    max_pending: int = Field(default=10_000, gt=0)
    max_body_mb: float = Field(default=16, gt=0)
    quiet_seconds: float = Field(default=10, gt=0)
    """Time for which a trace that comes in spans must rest before it is judged."""

    @field_validator("max_body_mb", "quiet_seconds", mode="before")
    @classmethod
    def _accept_integer(cls, size: object) -> object:
        return float(size) if isinstance(size, int) and not isinstance(size, bool) else size

    @property
    def max_body(self) -> int:
        """Largest body in bytes."""
        return int(self.max_body_mb * 1024 * 1024)


class ConnectorSettings(Section):
    """A tracing tool that traces are read from, and that verdicts and people's votes are written back to."""

    type: ConnectorType
    """The tool."""
    url: Address
    """Address of the tool."""
    api_key_env: Annotated[str, AfterValidator(_variable_name)] = ""
    """Variable of the key; `name:password` in it is sent as Basic, anything else as Bearer. Empty: none is sent."""
    experiment: str = ""
    """MLflow's experiment, by name."""
    project: str = ""
    """Another tool's project, by name."""
    queue: str = ""
    """Langfuse's annotation queue, by name, of whose items alone traces are read; empty: all traces."""
    judges: list[Name] = []
    """Judges of the traces that are read; empty: all."""
    write_back: bool = True
    """False: the tool is read only; verdicts and people's answers are not written there."""
    poll_seconds: Annotated[float, BeforeValidator(_as_float)] = Field(default=30.0, gt=0, le=86_400)
    """Pause between two looks for new traces and votes."""
    since: Moment | None = None
    """Earlier traces are not read; None: those from the first start on."""
    follow_deletions: bool = False
    """Forget a trace here once it is deleted there."""

    @model_validator(mode="after")
    def _require_project(self) -> "ConnectorSettings":
        key = PLACE_KEYS[self.type]
        if not self.place.strip():
            article = "an" if key[0] in "aeiou" else "a"
            raise ValueError(f"a connector of type {self.type} needs {key}, the name of {article} {key}")
        if stray := next((each for each in PLACE_KEYS.values() if each != key and getattr(self, each)), None):
            raise ValueError(f"a connector of type {self.type} takes {key}, not {stray}")
        return self

    @model_validator(mode="after")
    def _require_keys(self) -> "ConnectorSettings":
        if self.type == "langfuse" and not self.api_key_env:
            raise ValueError("a connector of type langfuse needs api_key_env, the variable of its two keys")
        if self.queue and self.type != "langfuse":
            raise ValueError(f"a connector of type {self.type} takes no queue; only Langfuse's does")
        return self

    @property
    def place(self) -> str:
        """The project or experiment, by name."""
        place: str = getattr(self, PLACE_KEYS[self.type])
        return place

    @property
    def name(self) -> str:
        """The connector as the status calls it."""
        return f"{self.type} {self.place}"

    @property
    def since_ms(self) -> int | None:
        """`since` in milliseconds since 1970."""
        return None if self.since is None else int(self.since.timestamp() * 1000)


class WebhookSettings(Section):
    """A server of the team's own that is told of changes, by signed requests."""

    url: str
    """Address of the server; https, unless it is on this machine."""
    secret_env: Name
    """Variable of the secret that requests are signed with, or of two with a space between, while they change over."""
    events: list[WebhookEvent] = Field(default=list(WEBHOOK_EVENTS), min_length=1)
    """Kinds of changes that it is told of."""
    judges: list[Name] = []
    """Judges that it is told of; empty: all."""

    @field_validator("url")
    @classmethod
    def _require_encryption(cls, url: str) -> str:
        _address(url)
        if urlsplit(url).scheme != "https" and not is_loopback(urlsplit(url).hostname or ""):
            raise ValueError("expected an https address; http is for this machine alone")
        return url


class OtlpSettings(Section):
    """A collector that each verdict is told to, as an event `gen_ai.evaluation.result` of OpenTelemetry."""

    endpoint: Annotated[str, AfterValidator(lambda url: url and _address(url))] = ""
    """Without `/v1/logs`; empty: there is none."""
    headers_env: str = ""
    """Variable of further headers, as in OTEL_EXPORTER_OTLP_HEADERS: `name=value,name=value`."""
    judges: list[Name] = []
    """Judges whose verdicts are told; empty: all."""

    @model_validator(mode="after")
    def _require_endpoint(self) -> "OtlpSettings":
        if (self.headers_env or self.judges) and not self.endpoint:
            raise ValueError("endpoint is missing, such as http://127.0.0.1:4318")
        return self


class LogSettings(Section):
    """The log, which goes to standard error."""

    format: Literal["text", "json"] = "text"
    level: LogLevel = "info"
    """MEMALIGN_LOG_LEVEL comes before it. At no level the log holds words of people, models or providers."""

    @field_validator("level", mode="before")
    @classmethod
    def _lower(cls, level: object) -> object:
        return level.lower() if isinstance(level, str) else level


class Settings(Section):
    """The whole settings file."""

    storage: StorageSettings = StorageSettings()
    memory: MemorySettings = MemorySettings()
    judges: list[JudgeSettings] = Field(min_length=1)
    sampling: SamplingSettings = SamplingSettings()
    digest: DigestSettings = DigestSettings()
    access: AccessSettings = AccessSettings()
    redaction: RedactionSettings = RedactionSettings()
    models: dict[AnyModelName, ModelTable] = {}
    """Options by model; a model that is not in it has the defaults."""
    ingest: IngestSettings = IngestSettings()
    connectors: list[ConnectorSettings] = []
    webhooks: list[WebhookSettings] = []
    otlp: OtlpSettings = OtlpSettings()
    log: LogSettings = LogSettings()
    folder: Path = Field(default=Path(), exclude=True)
    """Folder of the settings file; not a key of it."""

    @model_validator(mode="after")
    def _require_different_judges(self) -> "Settings":
        names = [judge.name for judge in self.judges]
        if duplicates := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f'two judges are named "{duplicates[0]}"; each needs a name of its own')
        return self

    @model_validator(mode="after")
    def _require_connectors_that_fit(self) -> "Settings":
        places = [(each.type, each.url, each.place) for each in self.connectors]
        if twice := next((each for each in places if places.count(each) > 1), None):
            raise ValueError(f'two connectors read {twice[0]} "{twice[2]}"; remove one of them')
        for connector in self.connectors:
            self._require_judges("connectors.judges", connector.judges)
        return self

    @model_validator(mode="after")
    def _require_receivers_that_fit(self) -> "Settings":
        urls = [each.url for each in self.webhooks]
        if any(urls.count(url) > 1 for url in urls):
            raise ValueError("webhooks.url: two webhooks have the same address; remove one of them")
        for webhook in self.webhooks:
            self._require_judges("webhooks.judges", webhook.judges)
        self._require_judges("otlp.judges", self.otlp.judges)
        return self

    def _require_judges(self, key: str, names: Iterable[str]) -> None:
        for name in names:
            try:
                self.judge(name)
            except SettingsError as error:
                raise ValueError(f"{key}: {str(error).rstrip('.')}") from None

    @field_validator("models")
    @classmethod
    def _require_options_that_suit(cls, models: dict[str, ModelOptions]) -> dict[str, ModelOptions]:
        try:
            for model, options in models.items():
                check_options(model, options)
        except SettingsError as error:
            raise ValueError(str(error).rstrip(".")) from None
        return models

    @property
    def data(self) -> Location:
        """Place of the store: the data folder, or a database."""
        return parse_postgres_url(self.storage.url) if self.storage.url else self.folder / self.storage.path

    def stored_at(self, url: str) -> "Settings":
        """Return the settings with the store in that database. Raises `SettingsError`."""
        parse_postgres_url(url)
        storage = StorageSettings(url=url, keep_days=self.storage.keep_days)
        return self.model_copy(update={"storage": storage})

    def options_of(self, model: str) -> ModelOptions:
        """Look up the options of a model, by its name as `provider:/name`."""
        return self.models.get(canonical_name(model), DEFAULT_OPTIONS)

    def policy_of(self, judge: JudgeSettings) -> GuidelinePolicy:
        """Return the conditions on which a judge's guidelines are used."""
        definition = Judge(
            name=judge.name,
            instructions=judge.instructions,
            value_type=value_type_of(judge.feedback_value_type, judge.range),
            model=judge.model,
        )
        return GuidelinePolicy(
            min_people=self.memory.min_people,
            approval=self.memory.approval,
            trials=self.memory.trial_calls_per_day > 0 and definition.tries_guidelines,
        )

    def rate_of(self, judge: JudgeSettings) -> float:
        """Return the share of a judge's traces that are sampled."""
        return self.sampling.rate if judge.rate is None else judge.rate

    def max_per_day_of(self, judge: JudgeSettings) -> int:
        """Return the most cards a day that a judge shows."""
        most = self.sampling.max_per_day
        return most if judge.max_per_day is None else min(most, judge.max_per_day)

    @property
    def titles(self) -> dict[str, str]:
        """Titles of the judges, by name."""
        return {judge.name: judge.title for judge in self.judges}

    def find_judge(self, name: str) -> JudgeSettings | None:
        """Return the judge of exactly that name; None where the settings name it no more."""
        return next((judge for judge in self.judges if judge.name == name), None)

    def judge(self, name: str) -> JudgeSettings:
        """Return the judge of that name, preferring the same letter case. Raises `SettingsError` listing the names."""
        matches = [judge for judge in self.judges if judge.name.casefold() == name.casefold()]
        for judge in sorted(matches, key=lambda judge: judge.name != name):
            return judge
        by_folded = {judge.name.casefold(): judge.name for judge in self.judges}
        similar = get_close_matches(name.casefold(), by_folded, n=1)
        meant = f" Did you mean {by_folded[similar[0]]}?" if similar else ""
        known = ", ".join(by_folded.values())
        raise SettingsError(f'There is no judge named "{name}"; the judges are: {known}.{meant}')
