"""The context size of each model: set, known of it, told by its server, or assumed; and lowered by refusals.

It is kept for the process, by address and model: a judge that is aligned anew does not forget what was learned.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from urllib.parse import urlsplit

from memalign.errors import ModelError, PromptTooLongError
from memalign.models.server_context import ServerContext
from memalign.ports import Completion, Prompt, PromptRoom
from memalign.tokens import count_tokens

_log = logging.getLogger("memalign")

KNOWN_CONTEXTS = (
    (r"gpt-5", 272_000),
    (r"gpt-4\.1", 1_000_000),
    (r"gpt-4o", 128_000),
    (r"gpt-4-turbo", 128_000),
    (r"gpt-4", 8_000),
    (r"gpt-3\.5", 16_000),
    (r"o[134]\b", 200_000),
    (r"(?:[\w.-]*[.-])?claude", 200_000),
    (r"gemini", 1_000_000),
)
"""Beginning of a model's name -> tokens of its context, as the model pages of OpenAI, Anthropic and Google have it,
most of them rounded down. Of gpt-5 it is the part for input (400,000 less 128,000 of output); of Claude, without the
beta header for more, that of all models since 2.1; of Gemini that of all since 1.5. Variants are not told apart."""
OWN_CONTEXT_TOKENS = 128_000
"""Of a model that is not listed above, at OpenAI's or Anthropic's own address: no newer model has less."""
ASSUMED_CONTEXT_TOKENS = 8_192
"""Of a model of which nothing is known: nearly all open models since 2024 have at least this, and a server that was
started with less refuses a prompt with its limit, or tells the limit when asked (Ollama). Too low a guess costs cases
and parts of long records, too high a one each verdict."""
MIN_CONTEXT_TOKENS = 1_024
"""A refusal that names no limit lowers the size at most to this."""
OVERHEAD_TOKENS = 100
"""A server's additions to a prompt: the marks of its chat template, the schema. Set by hand."""
ANSWER_SHARE = 4
"""At most this fraction (a quarter) of the context is kept for the answer."""
TOKENS_PER_ESTIMATE = 1.2
"""Tokens of an unknown tokenizer for each that `memalign.tokens.count_tokens` estimates. Set by hand; it is corrected
by the server's own counts."""
MAX_TOKENS_PER_ESTIMATE = 4.0
"""The estimate is four characters a token, and no tokenizer takes more than one for a character of plain text."""
MIN_COMPARED_TOKENS = 500
"""Shorter prompts say more about a server's overhead than about its tokenizer."""
LOOKUP_SECONDS = 10.0
"""Time limit of asking a server."""
WAIT_SECONDS = 2.0
"""Time that a call waits for the server to tell; it goes on with what is assumed, and the next one knows more."""
RETRY_SECONDS = 60.0
"""Pause after which a server that was not reached is asked again."""
_OWN_HOSTS = re.compile(r"(?:.+\.)?(?:openai\.com|azure\.com|anthropic\.com)")


def known_context(model: str) -> int | None:
    """Look up the context size of a model of OpenAI, Anthropic or Google.

    Args:
        model: Its name, without provider.

    Returns:
        The tokens; None where the name says nothing.
    """
    name = model.rpartition("/")[2]
    return next((size for start, size in KNOWN_CONTEXTS if re.match(start, name)), None)


def is_own_address(base_url: str | None) -> bool:
    """Tell whether an address is OpenAI's or Anthropic's own.

    Args:
        base_url: The address; None: the provider's own.

    Returns:
        True if it is.
    """
    return base_url is None or _OWN_HOSTS.fullmatch(urlsplit(base_url).hostname or "") is not None


class ContextSize:
    """The context size of one model, as far as it is known by now. For use on the private loop.

    Args:
        tokens: The size; None: not known, and the server may be asked.
        assumed: The size for as long as it is not known.
    """

    def __init__(self, tokens: int | None, assumed: int) -> None:
        self.tokens = tokens or assumed
        self.tokens_per_estimate = TOKENS_PER_ESTIMATE
        self._accepted_tokens = self.tokens
        """The size when a prompt was last accepted: refusals that name no limit are no more than guesses until then."""
        self._ask_at = 0.0 if tokens is None else float("inf")
        """Time from which the server may be asked (`time.monotonic`)."""
        self._ask_once_loaded = False
        """True if the server had not loaded the model when it was asked: it may then tell another size."""
        self._has_answered = False
        self._lookup: asyncio.Task[None] | None = None

    def room(self, answer_tokens: int) -> PromptRoom:
        """Divide the context between prompt and answer.

        Args:
            answer_tokens: Tokens wanted for the answer.

        Returns:
            The room for both.
        """
        answer = min(answer_tokens, self.tokens // ANSWER_SHARE)
        prompt = int((self.tokens - answer - OVERHEAD_TOKENS) / self.tokens_per_estimate)
        return PromptRoom(prompt_tokens=max(prompt, 0), answer_tokens=answer)

    async def look_up(self, ask: Callable[[], Awaitable[ServerContext]]) -> None:
        """Have the server asked if that is due; waits `WAIT_SECONDS` for it. A failure is no error.

        Args:
            ask: Asks the server.
        """
        if self._lookup is None or self._lookup.get_loop() is not asyncio.get_running_loop():
            if time.monotonic() < self._ask_at:
                return
            self._lookup = asyncio.create_task(self._ask(ask))
        await asyncio.wait([self._lookup], timeout=WAIT_SECONDS)

    async def _ask(self, ask: Callable[[], Awaitable[ServerContext]]) -> None:
        self._ask_at = time.monotonic() + RETRY_SECONDS
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                told = await ask()
        except (ModelError, TimeoutError) as error:
            _log.debug("the server did not tell its context size: %s", type(error).__name__)
        else:
            self.tokens = self._accepted_tokens = told.tokens or self.tokens
            self._ask_once_loaded, self._ask_at = not (told.is_loaded or self._has_answered), float("inf")
            _log.debug("the server tells a context size of %s tokens", told.tokens)
        finally:
            self._lookup = None

    def accept(self, estimate: int, prompt_tokens: int) -> None:
        """Learn from a prompt that the server took.

        Args:
            estimate: Its tokens by our own estimate.
            prompt_tokens: Its tokens by the server's count; 0 where it tells none.
        """
        self._accepted_tokens = self.tokens
        self._has_answered = True
        if self._ask_once_loaded:
            self._ask_once_loaded, self._ask_at = False, 0.0
        if estimate >= MIN_COMPARED_TOKENS and prompt_tokens > 0:
            seen = min(max(prompt_tokens / estimate * 1.1, 1.0), MAX_TOKENS_PER_ESTIMATE)
            # the densest text counts at once, the others by and by
            self.tokens_per_estimate = max(seen, 0.9 * self.tokens_per_estimate + 0.1 * seen)

    def refuse(self, estimate: int, answer_tokens: int, error: PromptTooLongError) -> None:
        """Learn from a prompt that the server found too long: the next one is shorter.

        Args:
            estimate: Its tokens by our own estimate.
            answer_tokens: Tokens that were wanted for the answer.
            error: The refusal, with the numbers that the server named.
        """
        sent = int(estimate * self.tokens_per_estimate) + answer_tokens + OVERHEAD_TOKENS
        if error.prompt_tokens and estimate >= MIN_COMPARED_TOKENS:
            seen = min(error.prompt_tokens / estimate * 1.05, MAX_TOKENS_PER_ESTIMATE)
            self.tokens_per_estimate = max(seen, self.tokens_per_estimate)
        if error.context_tokens is not None:
            self.tokens = self._accepted_tokens = min(self.tokens, error.context_tokens)
        elif sent // 2 >= MIN_CONTEXT_TOKENS:
            self.tokens = min(self.tokens, sent // 2)
        else:
            self.tokens = self._accepted_tokens  # even a short prompt was refused: not for its length
            return
        if self.room(answer_tokens).prompt_tokens >= estimate:
            self.tokens_per_estimate = min(self.tokens_per_estimate * 1.5, MAX_TOKENS_PER_ESTIMATE)
        _log.info(
            "a prompt of about %d tokens was too long; from now on the context size is %d", sent, self.tokens
        )


async def complete_and_learn(
    size: ContextSize, prompt: Prompt, complete: Callable[[], Awaitable[Completion]]
) -> Completion:
    """Complete a prompt, and learn of the context size from how that goes.

    Args:
        size: Of the model.
        prompt: The prompt.
        complete: Asks the model.

    Returns:
        What the model answers.

    Raises:
        PromptTooLongError: If the prompt is too long; the size is lower from then on.
        ModelError: If the model fails otherwise.
    """
    estimate = count_tokens(prompt.stable) + count_tokens(prompt.changing)
    try:
        completion = await complete()
    except PromptTooLongError as error:
        size.refuse(estimate, prompt.answer_tokens, error)
        raise
    size.accept(estimate, completion.usage.input_tokens // max(1, completion.usage.calls))
    return completion


@lru_cache(maxsize=256)
def context_size(base_url: str | None, model: str, configured: int | None) -> ContextSize:
    """Return the context size of a model in this process.

    Args:
        base_url: The address of its server; None: the provider's own.
        model: Its name, without provider.
        configured: The size that was set; None: none.

    Returns:
        The size, the same one for the same arguments.
    """
    if is_own_address(base_url):
        tokens = configured or known_context(model) or OWN_CONTEXT_TOKENS
        return ContextSize(tokens, tokens)
    return ContextSize(configured or known_context(model), ASSUMED_CONTEXT_TOKENS)
