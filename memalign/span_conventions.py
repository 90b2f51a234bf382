"""The conventions by which tools keep inputs, outputs and types among a span's attributes; the first that matches wins.

Sources: github.com/Arize-ai/openinference (spec/semantic_conventions.md); OpenTelemetry's semantic conventions for
generative AI, current and before 1.37; github.com/traceloop/openllmetry (semantic conventions); MLflow's
`SpanAttributeKey`; Langfuse's, the AI SDK's, Pydantic AI's, LangSmith's and Logfire's pages on OpenTelemetry.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from memalign.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanConvention:
    """One row of the table: names of attributes."""

    name: str
    """The tool or standard."""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    transcripts: tuple[str, ...] = ()
    """Attributes with the messages of both sides; the last one, if it is the assistant's, is the answer."""
    input_prefixes: tuple[str, ...] = ()
    """Beginnings of names such as `gen_ai.prompt.0.content`, which are parts of messages."""
    output_prefixes: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


SPAN_CONVENTIONS: Final = (
    SpanConvention(
        name="OpenInference",
        inputs=("input.value", "llm.input_messages"),
        outputs=("output.value", "llm.output_messages"),
        input_prefixes=("llm.input_messages.",),
        output_prefixes=("llm.output_messages.",),
        types=("openinference.span.kind",),
    ),
    SpanConvention(
        name="OpenTelemetry GenAI",
        inputs=("gen_ai.input.messages", "gen_ai.tool.call.arguments"),
        outputs=("gen_ai.output.messages", "gen_ai.tool.call.result"),
    ),
    SpanConvention(
        name="Pydantic AI",
        outputs=("final_result",),
        transcripts=("pydantic_ai.all_messages", "all_messages_events"),
    ),
    SpanConvention(
        name="OpenLLMetry",
        inputs=("traceloop.entity.input",),
        outputs=("traceloop.entity.output",),
        input_prefixes=("gen_ai.prompt.",),
        output_prefixes=("gen_ai.completion.",),
        types=("traceloop.span.kind",),
    ),
    SpanConvention(
        name="MLflow",
        inputs=("mlflow.spanInputs",),
        outputs=("mlflow.spanOutputs",),
        types=("mlflow.spanType",),
    ),
    SpanConvention(
        name="Langfuse",
        inputs=("langfuse.observation.input", "langfuse.trace.input"),
        outputs=("langfuse.observation.output", "langfuse.trace.output"),
        types=("langfuse.observation.type",),
    ),
    SpanConvention(
        name="AI SDK",
        inputs=("ai.prompt.messages", "ai.prompt", "ai.toolCall.args"),
        outputs=("ai.response.text", "ai.response.toolCalls", "ai.response.object", "ai.toolCall.result"),
    ),
    # gen_ai.prompt and gen_ai.completion were also OpenTelemetry's, in events, before 1.28
    SpanConvention(
        name="LangSmith",
        inputs=("gen_ai.prompt",),
        outputs=("gen_ai.completion",),
        types=("langsmith.span.kind",),
    ),
    SpanConvention(name="Logfire", inputs=("request_data",), outputs=("response_data",)),
    SpanConvention(
        name="OpenTelemetry GenAI, as events",
        inputs=("gen_ai.event.content",),
        types=("gen_ai.operation.name",),
    ),
)
"""In order of precedence, also for types: each tool names its kinds of spans more exactly than GenAI's operations."""

INPUT_ATTRIBUTES: Final = tuple(name for row in SPAN_CONVENTIONS for name in row.inputs)
OUTPUT_ATTRIBUTES: Final = tuple(name for row in SPAN_CONVENTIONS for name in row.outputs)
TRANSCRIPT_ATTRIBUTES: Final = tuple(name for row in SPAN_CONVENTIONS for name in row.transcripts)
TYPE_ATTRIBUTES: Final = tuple(name for row in SPAN_CONVENTIONS for name in row.types)
MESSAGE_PREFIXES: Final = tuple(
    prefix for row in SPAN_CONVENTIONS for prefix in (*row.input_prefixes, *row.output_prefixes)
)
SESSION_ATTRIBUTES: Final = (
    "session.id", "gen_ai.conversation.id", "langfuse.session.id", "traceloop.association.properties.session_id",
    "mlflow.trace.session", "ai.telemetry.metadata.sessionId", "langsmith.metadata.session_id",
    "langsmith.trace.session_id",
)  # fmt: skip
USER_ATTRIBUTES: Final = (
    "user.id", "enduser.id", "langfuse.user.id", "traceloop.association.properties.user_id", "mlflow.trace.user",
    "ai.telemetry.metadata.userId", "langsmith.metadata.user_id",
)  # fmt: skip
MODEL_ATTRIBUTES: Final = (
    "gen_ai.response.model", "llm.model_name", "gen_ai.request.model", "langfuse.observation.model.name", "ai.model.id",
)  # fmt: skip
_AI_PREFIXES = (
    "gen_ai.",
    "llm.",
    "openinference.",
    "traceloop.",
    "mlflow.",
    "langfuse.",
    "langsmith.",
    "ai.",
    "pydantic_ai.",
)
_ON_EVERY_SPAN = (
    "langfuse.environment", "langfuse.release", "langfuse.version", "traceloop.association.", "traceloop.workflow.name",
    "traceloop.entity.path", "mlflow.traceRequestId", "langsmith.metadata.", "langsmith.trace.session_",
)  # fmt: skip
"""Beginnings of names that libraries put on every span, also on one that has nothing to do with a model."""
_LLM_TYPES = {"llm", "chat", "chat_model", "generation", "text_completion", "generate_content"}


def is_of_ai(attributes: Iterable[str]) -> bool:
    """Tell whether a span has to do with a model, an agent or a tool of one.

    Args:
        attributes: Names of the attributes of a span and of its events.

    Returns:
        True if one of them is of a convention for AI.
    """
    return any(
        (name.startswith(_AI_PREFIXES) and not name.startswith(_ON_EVERY_SPAN)) or name in _CONTENT_NAMES
        for name in attributes
    )


_CONTENT_NAMES = frozenset((*INPUT_ATTRIBUTES, *OUTPUT_ATTRIBUTES, *TRANSCRIPT_ATTRIBUTES))


def is_model_call(span: Mapping[str, Json]) -> bool:
    """Tell whether a span is the call of a language model.

    Args:
        span: As `memalign.span_forms.span_document` returns it.

    Returns:
        True if its type says so or, where it has none, if it names a model.
    """
    kind = span.get("type")
    if isinstance(kind, str):
        return kind.lower() in _LLM_TYPES
    attributes = span.get("attributes")
    return isinstance(attributes, Mapping) and any(name in attributes for name in MODEL_ATTRIBUTES)
