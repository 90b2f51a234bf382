"""Which client stands behind a model's name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from memalign.errors import SettingsError
from memalign.models.endpoint import service
from memalign.models.llm_distiller import LLMDistiller
from memalign.models.llm_judge import LLMJudge
from memalign.ports import Distiller, Embedder, JudgeModel, LanguageModel

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


Use = Literal["embeds", "judges", "distils"]
_CHOICES: Mapping[Use, str] = {
    "embeds": "an openai:/ embedding model or local:/wordllama",
    "judges": "openai:/NAME, anthropic:/NAME or local:/cases",
    "distils": "openai:/NAME, anthropic:/NAME or local:/extract",
}
_DENIALS: Mapping[Use, str] = {
    "embeds": "does not embed",
    "judges": "does not judge",
    "distils": "does not distil",
}


def check_use(name: str, use: Use) -> ModelName:
    """Look whether the model can be used so; its name, taken apart. Raises `SettingsError`."""
    chosen = model_name(name)
    fits = _LOCAL_USES[chosen.name] == use if chosen.provider == "local" else True
    if not fits or (use == "embeds" and chosen.provider == "anthropic"):
        raise SettingsError(f"{name} {_DENIALS[use]}; choose {_CHOICES[use]}.")
    return chosen


def check_key(name: str) -> None:
    """Look whether the model's service has its key; no call is made. Raises `ModelRefusedError`, `SettingsError`."""
    chosen = model_name(name)
    if chosen.provider != "local":
        service(chosen.provider, chosen.name)


def connect_embedder(name: str, dimension: int) -> Embedder:
    """The embedding model of that name; a local one keeps its own dimension. Raises `SettingsError`."""
    chosen = check_use(name, "embeds")
    if dimension < 1:
        raise SettingsError(f"embedding_dim is {dimension}; set a whole number of at least 1.")
    if chosen.provider == "local":
        from memalign.models.local.wordllama import WordLlamaEmbedder  # noqa: PLC0415

        return WordLlamaEmbedder()
    from memalign.models.openai import OpenAIEmbedder  # noqa: PLC0415

    return OpenAIEmbedder(chosen.name, dimension)


def connect_judge_model(name: str) -> JudgeModel:
    """What judges under that name. Raises `SettingsError`."""
    chosen = check_use(name, "judges")
    if chosen.provider == "local":
        from memalign.models.local.case_classifier import CaseClassifier  # noqa: PLC0415

        return CaseClassifier()
    return LLMJudge(_language_model(chosen))


def connect_distiller(name: str) -> Distiller:
    """What distils under that name. Raises `SettingsError`."""
    chosen = check_use(name, "distils")
    if chosen.provider == "local":
        from memalign.models.local.extractive_distiller import ExtractiveDistiller  # noqa: PLC0415

        return ExtractiveDistiller()
    return LLMDistiller(_language_model(chosen))


def _language_model(chosen: ModelName) -> LanguageModel:
    if chosen.provider == "anthropic":
        from memalign.models.anthropic import AnthropicModel  # noqa: PLC0415

        return AnthropicModel(chosen.name)
    from memalign.models.openai import OpenAIModel  # noqa: PLC0415

    return OpenAIModel(chosen.name)
