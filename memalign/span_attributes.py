"""Attributes of spans, and the names under which conventions keep inputs, outputs and types among them.

The conventions are those of OpenTelemetry's GenAI, OpenInference, OpenLLMetry, Langfuse, Vercel and MLflow.
"""

from collections.abc import Mapping

from memalign.records import Json
from memalign.tool_calls import from_json

INPUT_ATTRIBUTES = (
    "mlflow.spanInputs", "gen_ai.input.messages", "gen_ai.tool.call.arguments", "input.value", "traceloop.entity.input",
    "langfuse.observation.input", "ai.prompt.messages", "ai.prompt", "ai.toolCall.args", "gen_ai.prompt",
)  # fmt: skip
OUTPUT_ATTRIBUTES = (
    "mlflow.spanOutputs", "gen_ai.output.messages", "gen_ai.tool.call.result", "output.value",
    "traceloop.entity.output", "langfuse.observation.output", "ai.response.text", "ai.response.toolCalls",
    "ai.response.object", "ai.toolCall.result", "gen_ai.completion",
)  # fmt: skip
TYPE_ATTRIBUTES = (
    "mlflow.spanType", "openinference.span.kind", "traceloop.span.kind", "langfuse.observation.type",
    "gen_ai.operation.name",
)  # fmt: skip
MESSAGE_PREFIXES = {
    "inputs": ("llm.input_messages.", "gen_ai.prompt."),
    "outputs": ("llm.output_messages.", "gen_ai.completion."),
}
BOOKKEEPING = ("mlflow.traceRequestId", "mlflow.spanLogLevel", "input.mime_type", "output.mime_type")


def read_attributes(attributes: Json) -> dict[str, Json]:
    """Read the attributes of a span or an event.

    Args:
        attributes: By name, or, as OTLP keeps them, a list of keys and typed values.

    Returns:
        Values by name; none where it is something else.
    """
    if isinstance(attributes, list):
        pairs = [each for each in attributes if isinstance(each, Mapping) and "key" in each]
        return {str(each["key"]): _otlp_value(each.get("value")) for each in pairs}
    if not isinstance(attributes, Mapping):
        return {}
    return {str(name): _unquoted(part) for name, part in attributes.items()}


def _otlp_value(value: Json) -> Json:
    if not isinstance(value, Mapping) or len(value) != 1:
        return value
    ((kind, inner),) = value.items()
    if kind == "arrayValue" and isinstance(inner, Mapping):
        return [_otlp_value(each) for each in inner.get("values") or ()]
    if kind == "kvlistValue" and isinstance(inner, Mapping):
        return read_attributes(inner.get("values"))
    return inner


def _unquoted(value: Json) -> Json:
    """Return what MLflow keeps as JSON in a text."""
    is_quoted = isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"'
    return (
        from_json(f"[{value}]")[0]
        if is_quoted and isinstance(from_json(f"[{value}]"), list)
        else from_json(value)
    )


def unflattened_messages(attributes: Mapping[str, Json], prefix: str) -> Json:
    """Put messages together whose parts are attributes of their own, such as `gen_ai.prompt.0.role`.

    Args:
        attributes: By name.
        prefix: What their names begin with, such as `gen_ai.prompt.`.

    Returns:
        A list of messages, in order.
    """
    messages: dict[int, dict[str, Json]] = {}
    for name, value in attributes.items():
        place, _, rest = name.removeprefix(prefix).partition(".")
        if name.startswith(prefix) and place.isdecimal() and rest:
            messages.setdefault(int(place), {})[rest.removeprefix("message.")] = value
    return [messages[place] for place in sorted(messages)]
