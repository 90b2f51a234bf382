"""The services that serve models, and where each of them is reached.

Addresses and the names of variables are those of the services' own documentation: Azure OpenAI (v1 API, and the API by
dated versions before it), Amazon Bedrock and Vertex AI as in Anthropic's SDK, and the OpenAI-compatible APIs of
Ollama, Gemini, Mistral, OpenRouter and Databricks.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal
from urllib.parse import urlsplit

from memalign.errors import MissingKeyError, ModelRefusedError, SettingsError
from memalign.models.address import check_address
from memalign.models.endpoint import NO_KEY, Endpoint
from memalign.models.options import DEFAULT_OPTIONS, ModelOptions

Api = Literal["openai", "anthropic", "litellm", "local"]
"""The interface that a provider's models have."""
_DATED_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(?:-preview)?")
_VERSION_VARIABLE = "OPENAI_API_VERSION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A service, or a kind of server."""

    api: Api
    key_variables: tuple[str, ...] = ()
    """Environment variables of its key; the first that is set counts."""
    needs_key: bool = True
    """False where there is none, or where its SDK finds credentials by itself."""
    base_url_variable: str = ""
    """Environment variable of its address."""
    base_url: str | None = None
    """Its address; None: as its SDK knows it."""
    needs_base_url: bool = False
    """True where each customer has an address of his own."""
    path: str = ""
    """Path of the API at an address that has none."""
    embeds: bool = False
    extra: str = ""
    """The extra of memalign that it needs."""
    module: str = ""
    """A module that this extra installs."""


PROVIDERS: Mapping[str, Provider] = {
    "openai": Provider(
        api="openai",
        key_variables=("OPENAI_API_KEY",),
        base_url_variable="OPENAI_BASE_URL",
        embeds=True,
    ),
    "anthropic": Provider(
        api="anthropic",
        key_variables=("ANTHROPIC_API_KEY",),
        base_url_variable="ANTHROPIC_BASE_URL",
    ),
    "azure": Provider(
        api="openai",
        key_variables=("AZURE_OPENAI_API_KEY",),
        base_url_variable="AZURE_OPENAI_ENDPOINT",
        needs_base_url=True,
        path="/openai/v1",
        embeds=True,
    ),
    "bedrock": Provider(
        api="anthropic",
        key_variables=("AWS_BEARER_TOKEN_BEDROCK",),
        needs_key=False,
        base_url_variable="ANTHROPIC_BEDROCK_BASE_URL",
        extra="bedrock",
        module="boto3",
    ),
    "vertex": Provider(
        api="anthropic",
        needs_key=False,
        base_url_variable="ANTHROPIC_VERTEX_BASE_URL",
        extra="vertex",
        module="google.auth",
    ),
    "ollama": Provider(
        api="openai",
        key_variables=("OLLAMA_API_KEY",),
        needs_key=False,
        base_url_variable="OLLAMA_BASE_URL",
        base_url="http://127.0.0.1:11434/v1",
        path="/v1",
        embeds=True,
    ),
    "gemini": Provider(
        api="openai",
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        base_url_variable="GEMINI_BASE_URL",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        embeds=True,
    ),
    "mistral": Provider(
        api="openai",
        key_variables=("MISTRAL_API_KEY",),
        base_url_variable="MISTRAL_BASE_URL",
        base_url="https://api.mistral.ai/v1",
        embeds=True,
    ),
    "openrouter": Provider(
        api="openai",
        key_variables=("OPENROUTER_API_KEY",),
        base_url_variable="OPENROUTER_BASE_URL",
        base_url="https://openrouter.ai/api/v1",
        embeds=True,
    ),
    "databricks": Provider(
        api="openai",
        key_variables=("DATABRICKS_TOKEN",),
        base_url_variable="DATABRICKS_HOST",
        needs_base_url=True,
        path="/serving-endpoints",
        embeds=True,
    ),
    "litellm": Provider(api="litellm", needs_key=False, embeds=True, extra="litellm", module="litellm"),
    "local": Provider(api="local", needs_key=False, embeds=True),
}


def endpoint_of(provider: str, model: str, options: ModelOptions = DEFAULT_OPTIONS) -> Endpoint:
    """Read where a model is reached and with which key.

    Args:
        provider: One of `PROVIDERS`, but local.
        model: The model's name, for errors.
        options: Of the model; what they leave out is read from the environment.

    Returns:
        The endpoint.

    Raises:
        MissingKeyError: If the key is not set.
        ModelRefusedError: If the address or the value of a header is not set.
        SettingsError: If the address is none, or holds a user name or password.
    """
    name, service = f"{provider}:/{model}", PROVIDERS[provider]
    address, address_name = _address(name, service, options)
    key, key_variable = _key(service, options)
    is_own_server = address not in (None, service.base_url) and not service.needs_base_url
    if not key and (options.api_key_env or (service.needs_key and not is_own_server)):
        raise MissingKeyError(
            f"{name} needs a key; set {key_variable}, or choose a local:/ model.", variable=key_variable
        )
    version = _dated_version(address) if provider == "azure" else None
    return Endpoint(
        provider=provider,
        key=key or NO_KEY,
        base_url=f"{_origin(address)}/openai" if version else _with_path(address, service),
        key_variable=key_variable,
        base_url_name=address_name,
        headers=tuple(options.resolved_headers().items()),
        api_version=version,
    )


def check_extra(provider: str, model: str, options: ModelOptions = DEFAULT_OPTIONS) -> None:
    """Check that what a provider needs is installed; nothing is imported.

    Args:
        provider: One of `PROVIDERS`.
        model: The model's name, for the error.
        options: Of the model; with a key of their own, no further package is needed to find credentials.

    Raises:
        SettingsError: If a package is missing.
    """
    service = PROVIDERS[provider]
    if not service.module or (service.api == "anthropic" and _key(service, options)[0]):
        return
    if not _is_installed(service.module):
        raise SettingsError(
            f"{provider}:/{model} needs the package {service.module}; run pip install 'memalign[{service.extra}]'."
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package around it is not there
        return False


def _key(service: Provider, options: ModelOptions) -> tuple[str, str]:
    """Return the key, empty where there is none, and the name of its variable."""
    variables = service.key_variables if options.api_key_env is None else (options.api_key_env,)
    for variable in filter(None, variables):
        if key := os.environ.get(variable, "").strip():
            return key, variable
    return "", next(filter(None, variables), "the variable of its provider's key")


def _address(name: str, service: Provider, options: ModelOptions) -> tuple[str | None, str]:
    """Return the address as it is set, and the name of what holds it."""
    if options.base_url is not None:
        return options.base_url, f"base_url of {name}"
    variable = service.base_url_variable
    address = os.environ.get(variable, "").strip() if variable else ""
    if not address:
        if service.needs_base_url:
            raise ModelRefusedError(f"{name} needs an address; set {variable}, or base_url of this model.")
        return service.base_url, variable or f"base_url of {name}"
    if service.needs_base_url and "://" not in address:
        address = f"https://{address}"
    check_address(variable, address)
    return address, variable


def _with_path(address: str | None, service: Provider) -> str | None:
    """Return an address with the path of the provider's API, where it has none of its own."""
    if address is None or urlsplit(address).path.strip("/"):
        return address
    return f"{address.rstrip('/')}{service.path}"


def _dated_version(address: str | None) -> str | None:
    """Return the version of Azure's API before v1, where one is chosen and the address does not name another API."""
    version = os.environ.get(_VERSION_VARIABLE, "").strip()
    is_bare = urlsplit(address or "").path.strip("/") in ("", "openai")
    return version if is_bare and _DATED_VERSION.fullmatch(version) else None


def _origin(address: str | None) -> str:
    parts = urlsplit(address or "")
    return f"{parts.scheme}://{parts.netloc}"
