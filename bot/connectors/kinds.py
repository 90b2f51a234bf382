"""The kinds of tracing tools, and what opens each."""

import os
from collections.abc import Callable, Mapping

from bot.config import ConnectorSettings
from bot.config.settings import ConnectorType
from bot.connectors.langfuse import LOOKS_FOR_DELETIONS, LangfuseTool
from bot.connectors.langsmith import LangsmithTool
from bot.connectors.mlflow import MlflowTool
from bot.connectors.phoenix import PhoenixTool
from bot.connectors.tool import TracingTool
from memalign.errors import SettingsError

KINDS: Mapping[ConnectorType, Callable[[ConnectorSettings, str, bool], TracingTool]] = {
    "mlflow": lambda settings, key, _: MlflowTool(settings.url, key, settings.experiment),
    "langsmith": lambda settings, key, reads_steps: LangsmithTool(
        settings.url, key, settings.project, reads_steps=reads_steps
    ),
    "langfuse": lambda settings, key, _: LangfuseTool(
        settings.url,
        key,
        settings.project,
        LOOKS_FOR_DELETIONS if settings.follow_deletions else 0,
        queue=settings.queue,
    ),
    "phoenix": lambda settings, key, _: PhoenixTool(settings.url, key, settings.project),
}


def open_tool(
    settings: ConnectorSettings, environment: Mapping[str, str] = os.environ, *, reads_steps: bool = False
) -> TracingTool:
    """Return the tool of a connector; nothing is sent yet.

    Args:
        settings: the connector's.
        environment: holds its key.
        reads_steps: True if a judge looks at the steps of a run, for tools that ask for these by themselves.

    Raises:
        SettingsError: its key is not set.
    """
    key = environment.get(settings.api_key_env, "").strip() if settings.api_key_env else ""
    # somebody may have written the key itself there
    is_usual = settings.api_key_env == settings.api_key_env.upper()
    variable = settings.api_key_env if is_usual else "The variable that api_key_env names"
    if settings.api_key_env and not key:
        raise SettingsError(
            f"{variable} is missing; the connector {settings.name} needs it. "
            "Set it in the environment or in the file .env."
        )
    if not key.isprintable() or not (key.isascii() or ":" in key):
        raise SettingsError(
            f"{variable} holds characters that no key has; the connector {settings.name} needs it. Copy the key again."
        )
    return KINDS[settings.type](settings, key, reads_steps)
