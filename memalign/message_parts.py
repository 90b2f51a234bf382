"""Parts of chat messages: texts, media, tool calls and tool results, in the forms of common libraries and services."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from memalign.media import declared_type
from memalign.media_types import placeholder
from memalign.records import Json
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
_MEDIA_KINDS = {
    "image": "image", "image_url": "image", "input_image": "image", "audio": "audio", "input_audio": "audio",
    "video": "video", "video_url": "video", "file": "file", "input_file": "file", "document": "file", "media": "file",
    "blob": "file", "uri": "file", "inline_data": "file", "inlinedata": "file", "file_data": "file",
    "filedata": "file", "image_generation_call": "image", "computer_screenshot": "image", "audio_url": "audio",
    "resource": "file", "resource_link": "file",
}  # fmt: skip
_WRAPPERS = (
    "functionCall", "function_call", "functionResponse", "function_response", "toolUse", "toolResult", "toolInvocation",
    "tool_call", "tool_call_result", "reasoningContent", "message_content", "image", "document", "video", "audio",
    "inlineData", "inline_data", "fileData", "file_data",
)  # fmt: skip
"""Names of an object in a part without a type that say what it is: Gemini's, Bedrock's, OpenInference's."""
_LINK_NAMES = (
    "url",
    "image_url",
    "file_url",
    "uri",
    "file_uri",
    "fileUri",
    "file_id",
    "fileId",
    "filename",
    "name",
)
CALL_ID_NAMES = ("id", "call_id", "tool_call_id", "tool_use_id", "toolCallId", "toolUseId")
_RESULT_ID_NAMES = ("tool_use_id", "call_id", "tool_call_id", "toolCallId", "toolUseId", "id")
_NAME_NAMES = ("name", "toolName", "tool_name")
_ARGUMENT_NAMES = ("arguments", "input", "args", "parameters", "action", "query", "queries", "code")
_RESULT_NAMES = ("output", "response", "result", "content", "errorText", "error", "value")
_SILENT_TYPES = ("step-start", "step-finish", "redacted_thinking")
"""Types of parts that say nothing."""
_PART_TYPES = frozenset(
    (*_THINKING_TYPES, *_CALL_TYPES, *_RESULT_TYPES, *_MEDIA_KINDS, *_SILENT_TYPES, "text", "input_text",
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


def read_call(call: Mapping[str, Json]) -> ToolCall:
    """Read a tool call, whatever its form.

    Args:
        call: The object that holds it.

    Returns:
        The call; its arguments are read as JSON where they are a text of it.
    """
    outer = call["tool_call"] if isinstance(call.get("tool_call"), Mapping) else call
    inner = outer["function"] if isinstance(outer.get("function"), Mapping) else outer
    name = first(inner, _NAME_NAMES) or str(call.get("type", "")).removeprefix("tool-") or "tool"
    arguments: Json = next((inner[each] for each in _ARGUMENT_NAMES if inner.get(each) is not None), {})
    return ToolCall(name=name, arguments=from_json(arguments), call_id=first(outer, CALL_ID_NAMES))


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
        name=first(result, _NAME_NAMES),
        content=f"(error) {words}" if failed else words,
        call_id=first(result, _RESULT_ID_NAMES),
    )


def first(value: Mapping[str, Json], names: Iterable[str]) -> str:
    """Find the first text under some names.

    Args:
        value: An object.
        names: In order of preference.

    Returns:
        The text; empty without one.
    """
    return next((value[name] for name in names if isinstance(value.get(name), str) and value[name]), "")


def from_json(value: Json) -> Json:
    """Read a text of a JSON object or list.

    Args:
        value: Any JSON.

    Returns:
        What the text says; anything else as it is.
    """
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


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
    wrapper = next((each for each in _WRAPPERS if isinstance(part.get(each), Mapping)), "")
    if wrapper and kind in ("", wrapper.lower(), "tool-invocation"):
        _add_wrapped(parts, wrapper, part[wrapper])
    elif kind in _THINKING_TYPES or part.get("thought") is True:
        parts.thinking += _words(part, _THINKING_NAMES)
    elif kind in _RESULT_TYPES:
        parts.results.append(read_result(part))
    elif kind in _CALL_TYPES or kind.startswith("tool-"):
        _add_call(parts, part)
    elif kind in _MEDIA_KINDS:
        parts.texts += _medium(part, _MEDIA_KINDS[kind])
    elif kind not in _SILENT_TYPES:
        parts.texts += _words(part, _TEXT_NAMES) or [json.dumps(part, ensure_ascii=False, default=str)]


def _add_wrapped(parts: Parts, wrapper: str, inner: Mapping[str, Json]) -> None:
    name = wrapper.lower().replace("_", "")
    if name in ("functioncall", "tooluse", "toolcall", "toolinvocation"):
        _add_call(parts, inner)
    elif name in ("functionresponse", "toolresult", "toolcallresult"):
        origin = inner.get("origin")  # of Haystack's results: the call
        call = origin if isinstance(origin, Mapping) else {}
        parts.results.append(read_result({**call, "is_error": inner.get("error") is True, **inner}))
    elif name == "reasoningcontent":
        parts.thinking += _words(inner, ("reasoningText", "text"))
    elif name == "messagecontent":
        _add(parts, inner)
    else:
        parts.texts += _medium(inner, _MEDIA_KINDS.get(name, "file"))


def _add_call(parts: Parts, call: Mapping[str, Json]) -> None:
    """Add a call, and its result where it is kept with it."""
    made = read_call(call)
    parts.calls.append(made)
    names = [name for name in ("output", "result", "errorText", "error") if call.get(name) is not None]
    if names:
        result = read_result(
            {name: call[name] for name in names} | {"is_error": names[0].startswith("error")}
        )
        parts.results.append(Turn(role="tool", name=made.name, content=result.content, call_id=made.call_id))


def _words(part: Mapping[str, Json], names: Iterable[str]) -> list[str]:
    for name in names:
        value = part.get(name)
        if isinstance(value, str):
            return [value]
        if isinstance(value, list):
            return [
                text
                for inner in value
                for text in ([inner] if isinstance(inner, str) else _words(inner, names))
            ]
        if isinstance(value, Mapping) and (found := _words(value, names)):  # {"text": {"value": "…"}}
            return found
    return []


def _medium(part: Mapping[str, Json], kind: str) -> list[str]:
    """Return the placeholder in a part of a medium; without one, its link, with what else it says in words."""
    texts = list(_texts(part))
    placeholders = [text for text in texts if text.startswith("[") and text.endswith("]")]
    spoken = [part["transcript"]] if isinstance(part.get("transcript"), str) else []
    if placeholders:
        return [*placeholders, *spoken]
    links = [link for link in map(str.strip, _links(part)) if link]
    words = [] if links or kind != "file" else _words(part, ("text", "content", "data"))
    source = part.get("source")
    if not links and isinstance(source, Mapping):  # Anthropic's documents of plain text
        words = words or _words(source, ("data", "content", "text"))
    return [
        *(words or [placeholder(declared_type(part) or kind, None, links[0] if links else "")]),
        *spoken,
    ]


def _links(part: Mapping[str, Json]) -> Iterator[str]:
    for name in _LINK_NAMES:
        if isinstance(part.get(name), str):
            yield part[name]
    for inner in part.values():
        if isinstance(inner, Mapping):
            yield from _links(inner)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
