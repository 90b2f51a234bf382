"""Which client stands behind a model's name."""

from dataclasses import dataclass

from memalign.distiller import ModelDistiller
from memalign.errors import SettingsError
from memalign.judge import ModelDecider
from memalign.models.service import service
from memalign.ports import Decider, Distiller, Embedder, LanguageModel

PROVIDERS = ("openai", "anthropic", "local")
_LOCAL_USES = {"wordllama": "embeds", "cases": "judges", "extract": "distils"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelName:
    """`provider:/name`, taken apart."""

    provider: str
    name: str


def model_name(text: str) -> ModelName:
    """Take `provider:/name` apart. Raises `SettingsError`."""
    provider, mark, name = text.strip().partition(":/")
    name = name.strip("/")
    if not mark or not name or provider not in PROVIDERS:
        raise SettingsError(
            f"{text!r} is no model; write openai:/NAME, anthropic:/NAME, or local:/wordllama, local:/cases, "
            "local:/extract."
        )
    if provider == "local" and name not in _LOCAL_USES:
        raise SettingsError(
            f"There is no local model {name!r}; local:/wordllama embeds, local:/cases judges, "
            "local:/extract distils."
        )
    return ModelName(provider=provider, name=name)


def check_key(name: str) -> None:
    """Look whether the model's service has its key; no call is made. Raises `ModelRefusedError`, `SettingsError`."""
    chosen = model_name(name)
    if chosen.provider != "local":
        service(chosen.provider, chosen.name)


def connect_embedder(name: str, dimension: int) -> Embedder:
    """The embedding model of that name; a local one keeps its own dimension. Raises `SettingsError`."""
    chosen = model_name(name)
    if dimension < 1:
        raise SettingsError(f"embedding_dim is {dimension}; set a whole number of at least 1.")
    if chosen.provider == "openai":
        from memalign.models.openai import OpenAIEmbedder  # noqa: PLC0415

        return OpenAIEmbedder(chosen.name, dimension)
    if chosen == ModelName(provider="local", name="wordllama"):
        from memalign.models.wordllama import WordLlamaEmbedder  # noqa: PLC0415

        return WordLlamaEmbedder()
    raise SettingsError(f"{name} does not embed; choose an openai:/ embedding model or local:/wordllama.")


def connect_decider(name: str) -> Decider:
    """What judges under that name. Raises `SettingsError`."""
    chosen = model_name(name)
    if chosen == ModelName(provider="local", name="cases"):
        from memalign.models.cases import CasesDecider  # noqa: PLC0415

        return CasesDecider()
    if chosen.provider == "local":
        raise SettingsError(f"{name} does not judge; choose openai:/NAME, anthropic:/NAME or local:/cases.")
    return ModelDecider(_language_model(chosen))


def connect_distiller(name: str) -> Distiller:
    """What distils under that name. Raises `SettingsError`."""
    chosen = model_name(name)
    if chosen == ModelName(provider="local", name="extract"):
        from memalign.models.extract import ExtractDistiller  # noqa: PLC0415

        return ExtractDistiller()
    if chosen.provider == "local":
        raise SettingsError(
            f"{name} does not distil; choose openai:/NAME, anthropic:/NAME or local:/extract."
        )
    return ModelDistiller(_language_model(chosen))


def _language_model(chosen: ModelName) -> LanguageModel:
    if chosen.provider == "anthropic":
        from memalign.models.anthropic import AnthropicModel  # noqa: PLC0415

        return AnthropicModel(chosen.name)
    from memalign.models.openai import OpenAIModel  # noqa: PLC0415

    return OpenAIModel(chosen.name)
