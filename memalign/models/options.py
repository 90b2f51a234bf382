"""Options of a model: where it is reached, what it is sent, and what it may take.

They are the keys of `[models."provider:/name"]` in the settings, and of `model_options` in the library.
"""

import copy
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from memalign.errors import ModelRefusedError, SettingsError
from memalign.models.option_checks import (
    ENVIRONMENT_PREFIX,
    Structured,
    environment_variable,
    is_header_value,
    option_problems,
)
from memalign.records import Json

_log = logging.getLogger("memalign")

DEFAULT_TIMEOUT_SECONDS = 120.0
"""Time limit of one try, with the pauses that a service asks for. Set by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """Options of one model; each has a default, which is to leave things as they are.

    Raises:
        SettingsError: If a value cannot be used; one sentence with the key.
    """

    base_url: str | None = None
    """Address of the server; None: the provider's own, or what its environment variable says."""
    api_key_env: str | None = None
    """Environment variable that holds the key; None: the provider's own; empty: the server wants no key."""
    context_tokens: int | None = None
    """Tokens that a prompt and its answer may have together; None: as known of the model, or told by the server."""
    max_output_tokens: int | None = None
    """Most tokens of an answer; None: 1,000 for a verdict, 4,000 for a lesson."""
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    """Time limit of one try, with the pauses that a service asks for; a try that takes longer is made once more."""
    structured: Structured = "auto"
    """The form in which an answer is asked for."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    """HTTP headers to send; a value `env:NAME` is read from the environment. The others are never saved or shown."""
    params: Mapping[str, Json] = field(default_factory=dict, hash=False)
    """Parameters of the request, passed on as they are; where one is given, none of ours takes its place."""

    def __post_init__(self) -> None:
        """Check the values, and keep copies of those that could change."""
        for problem in option_problems({each.name: getattr(self, each.name) for each in fields(self)}):
            raise SettingsError(f"{problem}.")
        object.__setattr__(self, "headers", dict(self.headers))
        object.__setattr__(self, "params", copy.deepcopy(dict(self.params)))

    def __copy__(self) -> "ModelOptions":
        """Return the options themselves, which never change."""
        return self

    def __deepcopy__(self, known: dict[int, Json]) -> "ModelOptions":
        """Return the options themselves, which never change."""
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Return what a pickle holds: what a file does, without literal headers."""
        if self.literal_headers:
            _log.warning(
                "Headers of a model are not in its judge's pickle (%s); write their values as env:NAME.",
                ", ".join(self.literal_headers),
            )
        return model_options_of, (self.to_document(),)

    def resolved_headers(self) -> dict[str, str]:
        """Read the values of the headers, those from the environment included.

        Returns:
            Value by name.

        Raises:
            ModelRefusedError: If a variable is not set, or holds no value of a header.
        """
        return {name: _header_value(name, value) for name, value in self.headers.items()}

    @property
    def own_body(self) -> dict[str, Json]:
        """The parameters of a request's body: `params`, with those inside `extra_body` beside the others."""
        own = {
            name: value for name, value in self.params.items() if name not in ("extra_body", "extra_query")
        }
        return {**own, **self.params.get("extra_body", {})}

    @property
    def literal_headers(self) -> tuple[str, ...]:
        """Names of the headers whose value is not read from the environment."""
        return tuple(name for name, value in self.headers.items() if not value.startswith(ENVIRONMENT_PREFIX))

    def to_document(self) -> dict[str, Json]:
        """Write the options for a file.

        Returns:
            What differs from the defaults, without literal headers: a value may be a secret.
        """
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        literal = self.literal_headers
        values["headers"] = {name: value for name, value in self.headers.items() if name not in literal}
        defaults = ModelOptions()
        return {name: value for name, value in values.items() if value != getattr(defaults, name)}


DEFAULT_OPTIONS = ModelOptions()


def model_options_of(options: ModelOptions | Mapping[str, Json] | None) -> ModelOptions:
    """Read options as a person wrote them.

    Args:
        options: Values by key, as in `[models."provider:/name"]`; or options; None: the defaults.

    Returns:
        The options.

    Raises:
        SettingsError: If a key does not exist, or a value cannot be used.
    """
    if options is None:
        return DEFAULT_OPTIONS
    if isinstance(options, ModelOptions):
        return options
    if not isinstance(options, Mapping):
        raise SettingsError("model_options: expected options by name, such as {'timeout_seconds': 60}.")
    for problem in option_problems(options):
        raise SettingsError(f"{problem}.")
    return ModelOptions(**options)


def _header_value(name: str, value: str) -> str:
    if not value.startswith(ENVIRONMENT_PREFIX):
        return value
    text = os.environ.get(environment_variable(value), "").strip()
    if not text or not is_header_value(text):
        raise ModelRefusedError(f"The header {name} needs a value; set {environment_variable(value)}.")
    return text
