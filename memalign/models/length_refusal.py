"""Reading of a service's refusal of a prompt that is too long: each service words it in its own way."""

import re
from dataclasses import dataclass

MAX_READ_CHARACTERS = 4_000
"""Of a service's words; what follows may quote the prompt."""
MIN_CONTEXT_LIMIT = 128
"""Smaller numbers beside these words are no lengths of contexts but codes of errors, or excesses."""
_NUMBER = r"(\d[\d,_]*)"
_REFUSAL = re.compile(
    r"context[ _-]?(?:length|size|window|limit)"
    r"|exceed_context_size|max(?:imum)? context|max_model_len|max_seq_len|\bn_ctx\b"
    r"|(?:prompt|input|request|conversation|message)s?(?: length)?(?: is)? too (?:long|large|big)"
    r"|too (?:long|large) (?:for|to process)|too many (?:input |prompt )?tokens"
    r"|(?:input|prompt) (?:token count|length)"
    r"|reduce (?:the|your) (?:length|prompt|input)|(?:input|output) tokens must be reduced"
    r"|maximum (?:prompt|input|sequence|model|allowed input) length|exceeds? (?:the )?max(?:imum)? length"
    r"|model token limit|maximum number of (?:input )?tokens|longer than the (?:model|maximum|limit)"
    r"|(?:entity|payload|content|body) too large|inputs`? tokens|`?inputs`? must have less than"
    r"|range of input length|length of all messages",
    re.IGNORECASE,
)
_OTHER_LIMIT = re.compile(
    r"rate limit reached|please wait|throttl|per (?:day|month)|\bquota\b|billing details", re.IGNORECASE
)
"""Words about limits in time or money, for which a shorter prompt is no remedy."""
_CONTEXT_LIMITS = tuple(
    re.compile(pattern.replace("N", _NUMBER), re.IGNORECASE)
    for pattern in (
        r"\bn_ctx['\"]?\s*[:=]\s*N",
        r"exceed context limit: [\d ,_]+ \+ [\d ,_]+ > N",
        r"max(?:imum)? (?:context|prompt|model|sequence|input|allowed input) length(?: is| of|:)?(?: only)?\s*\(?N",
        r"context (?:length|size|window|limit)(?: is| of|:)?(?: only)?\s*\(?N",
        r"model with N maximum context",
        r"tokens > N maximum",
        r"max_new_tokens`? must be <= N",
        r"must have less than N tokens",
        r"max(?:_model_len|_seq_len)[ =:]*\(?N",
        r"(?:input )?tokens allowed(?: is| of|:)?\s*\(?N",
        r"(?:token|input) limit(?: is| of|:)?\s*\(?N",
        r"exceeds? the (?:limit|maximum) of N",
        r"limit for this model is N",
        r"max input tokens: N",
        r"input length should be \[\d+, ?N\]",
        r"cannot exceed N",
        r"\(TPM\): limit N",
    )
)
"""Words with which services name their limit, the surest first."""
_PROMPT_LENGTHS = tuple(
    re.compile(pattern.replace("N", _NUMBER), re.IGNORECASE)
    for pattern in (
        r"n_prompt_tokens['\"]?\s*[:=]\s*N",
        r"\(N in (?:the|your) (?:messages|prompt)",
        r"(?:messages|prompt) resulted in N",
        r"(?:prompt|request) (?:contains|has)(?: at least)? N",
        r"request \(N tokens",
        r"input \(N tokens",
        r"too long: N tokens",
        r"context limit: N \+",
        r"given: N `?inputs",
        r"(?:token count|input length)(?: of|:)?\s*\(?N",
        r"requested tokens \(N\)",
        r"\(requested: N",
        r"\brequested,? (?:about )?N",
    )
)
"""Words with which services name the length of the prompt, the surest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthRefusal:
    """A service's refusal of a prompt that is too long, with the numbers that it named."""

    context_tokens: int | None
    """Tokens that a prompt and its answer may have together."""
    prompt_tokens: int | None
    """Tokens of the prompt that was refused, by the service's own count."""


def length_refusal(words: str) -> LengthRefusal | None:
    """Read from a service's words whether it found a prompt too long.

    Args:
        words: The service's answer to a request that it did not take: a sentence, or its JSON.

    Returns:
        The refusal; None if the words are about something else.
    """
    text = words[:MAX_READ_CHARACTERS]
    if not _REFUSAL.search(text) or _OTHER_LIMIT.search(text):
        return None
    return LengthRefusal(
        context_tokens=_first(_CONTEXT_LIMITS, text, MIN_CONTEXT_LIMIT),
        prompt_tokens=_first(_PROMPT_LENGTHS, text, 1),
    )


def _first(patterns: tuple[re.Pattern[str], ...], text: str, least: int) -> int | None:
    for pattern in patterns:
        match = pattern.search(text)
        number = int(re.sub(r"\D", "", match[1])[:12]) if match else 0
        if number >= least:
            return number
    return None
