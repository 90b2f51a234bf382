"""Parts of chat messages: texts, media, tool calls and tool results, in the forms of common libraries and services."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from memalign.message_media import MEDIA_KINDS, medium_texts, words_in
from memalign.records import Json
from memalign.tool_calls import TOOL_NAMES, first, from_json, read_call
from memalign.turns import ToolCall, Turn

_TEXT_NAMES = ("text", "content", "input_text", "output_text", "refusal", "value", "transcript", "output")
"""Names under which a part keeps its words."""
_THINKING_NAMES = ("thinking", "reasoning", "reasoning_content", "summary", "text", "content")
_THINKING_TYPES = ("thinking", "reasoning", "reasoning_content", "thought")
_CALL_TYPES = (
    "tool_use", "tool_call", "tool-call", "function_call", "functioncall", "function", "server_tool_use",
    "custom_tool_call", "mcp_call", "mcp_tool_use", "computer_call", "local_shell_call", "tool-invocation",
    "dynamic-tool", "web_search_call", "file_search_call", "code_interpreter_call",
)  # fmt: skip
_RESULT_TYPES = (
    "tool_result", "tool_call_response", "tool-result", "tool-error", "function_call_output", "function_response",
    "functionresponse", "web_search_tool_result", "mcp_tool_result", "custom_tool_call_output",
    "computer_call_output", "code_execution_tool_result", "local_shell_call_output", "tool_response",
)  # fmt: skip
_WRAPPERS = (
    "functionCall", "function_call", "functionResponse", "function_response", "toolUse", "toolResult", "toolInvocation",
    "tool_call", "tool_call_result", "reasoningContent", "message_content", "image", "document", "video", "audio",
    "inlineData", "inline_data", "fileData", "file_data",
)  # fmt: skip
"""Names of an object in a part without a type that say what it is: Gemini's, Bedrock's, OpenInference's."""
_RESULT_ID_NAMES = ("tool_use_id", "call_id", "tool_call_id", "toolCallId", "toolUseId", "id")
_RESULT_NAMES = ("output", "response", "result", "content", "errorText", "error", "value")
_SILENT_TYPES = ("step-start", "step-finish", "redacted_thinking")
"""Types of parts that say nothing."""
_PART_TYPES = frozenset(
    (*_THINKING_TYPES, *_CALL_TYPES, *_RESULT_TYPES, *MEDIA_KINDS, *_SILENT_TYPES, "text", "input_text",
     "output_text", "refusal", "source-url", "source-document")
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Parts:
    """The parts of one message, sorted by what they are."""

    texts: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    results: list[Turn] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The words, a line for each part."""
        return "\n".join(filter(None, self.texts))


def is_part(value: Json) -> bool:
    """Tell whether a value is a part of a message.

    Args:
        value: Any JSON.

    Returns:
        True for an object whose type is known.
    """
    return isinstance(value, Mapping) and str(value.get("type", "")).lower() in _PART_TYPES


def read_parts(content: Json) -> Parts:
    """Read the content of a message.

    Args:
        content: A text, a part, or a list of both.

    Returns:
        Its parts; what is not known is a text in JSON.
    """
    parts = Parts()
    for part in content if isinstance(content, list | tuple) else [content]:
        _add(parts, part)
    return parts


def read_result(result: Mapping[str, Json]) -> Turn:
    """Read a tool's result, whatever its form.

    Args:
        result: The object that holds it.

    Returns:
        A turn of the tool.
    """
    content = next((result[each] for each in _RESULT_NAMES if result.get(each) is not None), "")
    failed = result.get("is_error") or result.get("isError") or result.get("status") == "error"
    words = _result_words(content)
    return Turn(
        role="tool",
        name=first(result, TOOL_NAMES),
        content=f"(error) {words}" if failed else words,
        call_id=first(result, _RESULT_ID_NAMES),
    )


def _result_words(content: Json) -> Json:
    if isinstance(content, Mapping) and content.keys() == {"type", "value"}:  # Vercel's outputs
        content = content["value"]
    if isinstance(content, list) and content and all(is_part(part) or _is_text(part) for part in content):
        only = content[0]
        if len(content) == 1 and isinstance(only, Mapping) and only.keys() == {"json"}:
            return only["json"]
        content = read_parts(content).text
    return from_json(content)


def _is_text(part: Json) -> bool:
    return isinstance(part, str) or (isinstance(part, Mapping) and part.keys() in ({"text"}, {"json"}))


def _add(parts: Parts, part: Json) -> None:
    if isinstance(part, Mapping):
        _add_object(parts, part)
    elif part is not None:
        parts.texts.append(
            part if isinstance(part, str) else json.dumps(part, ensure_ascii=False, default=str)
        )


def _add_object(parts: Parts, part: Mapping[str, Json]) -> None:
    kind = first(part, ("type", "block_type", "part_kind")).lower()
    wrapper = next((each for each in _WRAPPERS if each in part and isinstance(part[each], Mapping)), "")
    if wrapper and kind in ("", wrapper.lower(), "tool-invocation"):
        _add_wrapped(parts, wrapper, part[wrapper])
    elif kind in _THINKING_TYPES or part.get("thought") is True:
        parts.thinking += words_in(part, _THINKING_NAMES)
    elif kind in _RESULT_TYPES:
        parts.results.append(read_result(part))
    elif kind in _CALL_TYPES or kind.startswith("tool-"):
        _add_call(parts, part)
    elif kind in MEDIA_KINDS:
        parts.texts += medium_texts(part, MEDIA_KINDS[kind])
    elif kind not in _SILENT_TYPES:
        parts.texts += words_in(part, _TEXT_NAMES) or [json.dumps(part, ensure_ascii=False, default=str)]


def _add_wrapped(parts: Parts, wrapper: str, inner: Mapping[str, Json]) -> None:
    name = wrapper.lower().replace("_", "")
    if name in ("functioncall", "tooluse", "toolcall", "toolinvocation"):
        _add_call(parts, inner)
    elif name in ("functionresponse", "toolresult", "toolcallresult"):
        origin = inner.get("origin")  # of Haystack's results: the call
        call = origin if isinstance(origin, Mapping) else {}
        parts.results.append(read_result({**call, "is_error": inner.get("error") is True, **inner}))
    elif name == "reasoningcontent":
        parts.thinking += words_in(inner, ("reasoningText", "text"))
    elif name == "messagecontent":
        _add(parts, inner)
    else:
        parts.texts += medium_texts(inner, MEDIA_KINDS.get(name, "file"))


def _add_call(parts: Parts, call: Mapping[str, Json]) -> None:
    """Add a call, and its result where it is kept with it."""
    tool_call = read_call(call)
    parts.calls.append(tool_call)
    names = [name for name in ("output", "result", "errorText", "error") if call.get(name) is not None]
    if names:
        result = read_result(
            {name: call[name] for name in names} | {"is_error": names[0].startswith("error")}
        )
        parts.results.append(
            Turn(role="tool", name=tool_call.name, content=result.content, call_id=tool_call.call_id)
        )
