"""The longest text that an embedding model takes: found out once for each model, by its refusals."""

from functools import lru_cache

from memalign.errors import PromptTooLongError, RequestRefusedError

LONGEST_TEXT_TOKENS = 8_000
"""Texts are cut to this; below OpenAI's own limit of 8,192."""
SHORTEST_TEXT_TOKENS = 250
"""Texts are not cut below this: a model that refuses such a short text has another reason."""
MARGIN = 1.2
"""Tokens of an unknown tokenizer for each that `memalign.tokens.count_tokens` estimates. Set by hand."""


class TextLimit:
    """The limit of one embedding model.

    Args:
        tokens: Most tokens of a text, by `memalign.tokens.count_tokens`.
    """

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens


def shorter_limit(longest: int, error: RequestRefusedError) -> int | None:
    """Choose the limit to try next after texts were refused.

    Args:
        longest: Tokens of the longest text that was sent.
        error: The refusal.

    Returns:
        The limit that the service named, less a margin, or half of what was sent; None where the length of the texts
        is hardly the reason.
    """
    named = error.context_tokens if isinstance(error, PromptTooLongError) else None
    limit = longest // 2 if named is None else min(int(named / MARGIN), longest * 3 // 4)
    return limit if limit >= SHORTEST_TEXT_TOKENS else None


@lru_cache(maxsize=256)
def text_limit(base_url: str | None, model: str, configured: int | None) -> TextLimit:
    """Return the limit of a model in this process.

    Args:
        base_url: The address of its server; None: the provider's own.
        model: Its name, without provider.
        configured: The context size that was set; None: none.

    Returns:
        The limit, the same one for the same arguments.
    """
    del base_url, model
    return TextLimit(LONGEST_TEXT_TOKENS if configured is None else int(configured / MARGIN))
