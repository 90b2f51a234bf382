"""Environment variables: those that the command's help names, and those of the models' providers."""

import re
from collections.abc import Mapping

from bot.__main__ import EPILOG
from memalign.models.providers import PROVIDERS, Provider
from reference.tables import code, table

FURTHER: Mapping[str, str] = {
    "MLFLOW_GENAI_OPTIMIZE_MAX_WORKERS": "model calls at once, where `MEMALIGN_MAX_WORKERS` is not set",
    "OPENAI_API_VERSION": "a date such as `2024-10-21`: `azure:/` models use Azure's API before v1",
    "AWS_REGION": "region of `bedrock:/` models, read by Anthropic's SDK",
    "CLOUD_ML_REGION": "region of `vertex:/` models, read by Anthropic's SDK",
    "ANTHROPIC_VERTEX_PROJECT_ID": "project of `vertex:/` models, read by Anthropic's SDK",
}
"""Variables that neither the help nor the list of providers names."""


def bot_variables() -> str:
    """Return a table of the variables that the bot reads, but for its models' keys and addresses."""
    variables = {**help_variables(), **FURTHER}
    return table(("variable", "meaning"), ((code(name), text) for name, text in variables.items()))


def model_variables() -> str:
    """Return a table of the variables of keys and addresses."""
    rows = [(code(name), ", ".join(purposes)) for name, purposes in provider_variables().items()]
    return table(("variable", "meaning"), rows)


def help_variables() -> dict[str, str]:
    """Return the variables that the command's help describes, but those of models."""
    entries = re.findall(r"^ {2}(\w+) {2,}(.+)$", EPILOG.partition("environment")[2], re.MULTILINE)
    return {name: text for name, text in entries if name not in provider_variables()}


def provider_variables() -> dict[str, list[str]]:
    """Return the variables of keys and addresses, each with its purposes."""
    purposes: dict[str, list[str]] = {}
    for name, provider in PROVIDERS.items():
        for variable, purpose in _variables_of(provider):
            purposes.setdefault(variable, []).append(f"{purpose} of {code(f'{name}:/')} models")
    return purposes


def _variables_of(provider: Provider) -> list[tuple[str, str]]:
    keys = [(variable, "key") for variable in provider.key_variables]
    address = [(provider.base_url_variable, "address")] if provider.base_url_variable else []
    return keys + address
