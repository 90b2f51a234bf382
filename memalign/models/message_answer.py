"""The answer in a message of a chat model: by a tool call, in its text, or in its text's parts."""

from collections.abc import Mapping

from memalign.models.answer_form import answer_in, usable
from memalign.models.answer_reading import find_answer, find_whole_answer
from memalign.models.json_answers import objects_at, text_at, value_at
from memalign.models.thinking import spoken_spans
from memalign.records import Json

_TEXT_TYPES = ("text", "output_text", "")
"""Types of the parts that a model says; of the others, thinking parts hold text too."""
_REASONING_FIELDS = ("reasoning_content", "reasoning")


def answer_of_chat(
    message: Json, schema: Mapping[str, Json], requested: Mapping[str, Json] | None
) -> dict[str, Json] | None:
    """Read the answer in a message of a server that speaks like OpenAI.

    Args:
        message: The message.
        schema: The JSON schema of the answer.
        requested: The schema as it was asked for in the call; None where the call was made without. JSON in the
            field for reasoning counts only with it, and only where nothing else was said.

    Returns:
        The answer; None where there is none.
    """
    calls = (*objects_at(message, "tool_calls"), {"function": value_at(message, "function_call")})
    called = _by_tool([value_at(call, "function", "arguments") for call in calls], schema)
    if called is not None:
        return called
    content = value_at(message, "content")
    if isinstance(content, dict) and (answer := usable(answer_in(content, schema), schema)) is not None:
        return answer
    text = spoken_text(content)
    if text.strip() or requested is None:
        return find_answer(text, schema)
    reasoning = (text_at(message, field) for field in _REASONING_FIELDS)
    return find_whole_answer(next((each for each in reasoning if each.strip()), ""), schema)


def answer_of_blocks(content: Json, schema: Mapping[str, Json]) -> dict[str, Json] | None:
    """Read the answer in a message of a server that speaks like Anthropic.

    Args:
        content: The message's blocks.
        schema: The JSON schema of the answer.

    Returns:
        The input of its last call of a tool that is an answer, else the answer in its text; None where there is none.
    """
    blocks = objects_at({"content": content}, "content")
    called = _by_tool([block.get("input") for block in blocks if block.get("type") == "tool_use"], schema)
    return find_answer(spoken_text(content), schema) if called is None else called


def spoken_text(content: Json) -> str:
    """Join what is said in a message's content.

    Args:
        content: A text, or a list of texts and parts.

    Returns:
        The text without the parts that are thinking.
    """
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    return "\n".join(filter(None, map(_part_text, parts)))


def says_something(content: Json) -> bool:
    """Tell whether a message holds more than thoughts.

    Args:
        content: A text, or a list of texts and parts.

    Returns:
        False if nothing was said, or the thoughts have no end.
    """
    text = spoken_text(content)
    return any(text[start:end].strip() for start, end in spoken_spans(text, ()))


def _part_text(part: Json) -> str:
    if isinstance(part, str):
        return part
    if text_at(part, "type") not in _TEXT_TYPES or value_at(part, "thought") is True:  # a thought of Gemini's
        return ""
    return text_at(part, "text") or text_at(part, "text", "value") or text_at(part, "content")


def _by_tool(arguments: list[Json], schema: Mapping[str, Json]) -> dict[str, Json] | None:
    """Return the last arguments that are an answer."""
    for each in reversed(arguments):
        answer = (
            find_answer(each, schema) if isinstance(each, str) else usable(answer_in(each, schema), schema)
        )
        if answer is not None:
            return answer
    return None
