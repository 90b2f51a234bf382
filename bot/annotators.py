"""People who answer in a connected tracing tool: they are known by the tool and by their name there. Pure."""

from collections.abc import Mapping

from bot.config.settings import ConnectorType

TOOL_NAMES: Mapping[ConnectorType, str] = {
    "mlflow": "MLflow",
    "langfuse": "Langfuse",
    "langsmith": "LangSmith",
    "phoenix": "Phoenix",
}
"""Names of the tools, by the first part of the ids of people who answer there."""


def annotator_id(tool: ConnectorType, name: str) -> str:
    """Return the id of somebody who answers in a tool, such as `mlflow:ana`."""
    return f"{tool}:{name}"


def is_annotator(person: str) -> bool:
    """Return whether somebody answers in a tool; ids of people in Slack have no colon."""
    tool, colon, _ = person.partition(":")
    return bool(colon) and tool in TOOL_NAMES


def annotator_name(person: str) -> str:
    """Return the name of somebody who answers in a tool, such as `ana (MLflow)`."""
    tool, _, name = person.partition(":")
    shown = next((words for known, words in TOOL_NAMES.items() if known == tool), tool)
    return f"{name} ({shown})"
