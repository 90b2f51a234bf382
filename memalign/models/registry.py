"""Models by name: `provider:/name` -> client."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from memalign.errors import SettingsError
from memalign.models.llm_distiller import LLMDistiller
from memalign.models.llm_judge import LLMJudge
from memalign.models.observed_calls import (
    CallObserver,
    ObservedDistiller,
    ObservedEmbedder,
    ObservedJudgeModel,
    ObservedLanguageModel,
    Purpose,
)
from memalign.models.options import DEFAULT_OPTIONS, ModelOptions
from memalign.models.pair_comparison import PairComparer
from memalign.models.providers import PROVIDERS, check_extra, endpoint_of
from memalign.ports import Distiller, Embedder, JudgeModel, LanguageModel

_ALIASES: Mapping[str, str] = {"endpoints": "databricks"}
"""MLflow's other name of a provider -> ours."""
_MLFLOW_HINTS: Mapping[str, str] = {
    "databricks": "name a serving endpoint: databricks:/NAME",
    "gateway": "write openai:/NAME, with the gateway's address as base_url",
    "typesafe": "its models give no reasons; choose another",
}
"""MLflow's name of a model that is none here -> the remedy."""
_OTHER_VENDORS: Mapping[str, re.Pattern[str]] = {
    "bedrock": re.compile(
        r"(?:\w+\.)?(?:ai21|amazon|cohere|deepseek|google|meta|minimax|mistral|moonshot|nvidia|openai|qwen|writer)\."
    ),
    "vertex": re.compile(r"gem|llama|mistral|text-"),
}
"""Beginnings of the names of models that are none of Anthropic's, at clouds whose Anthropic models are used here."""
_LITELLM_NAMES: Mapping[str, str] = {"vertex": "vertex_ai"}
"""LiteLLM's name of a provider, where it is another one."""
_LOCAL_USES = {"wordllama": "embeds", "minilm": "embeds", "cases": "judges", "extract": "distils"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelName:
    """The parts of `provider:/name`."""

    provider: str
    name: str


_MINILM = ModelName(provider="local", name="minilm")


def model_name(text: str) -> ModelName:
    """Parse a model's name.

    Args:
        text: The provider's word in `memalign.models.providers.PROVIDERS` or MLflow's other name of it, `:/`, and the
            model's name there; of `local:/`, wordllama, minilm, cases or extract.

    Returns:
        Its parts.

    Raises:
        SettingsError: If it is none of these.
    """
    provider, mark, name = text.strip().partition(":/")
    provider, name = _ALIASES.get(provider, provider), name.strip("/")
    if not mark or not name or provider not in PROVIDERS:
        raise _no_model(text, provider, name)
    if provider == "litellm" and "/" not in name:
        raise SettingsError(f"{text!r} names no provider; write litellm:/PROVIDER/NAME.")
    if provider in _OTHER_VENDORS and _OTHER_VENDORS[provider].match(name):
        through = _LITELLM_NAMES.get(provider, provider)
        raise SettingsError(f"{text!r} is no model of Anthropic's; write litellm:/{through}/{name}.")
    if provider == "local" and name not in _LOCAL_USES:
        raise SettingsError(
            f"There is no local model {name!r}; local:/wordllama and local:/minilm embed, local:/cases judges, "
            "local:/extract makes guidelines."
        )
    return ModelName(provider=provider, name=name)


def _no_model(text: str, provider: str, name: str) -> SettingsError:
    if provider in _MLFLOW_HINTS:
        return SettingsError(f"{text!r} is no model here; {_MLFLOW_HINTS[provider]}.")
    known = f"{text!r} is no model; write openai:/NAME, anthropic:/NAME, or"
    nearest = get_close_matches(provider, PROVIDERS, n=1)
    if name and not nearest:
        return SettingsError(f"{known} litellm:/{provider}/{name} for another provider.")
    hint = f" (did you mean {nearest[0]}:/?)" if name and nearest[0] != provider else ""
    others = ", ".join(f"{each}:/" for each in PROVIDERS if each not in ("openai", "anthropic", "local"))
    return SettingsError(
        f"{known} local:/wordllama, local:/cases, local:/extract; other providers are {others}{hint}."
    )


Use = Literal["embeds", "judges", "distils"]
_CHOICES: Mapping[Use, str] = {
    "embeds": "an openai:/ embedding model or local:/wordllama",
    "judges": "openai:/NAME, anthropic:/NAME or local:/cases",
    "distils": "openai:/NAME, anthropic:/NAME or local:/extract",
}
_DENIALS: Mapping[Use, str] = {
    "embeds": "does not embed",
    "judges": "does not judge",
    "distils": "does not make guidelines",
}


def canonical_name(text: str) -> str:
    """Write a model's name the one way in which options are filed.

    Args:
        text: As for `model_name`.

    Returns:
        `provider:/name`, without blanks around it.

    Raises:
        SettingsError: If it is no model.
    """
    return _full_name(model_name(text))


def check_use(name: str, use: Use) -> ModelName:
    """Check that a model can be used for a purpose; no call is made.

    Args:
        name: As for `model_name`.
        use: What it is wanted for.

    Returns:
        The parts of its name.

    Raises:
        SettingsError: If there is no such model, or it cannot be used so.
    """
    model = model_name(name)
    suits = _LOCAL_USES[model.name] == use if model.provider == "local" else True
    if not suits or (use == "embeds" and not PROVIDERS[model.provider].embeds):
        raise SettingsError(f"{name} {_DENIALS[use]}; choose {_CHOICES[use]}.")
    return model


def check_key(name: str, options: ModelOptions = DEFAULT_OPTIONS) -> None:
    """Check that the key and the packages that a model needs are there; no call is made.

    Args:
        name: As for `model_name`.
        options: Of the model.

    Raises:
        ModelRefusedError: If the key or the address is missing.
        SettingsError: If there is no such model, or a package is missing.
    """
    model = model_name(name)
    _check_local_packages(model)
    check_extra(model.provider, model.name, options)
    if model.provider != "local":
        endpoint_of(model.provider, model.name, options)


def connect_embedder(
    name: str,
    dimension: int,
    options: ModelOptions = DEFAULT_OPTIONS,
    observe: CallObserver | None = None,
) -> Embedder:
    """Make the client of an embedding model; no call is made.

    Args:
        name: As for `model_name`, of a provider that embeds.
        dimension: Length of the vectors asked for; a local model keeps its own.
        options: Of the model.
        observe: Is told of each call; None by default.

    Returns:
        The client.

    Raises:
        SettingsError: If the model does not embed, a package is missing, or the dimension is below 1.
    """
    model = check_use(name, "embeds")
    if dimension < 1:
        raise SettingsError(f"embedding_dim is {dimension}; set a whole number of at least 1.")
    embedder = _embedder(model, dimension, options)
    return embedder if observe is None else ObservedEmbedder(embedder, observe)


def _embedder(model: ModelName, dimension: int, options: ModelOptions) -> Embedder:
    if model.provider == "local":
        return _local_embedder(model)
    check_extra(model.provider, model.name, options)
    from memalign.models.openai import OpenAIEmbedder  # noqa: PLC0415

    if PROVIDERS[model.provider].api == "litellm":
        from memalign.models.litellm_chat import send_embeddings  # noqa: PLC0415

        return OpenAIEmbedder(model.name, dimension, options, provider=model.provider, send=send_embeddings)
    return OpenAIEmbedder(model.name, dimension, options, provider=model.provider)


def _check_local_packages(model: ModelName) -> None:
    if model == _MINILM:
        from memalign.models.local.minilm import check_installed  # noqa: PLC0415

        check_installed()


def _local_embedder(model: ModelName) -> Embedder:
    _check_local_packages(model)
    if model == _MINILM:
        from memalign.models.local.minilm import MiniLMEmbedder  # noqa: PLC0415

        return MiniLMEmbedder()
    from memalign.models.local.wordllama import WordLlamaEmbedder  # noqa: PLC0415

    return WordLlamaEmbedder()


def connect_judge_model(
    name: str, options: ModelOptions = DEFAULT_OPTIONS, observe: CallObserver | None = None
) -> JudgeModel:
    """Make the client of a model that judges; no call is made.

    Args:
        name: As for `model_name`; of the local models `local:/cases`.
        options: Of the model.
        observe: Is told of each call; None by default.

    Returns:
        The client.

    Raises:
        SettingsError: If the model does not judge.
    """
    model = check_use(name, "judges")
    if model.provider == "local":
        from memalign.models.local.case_classifier import CaseClassifier  # noqa: PLC0415
        from memalign.models.local.sentence_vectors import installed_sentence_vectors  # noqa: PLC0415

        classifier = CaseClassifier(installed_sentence_vectors())
        return classifier if observe is None else ObservedJudgeModel(classifier, _full_name(model), observe)
    return LLMJudge(_language_model(model, options, "judging", observe))


def connect_distiller(
    name: str, options: ModelOptions = DEFAULT_OPTIONS, observe: CallObserver | None = None
) -> Distiller:
    """Make the client of a model that distils; no call is made.

    Args:
        name: As for `model_name`; of the local models `local:/extract`.
        options: Of the model.
        observe: Is told of each call; None by default.

    Returns:
        The client.

    Raises:
        SettingsError: If the model does not distil.
    """
    model = check_use(name, "distils")
    if model.provider == "local":
        from memalign.models.local.extractive_distiller import ExtractiveDistiller  # noqa: PLC0415

        extractor = ExtractiveDistiller()
        return extractor if observe is None else ObservedDistiller(extractor, _full_name(model), observe)
    return LLMDistiller(_language_model(model, options, "distilling", observe))


def connect_comparer(
    name: str, options: ModelOptions = DEFAULT_OPTIONS, observe: CallObserver | None = None
) -> PairComparer | None:
    """Make the client of a model that compares guidelines; no call is made.

    Args:
        name: Of a model that distils, as for `model_name`.
        options: Of the model.
        observe: Is told of each call; None by default.

    Returns:
        The client; None for `local:/extract`, which cannot tell a paraphrase from an opposite.

    Raises:
        SettingsError: If the model does not distil.
    """
    model = check_use(name, "distils")
    if model.provider == "local":
        return None
    return PairComparer(_language_model(model, options, "comparing", observe))


def check_options(name: str, options: ModelOptions) -> None:
    """Check that options suit a model; no call is made.

    Args:
        name: As for `model_name`.
        options: Of the model.

    Raises:
        SettingsError: If the model runs in this process, where there is nothing to set, or its service has no such
            form of an answer.
    """
    model = model_name(name)
    api = PROVIDERS[model.provider].api
    if api == "local" and options != DEFAULT_OPTIONS:
        raise SettingsError(f"{name} runs in this process and has no options; leave them out.")
    if api == "anthropic" and options.structured == "json_object":
        raise SettingsError(
            f'{name} has no structured = "json_object"; use "tool", "json_schema", "none" or "auto".'
        )


def _full_name(model: ModelName) -> str:
    return f"{model.provider}:/{model.name}"


def _language_model(
    model: ModelName, options: ModelOptions, purpose: Purpose, observe: CallObserver | None
) -> LanguageModel:
    served = _served_model(model, options)
    return served if observe is None else ObservedLanguageModel(served, purpose, observe)


def _served_model(model: ModelName, options: ModelOptions) -> LanguageModel:
    check_extra(model.provider, model.name, options)
    if PROVIDERS[model.provider].api == "litellm":
        from memalign.models.litellm_chat import LiteLLMChat  # noqa: PLC0415
        from memalign.models.served_model import ServedModel  # noqa: PLC0415

        return ServedModel(LiteLLMChat(), model.provider, model.name, options)
    if PROVIDERS[model.provider].api == "anthropic":
        from memalign.models.anthropic import AnthropicModel  # noqa: PLC0415

        return AnthropicModel(model.name, options, provider=model.provider)
    from memalign.models.openai import OpenAIModel  # noqa: PLC0415

    return OpenAIModel(model.name, options, provider=model.provider)
