"""Reading of a service's refusal of a limit: the model can write no answer of so many tokens."""

import re

_LIMIT = r"max(?:imum)?[_ ](?:(?:completion|output|new)[_ ])?tokens|maxOutputTokens|max_tokens_to_sample"
_NUMBER = r"[`'\"(\[]*(\d[\d,_]*)"
_REFUSALS = tuple(
    re.compile(pattern.replace("LIMIT", f"(?:{_LIMIT})").replace("N", _NUMBER), re.IGNORECASE)
    for pattern in (
        r"LIMIT.{0,200}?(?:supports|allows|at) (?:at )?most N (?:completion |output )?tokens",
        r"LIMIT[`'\" ]*[:=]? ?\d+ > N",
        r"LIMIT.{0,80}?range.{0,40}?\[\d+, ?N\]",
        r"range of LIMIT.{0,20}?\[\d+, ?N\]",
        r"LIMIT.{0,80}?range.{0,20}?from \d+ \(inclusive\) to N",
        r"LIMIT.{0,80}?(?:less than or equal to|no (?:more|greater|larger) than|at most|up to|<=) N",
        r"LIMIT.{0,80}?(?:cannot|can't|must not|should not|may not) (?:exceed|be (?:greater|more|larger) than) N",
        r"LIMIT.{0,80}?(?:exceeds?|above|greater than) (?:the )?(?:model )?(?:limit|maximum)(?: of| is|:)? N",
        r"(?:maximum|limit) (?:value )?(?:for|of) [`'\"]?LIMIT[`'\"]?(?: is|:)? N",
    )
)
"""Words with which services name the most tokens of an answer, the surest first."""
_CONTEXT = re.compile(
    r"context[_ ](?:length|size)|input tokens|prompt tokens|tokens in the prompt", re.IGNORECASE
)
"""Words of a refusal of prompt and answer together, for which a shorter prompt is a remedy, too."""


def answer_limit(words: str) -> int | None:
    """Read from a service's refusal how many tokens an answer of the model may have at most.

    Args:
        words: The service's own.

    Returns:
        The tokens; None if the words are about something else, or name no number.
    """
    if _CONTEXT.search(words):
        return None
    match = next(filter(None, (pattern.search(words) for pattern in _REFUSALS)), None)
    if match is None:
        return None
    number = int(re.sub(r"\D", "", match[1])[:9])
    return number - 1 if words[match.end() :].startswith(" (exclusive)") else number
