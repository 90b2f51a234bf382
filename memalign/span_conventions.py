"""The conventions by which tools keep inputs, outputs and types among a span's attributes; the first that matches wins.

Sources: github.com/Arize-ai/openinference (spec/semantic_conventions.md); OpenTelemetry's semantic conventions for
generative AI, current and before 1.37; github.com/traceloop/openllmetry (semantic conventions); MLflow's
`SpanAttributeKey`; Langfuse's, the AI SDK's, Pydantic AI's, LangSmith's and Logfire's pages on OpenTelemetry; Google's
ADK; and what the libraries of Pydantic AI 2.68, Langfuse 5.0, LangSmith, Logfire 5.4, MLflow 3.17 and Strands send.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
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
    calls: tuple[str, ...] = ()
    """Attributes with the tool calls of an answer, beside its words."""
    types: tuple[str, ...] = ()


SPAN_CONVENTIONS: Final = (
    SpanConvention(
        name="OpenInference",
        inputs=("input.value", "llm.input_messages"),
        outputs=("output.value", "llm.output_messages"),
        # OpenLLMetry's before 0.15 as well
        input_prefixes=("llm.input_messages.", "llm.prompts."),
        output_prefixes=("llm.output_messages.", "llm.choices.", "llm.completions."),
        types=("openinference.span.kind",),
    ),
    SpanConvention(
        name="OpenTelemetry GenAI",
        inputs=("gen_ai.input.messages", "gen_ai.tool.call.arguments"),
        outputs=("gen_ai.output.messages", "gen_ai.tool.call.result"),
    ),
    SpanConvention(
        name="Pydantic AI",
        inputs=("tool_arguments",),
        outputs=("final_result", "tool_response"),
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
        inputs=("langfuse.trace.input", "langfuse.observation.input"),
        outputs=("langfuse.trace.output", "langfuse.observation.output"),
        types=("langfuse.observation.type",),
    ),
    SpanConvention(
        name="AI SDK",
        inputs=("ai.prompt.messages", "ai.prompt", "ai.toolCall.args"),
        outputs=(
            *("ai.response.text", "ai.response.object", "ai.toolCall.result"),
            *("ai.result.text", "ai.result.object"),  # before 4.0
        ),
        calls=("ai.response.toolCalls", "ai.result.toolCalls"),
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
        name="Google ADK",
        inputs=("gcp.vertex.agent.llm_request", "gcp.vertex.agent.tool_call_args"),
        outputs=("gcp.vertex.agent.llm_response", "gcp.vertex.agent.tool_response"),
    ),
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
CALL_ATTRIBUTES: Final = tuple(name for row in SPAN_CONVENTIONS for name in row.calls)
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
    "gcp.vertex.agent.",
)
_ON_EVERY_SPAN = (
    "langfuse.environment", "langfuse.release", "langfuse.version", "traceloop.association.", "traceloop.workflow.name",
    "traceloop.entity.path", "mlflow.traceRequestId", "langsmith.metadata.", "langsmith.trace.session_",
)  # fmt: skip
"""Beginnings of names that libraries put on every span, also on one that has nothing to do with a model."""
_LLM_TYPES = {
    *(
        "llm",
        "chat",
        "chat_model",
        "generation",
        "completion",
        "text_completion",
        "generate_content",
        "response",
    ),
}
_UNASKED_TYPES = {"embedding", "embeddings", "rerank", "create_agent"}
"""Kinds of work in which nobody is asked and nobody answers."""
_KIND_ATTRIBUTES = (*TYPE_ATTRIBUTES, "llm.request.type", "ai.operationId")


def is_of_ai(attributes: Mapping[str, Json], event_attributes: Iterable[str] = ()) -> bool:
    """Tell whether a span has to do with a model, an agent or a tool of one that may be asked and may answer.

    Args:
        attributes: Those of a span.
        event_attributes: Names of its events and of their attributes; none by default.

    Returns:
        True if one of them is of a convention for AI, and the span does not just embed texts or set up an agent.
    """
    kinds = (attributes[name] for name in _KIND_ATTRIBUTES if name in attributes)
    if any(map(_is_unasked, kinds)):
        return False
    return any(
        (name.startswith(_AI_PREFIXES) and not name.startswith(_ON_EVERY_SPAN)) or name in _CONTENT_NAMES
        for name in chain(attributes, event_attributes)
    )


def _is_unasked(kind: Json) -> bool:
    plain = kind.strip('"').lower() if isinstance(kind, str) else ""
    return plain in _UNASKED_TYPES or plain.startswith(("ai.embed", "ai.rerank"))


_CONTENT_NAMES = frozenset((*INPUT_ATTRIBUTES, *OUTPUT_ATTRIBUTES, *TRANSCRIPT_ATTRIBUTES, *CALL_ATTRIBUTES))


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
