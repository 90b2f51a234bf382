"""Chat messages as turns, whatever library or service wrote them.

Read are the forms of OpenAI (chat completions and responses), Anthropic, Bedrock, Gemini, LangChain, Vercel's AI SDK,
OpenTelemetry, OpenInference and ShareGPT. Everything else stays as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from memalign.message_parts import CALL_ID_NAMES, Parts, first, from_json, is_part, read_call, read_parts
from memalign.records import Json
from memalign.turns import ToolCall, Turn, is_turn, turn_text

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
_ENVELOPE = frozenset({
    "id", "object", "created", "createdat", "model", "systemfingerprint", "servicetier", "usage", "index", "logprobs",
    "finishreason", "stopreason", "stopsequence", "temperature", "topp", "maxtokens", "maxcompletiontokens", "stream",
    "responsemetadata", "usagemetadata", "promptfeedback", "modelversion", "n", "seed", "paralleltoolcalls",
    "toolchoice", "responseformat", "streamoptions", "provider", "metadata", "status", "responseid",
})  # fmt: skip
"""Names beside messages that say nothing of what is asked or answered; without underscores, in lower case."""
_MAX_DEPTH = 60


def read_messages(value: Json) -> Json:
    """Put turns for the chat messages in a value.

    Args:
        value: Any JSON, media replaced.

    Returns:
        The value in which each list of messages, and each message alone, is a list of turns (`Turn.document`) or a
        turn. To call it again changes nothing.
    """
    return _read(value, 0)


def without_envelopes(value: Json) -> Json:
    """Write the turns in a value as texts, without what services put around them: ids, models, usage.

    Args:
        value: As `read_messages` returns it.

    Returns:
        The value with a text for each turn. An assistant's words that stand alone are without their role.
    """
    return _spoken(value, 0)


def _read(value: Json, depth: int) -> Json:
    if depth > _MAX_DEPTH:
        return value
    if isinstance(value, str):
        return _read_text(value, depth)
    turns = _turns(value)
    if turns:
        documents = [turn.document() for turn in _with_tool_names(turns)]
        return documents[0] if isinstance(value, Mapping) and len(documents) == 1 else documents
    if isinstance(value, Mapping):
        return {name: _read(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        if value and all(is_part(item) for item in value):
            parts = read_parts(value)
            if not (
                parts.calls or parts.results
            ):  # those of tools are no words: a request's tools, for instance
                return parts.text
        return [_read(item, depth + 1) for item in value]
    return value


def _read_text(text: str, depth: int) -> Json:
    """Read messages in a text of JSON, as attributes of spans hold them."""
    if text.lstrip()[:1] not in ("{", "[") or not (
        '"role"' in text or '"messages"' in text or '"kwargs"' in text
    ):
        return text
    document = from_json(text)
    inner = document if isinstance(document, str) else _read(document, depth + 1)
    return text if inner == document and not _holds_turns(inner) else inner


def _holds_turns(value: Json) -> bool:
    if is_turn(value):
        return True
    inner: Iterable[Json] = (
        value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    )
    return any(map(_holds_turns, inner))


def _turns(value: Json) -> list[Turn] | None:
    """Return the turns of a message, or of a list of nothing but messages; None where it is something else."""
    if isinstance(value, Mapping):
        return _message(value)
    if not isinstance(value, list | tuple) or not value:
        return None
    turns: list[Turn] = []
    for item in value:
        read = _message(item) if isinstance(item, Mapping) else _pair(item)
        if read is None:
            return None
        turns += read
    return turns


def _pair(value: Json) -> list[Turn] | None:
    """Read LangChain's short form: role and words."""
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(part, str) for part in value):
        role, words = str(value[0]), str(value[1])
        return [Turn(role=_LANGCHAIN_ROLES.get(role, role), content=words)] if role in _ROLES else None
    return None


def _message(value: Mapping[str, Json]) -> list[Turn] | None:
    kind = value.get("type")
    inner = value.get("message")
    if isinstance(inner, Mapping) and not isinstance(
        value.get("role"), str
    ):  # OpenAI's choices, OpenInference
        turns = _message(inner)
        return turns and [*turns[:-1], replace(turns[-1], stopped=_early_stop(value))]
    if kind == "constructor" and isinstance(value.get("kwargs"), Mapping):  # LangChain, serialised
        name = str((value.get("id") or [""])[-1])
        return (
            _langchain(name, value["kwargs"])
            if name.lower().removesuffix("chunk").endswith("message")
            else None
        )
    if isinstance(kind, str) and (kind in _LANGCHAIN_ROLES or kind.removesuffix("Chunk").endswith("Message")):
        data = value.get("data")
        fields = data if isinstance(data, Mapping) else value
        return _langchain(kind, fields) if "content" in fields else None
    flat = {str(name).removeprefix("message."): part for name, part in value.items()}
    role: Json = flat.get("role")
    if isinstance(role, str) and any(name in flat for name in _CONTENT_NAMES):
        return _sorted(role, flat)
    if (
        isinstance(value.get("from"), str)
        and isinstance(value.get("value"), str)
        and value["from"] in _SHARE_GPT
    ):
        return [Turn(role=_SHARE_GPT[value["from"]], content=value["value"])]
    if isinstance(kind, str) and kind in _ITEM_TYPES:
        return _item(value)
    content = value.get("content")  # Gemini's candidates
    if isinstance(content, Mapping) and isinstance(content.get("parts"), list):
        turns = _sorted(str(content.get("role") or "model"), content)
        return [*turns[:-1], replace(turns[-1], stopped=_early_stop(value))]
    return None


_MEDIA_LISTS = ("images", "experimental_attachments", "attachments")
"""Names beside a message's content, of Ollama and Vercel's AI SDK."""
_SHARE_GPT = {
    "human": "user",
    "gpt": "assistant",
    "system": "system",
    "user": "user",
    "assistant": "assistant",
}


def _langchain(kind: str, fields: Mapping[str, Json]) -> list[Turn]:
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
    return read_parts(
        [{"type": "file", **each} if isinstance(each, Mapping) else each for each in beside]
    ).texts


def _item(item: Mapping[str, Json]) -> list[Turn]:
    """Return the turns of an item of OpenAI's responses."""
    parts = read_parts([item])
    turn = Turn(
        role="assistant", content=parts.text, thinking="\n".join(parts.thinking), calls=tuple(parts.calls)
    )
    own = [turn] if turn.content or turn.thinking or turn.calls or not parts.results else []
    return [*own, *parts.results]


def _early_stop(message: Mapping[str, Json]) -> str:
    reason = first(message, ("finish_reason", "stop_reason", "finishReason"))
    return reason if reason.lower() in _EARLY_STOPS else first(message, ("stopped",))


def _with_tool_names(turns: Sequence[Turn]) -> list[Turn]:
    """Name the results by the calls that they answer."""
    names = {call.call_id: call.name for turn in turns for call in turn.calls if call.call_id}
    return [
        replace(turn, name=names[turn.call_id]) if not turn.name and turn.call_id in names else turn
        for turn in turns
    ]


def _spoken(value: Json, depth: int) -> Json:
    if depth > _MAX_DEPTH:
        return value
    if is_turn(value):
        return _alone(value)
    if isinstance(value, list) and value and all(map(is_turn, value)):
        return _alone(value[0]) if len(value) == 1 else "\n".join(map(turn_text, value))
    if isinstance(value, list):
        return [_spoken(item, depth + 1) for item in value]
    if not isinstance(value, Mapping):
        return value
    speaks = any(map(_speaks, value.values()))
    return {
        name: _spoken(inner, depth + 1)
        for name, inner in value.items()
        if not speaks or _plain_name(name) not in _ENVELOPE or _speaks(inner)
    }


def _plain_name(name: str) -> str:
    return str(name).lower().replace("_", "")


def _speaks(value: Json) -> bool:
    return is_turn(value) or (isinstance(value, list) and bool(value) and all(map(is_turn, value)))


def _alone(turn: Mapping[str, Json]) -> str:
    is_plain = turn["role"] in ("assistant", "model") and turn.keys() <= {"role", "content"}
    return turn["content"] if is_plain and isinstance(turn["content"], str) else turn_text(turn)
