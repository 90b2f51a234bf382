"""Refusals of content: a filter before the model, or the model itself, will not deal with what a prompt says."""

import re

from memalign.models.json_answers import objects_at, text_at
from memalign.models.service_words import ServiceWords
from memalign.records import Json

_FILTER_WORDS = re.compile(
    r"content[ _-]?(?:filter|policy|management policy|moderation|exists risk|violates)"
    r"|responsible ?ai ?policy|data_?inspection_?failed|inappropriate content|safety_check|safety system"
    r"|prohibited_content|(?:input|prompt|output|request)s?(?: was| were)? (?:flagged|blocked)"
    r"|flagged (?:by|as|for)|requires moderation|guardrail|usage (?:guidelines|policies)|sensitive[ _]words?"
    r"|recitation|blocklist|敏感内容|不安全|违规内容",
    re.IGNORECASE,
)
"""OpenAI, Azure, Anthropic, Bedrock, Vertex, xAI, DeepSeek, Qwen, Zhipu, OpenRouter and LiteLLM, in their own words."""
_FINISHES = {
    "content_filter",
    "content-filter",
    "safety",
    "prohibited_content",
    "blocklist",
    "recitation",
    "spii",
}
"""`finish_reason` of a chat whose answer was withheld."""
_STOPS = {"refusal", "content_filtered", "guardrail_intervened"}
"""`stop_reason` of a message whose answer was withheld."""


def is_content_refusal(words: ServiceWords) -> bool:
    """Tell whether a service refused a request for what it says.

    Args:
        words: The service's, with a status from 400 on.

    Returns:
        True if they speak of a content filter.
    """
    return bool(_FILTER_WORDS.search(words.text))


def withholds_answer(body: Json) -> bool:
    """Tell whether a model withheld its answer to a chat (OpenAI's form) or a message (Anthropic's form).

    Args:
        body: The parsed response.

    Returns:
        True if it says that it refused, or that a filter took the answer away.
    """
    if text_at(body, "stop_reason").lower() in _STOPS or text_at(body, "promptFeedback", "blockReason"):
        return True
    return any(
        text_at(choice, "finish_reason").lower().partition(":")[0] in _FINISHES  # Gemini adds its own reason
        or bool(text_at(choice, "message", "refusal").strip())
        for choice in objects_at(body, "choices")
    )
