"""One chat message as turns, in each form that common libraries and services write.

Read are the forms of OpenAI (chat completions and responses), Anthropic, Bedrock, Gemini, LangChain, Vercel's AI SDK,
OpenTelemetry, OpenInference and ShareGPT.
"""

from collections.abc import Mapping
from dataclasses import replace

from memalign.message_parts import Parts, is_part, read_parts
from memalign.records import Json
from memalign.tool_calls import CALL_ID_NAMES, first, from_json, read_call
from memalign.turns import ToolCall, Turn

_CONTENT_NAMES = (
    "content", "parts", "contents", "blocks", "message", "text", "refusal", "tool_calls", "function_call",
    "toolInvocations", "thinking",
)  # fmt: skip
_LANGCHAIN_ROLES = {
    "human": "user",
    "ai": "assistant",
    "system": "system",
    "tool": "tool",
    "function": "tool",
}
_ITEM_TYPES = frozenset({
    "message", "function_call", "function_call_output", "reasoning", "custom_tool_call", "custom_tool_call_output",
    "mcp_call", "web_search_call", "file_search_call", "code_interpreter_call", "computer_call",
    "computer_call_output", "image_generation_call", "local_shell_call", "local_shell_call_output",
})  # fmt: skip
"""Types of the items of OpenAI's responses."""
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function", "model", "human", "ai"})
_EARLY_STOPS = frozenset(
    {"length", "max_tokens", "content_filter", "model_length", "safety", "recitation", "error", "refusal"}
)
_MARKS = frozenset({"role", "message.role", "content", "message", "type", "from"})
"""Names of which each form of a message has one."""
_MEDIA_LISTS = ("images", "experimental_attachments", "attachments")
"""Names beside a message's content, of Ollama and Vercel's AI SDK."""
_SHARE_GPT_ROLES = {
    "human": "user",
    "gpt": "assistant",
    "system": "system",
    "user": "user",
    "assistant": "assistant",
}


def message_turns(value: Mapping[str, Json]) -> list[Turn] | None:
    """Read a message.

    Args:
        value: Any object, media replaced.

    Returns:
        Its turns: what is said and called, and the tools' results in it; None where it is no message.
    """
    if _MARKS.isdisjoint(value):
        return None
    forms = (_wrapped, _langchain, _named_by_role, _share_gpt, _response_item, _gemini_candidate)
    return next((turns for turns in (read(value) for read in forms) if turns is not None), None)


def _wrapped(value: Mapping[str, Json]) -> list[Turn] | None:
    """Read a choice of OpenAI's, or a message of OpenInference's."""
    inner = value.get("message")
    if not isinstance(inner, Mapping) or isinstance(value.get("role"), str):
        return None
    turns = message_turns(inner)
    return turns and [*turns[:-1], replace(turns[-1], stopped=_early_stop(value))]


def _langchain(value: Mapping[str, Json]) -> list[Turn] | None:
    """Read a message of LangChain's, also a serialised one."""
    kind, fields = value.get("type"), value
    if kind == "constructor" and isinstance(value.get("kwargs"), Mapping):
        kind, fields = str((value.get("id") or [""])[-1]), value["kwargs"]
        if not kind.lower().removesuffix("chunk").endswith("message"):
            return None
        return _langchain_turns(kind, fields)
    if not isinstance(kind, str):
        return None
    if kind not in _LANGCHAIN_ROLES and not kind.removesuffix("Chunk").endswith("Message"):
        return None
    data = value.get("data")
    fields = data if isinstance(data, Mapping) else value
    return _langchain_turns(kind, fields) if "content" in fields else None


def _named_by_role(value: Mapping[str, Json]) -> list[Turn] | None:
    flat = {str(name).removeprefix("message."): part for name, part in value.items()}
    role: Json = flat.get("role")
    if isinstance(role, str) and any(name in flat for name in _CONTENT_NAMES):
        return _sorted(role, flat)
    return None


def _share_gpt(value: Mapping[str, Json]) -> list[Turn] | None:
    speaker, words = value.get("from"), value.get("value")
    if not isinstance(speaker, str) or not isinstance(words, str) or speaker not in _SHARE_GPT_ROLES:
        return None
    return [Turn(role=_SHARE_GPT_ROLES[speaker], content=words)]


def _gemini_candidate(value: Mapping[str, Json]) -> list[Turn] | None:
    content = value.get("content")
    if not isinstance(content, Mapping) or not isinstance(content.get("parts"), list):
        return None
    turns = _sorted(str(content.get("role") or "model"), content)
    return [*turns[:-1], replace(turns[-1], stopped=_early_stop(value))]


def pair_turns(value: Json) -> list[Turn] | None:
    """Read LangChain's short form: role and words.

    Args:
        value: Any JSON.

    Returns:
        The turn; None where it is something else.
    """
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(part, str) for part in value):
        role, words = str(value[0]), str(value[1])
        return [Turn(role=_LANGCHAIN_ROLES.get(role, role), content=words)] if role in _ROLES else None
    return None


def _langchain_turns(kind: str, fields: Mapping[str, Json]) -> list[Turn]:
    short = kind.removesuffix("Chunk").removesuffix("Message").lower()
    role = str(fields.get("role") or "") if short == "chat" else _LANGCHAIN_ROLES.get(short, short)
    extra = fields.get("additional_kwargs")
    more = extra if isinstance(extra, Mapping) and not fields.get("tool_calls") else {}
    return _sorted(
        role or "user", {**more, **{name: part for name, part in fields.items() if part or name == "content"}}
    )


def _sorted(role: str, message: Mapping[str, Json]) -> list[Turn]:
    """Return the turns of one message: what is said and called, then the results in it, or the other way round."""
    parts = read_parts(_body(message))
    for call in _calls_beside(message):
        if not any(call.call_id and call.call_id == known.call_id for known in parts.calls):
            parts.calls.append(call)
    thinking = [
        *parts.thinking,
        *filter(None, [first(message, ("reasoning_content", "reasoning", "thinking"))]),
    ]
    parts.texts += _media_beside(message)
    is_tool = role in ("tool", "function")
    turn = Turn(
        role="tool" if role == "function" else role,
        content=_tool_content(message, parts) if is_tool else parts.text,
        name=first(message, ("name", "toolName", "tool_name")),
        thinking="\n".join(thinking),
        calls=tuple(parts.calls),
        call_id=first(message, CALL_ID_NAMES[1:]) if is_tool else "",
        stopped=_early_stop(message),
    )
    if is_tool and parts.results:
        return parts.results
    own = [turn] if turn.content or turn.thinking or turn.calls or not parts.results else []
    return [*own, *parts.results] if turn.calls else [*parts.results, *own]


def _body(message: Mapping[str, Json]) -> Json:
    """Return the content of a message; in Vercel's, the parts say more than the content beside them."""
    for name in ("parts", "contents", "blocks"):
        if isinstance(message.get(name), list) and message[name]:
            return message[name]
    return next(
        (
            message[name]
            for name in ("content", "message", "text", "refusal")
            if message.get(name) is not None
        ),
        None,
    )


def _tool_content(message: Mapping[str, Json], parts: Parts) -> Json:
    content = message.get("content")
    failed = message.get("status") == "error" or message.get("is_error")
    items = content if isinstance(content, list) else [content]
    is_data = content not in (None, []) and not any(is_part(item) for item in items)
    words = from_json(content) if is_data else parts.text
    return f"(error) {words}" if failed else words


def _calls_beside(message: Mapping[str, Json]) -> list[ToolCall]:
    calls = message.get("tool_calls")
    single = message.get("function_call")
    listed = [call for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
    return [read_call(call) for call in (*listed, *([single] if isinstance(single, Mapping) else []))]


def _media_beside(message: Mapping[str, Json]) -> list[str]:
    """Return the placeholders of media that stand beside the content: OpenAI's audio, Ollama's images, attachments."""
    audio = message.get("audio")
    beside: list[Json] = [{"type": "audio", **audio}] if isinstance(audio, Mapping) else []
    for name in _MEDIA_LISTS:
        media = message.get(name)
        beside += media if isinstance(media, list) else []
    if not beside:
        return []
    return read_parts(
        [{"type": "file", **each} if isinstance(each, Mapping) else each for each in beside]
    ).texts


def _response_item(item: Mapping[str, Json]) -> list[Turn] | None:
    """Read an item of OpenAI's responses."""
    if not isinstance(item.get("type"), str) or item["type"] not in _ITEM_TYPES:
        return None
    parts = read_parts([item])
    turn = Turn(
        role="assistant", content=parts.text, thinking="\n".join(parts.thinking), calls=tuple(parts.calls)
    )
    own = [turn] if turn.content or turn.thinking or turn.calls or not parts.results else []
    return [*own, *parts.results]


def _early_stop(message: Mapping[str, Json]) -> str:
    reason = first(message, ("finish_reason", "stop_reason", "finishReason"))
    return reason if reason.lower() in _EARLY_STOPS else first(message, ("stopped",))
