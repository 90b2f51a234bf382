"""Asking for an answer by a schema, in the best form that the server takes."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from memalign.errors import ContentRefusedError, MalformedAnswerError, PromptTooLongError, RequestRefusedError
from memalign.models.capabilities import Capabilities, Mode, ParameterRefusedError
from memalign.models.endpoint import read_answer
from memalign.ports import Completion
from memalign.records import Json, Usage

log = logging.getLogger(__name__)

MAX_UNREADABLE_ANSWERS = 2
"""Answers of one call that may be of no use; the second one is asked for in the last form."""
THINKING_TOKENS = 8_000
"""Tokens more for the answers of a model that has spent all on thinking. Set by hand: OpenAI's reasoning models think
for some hundred to a few thousand tokens about such a prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An answer as it was read."""

    answer: Mapping[str, Json] | None
    """None if there is none that fits the schema."""
    usage: Usage
    is_cut: bool = False
    """True if it ended because it had reached its most tokens."""
    is_silent: bool = False
    """True if nothing was said, or nothing but thoughts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuredCall:
    """The ways to ask a model, and to read what it answers."""

    name: str
    """The model as `provider:/name`."""
    modes: Sequence[Mode]
    """Forms to ask in, best first."""
    capabilities: Capabilities
    answer_tokens: int | None
    """Most tokens of an answer; None where the options' own parameters set them."""
    thinking_tokens: int
    """Tokens that an answer may have besides where it is found to be all thinking; 0: it may have no more."""
    ask: Callable[[Mode, int | None], Awaitable[str]]
    """Sends the prompt with a form and the most tokens of the answer; returns the response's body."""
    read: Callable[[Mode, str], Reading]
    """Reads a body that was asked for in a form."""


MAX_BODY_CHARACTERS = 2_000_000
"""Of an answer that is read: some 500,000 tokens, which no model writes at once. To search a longer text in vain would
take seconds, in which nothing else in the process goes on. Set by hand."""


async def complete_structured(call: StructuredCall) -> Completion:
    """Ask in one form after the other, until one is taken and its answer can be read.

    A form that was refused while the next one is taken is not tried again in this process. An answer that is all
    thinking is asked for once more with room for thoughts, if there is any.

    Args:
        call: How to ask and to read.

    Returns:
        The answer, with the cost of all calls.

    Raises:
        RequestRefusedError: If the service refuses the request in every form.
        MalformedAnswerError: If no answer fits the schema.
        ModelError: If a call fails otherwise.
    """
    modes, usage, tokens, unreadable = call.capabilities.modes(call.modes), Usage(), call.answer_tokens, 0
    while True:
        modes, body = await _ask_until_taken(call, modes, tokens)
        if len(body) > MAX_BODY_CHARACTERS:
            raise MalformedAnswerError(
                f"{call.name} gave an answer of more than {MAX_BODY_CHARACTERS // 10**6} MB."
            )
        reading = await read_answer(partial(call.read, modes[0]), body)
        usage += reading.usage
        if reading.answer is not None:
            return Completion(answer=reading.answer, usage=usage)
        log.debug("%s did not answer in the form asked for, in %d characters", call.name, len(body))
        is_all_thinking = reading.is_cut and reading.is_silent
        if is_all_thinking and call.thinking_tokens and tokens is not None and tokens == call.answer_tokens:
            call.capabilities.thinks = True
            tokens += call.thinking_tokens
            continue
        unreadable += 1
        if is_all_thinking or unreadable == MAX_UNREADABLE_ANSWERS:
            raise _unreadable(call.name, reading, tokens)
        modes = modes[-1:]


async def _ask_until_taken(
    call: StructuredCall, modes: list[Mode], tokens: int | None
) -> tuple[list[Mode], str]:
    """Return the forms from the one that is taken, and the response's body; those before it are remembered."""
    refused: frozenset[str] = frozenset()
    while True:
        try:
            body = await call.ask(modes[0], tokens)
        except (ContentRefusedError, PromptTooLongError):
            raise
        except RequestRefusedError as error:
            if len(modes) == 1:
                raise
            refused |= {modes[0]} | (error.names if isinstance(error, ParameterRefusedError) else set())
            modes = _next_modes(modes, refused, error)
        else:
            call.capabilities.refused_modes |= refused
            return modes, body


def _next_modes(modes: list[Mode], refused: frozenset[str], error: RequestRefusedError) -> list[Mode]:
    """Return the forms that are left; a refusal that names no form may be one of the content: one more call tells."""
    if not isinstance(error, ParameterRefusedError):
        return modes[-1:]
    return [mode for mode in modes[:-1] if mode not in refused] + [modes[-1]]


def _unreadable(name: str, reading: Reading, tokens: int | None) -> MalformedAnswerError:
    if not reading.is_cut:
        return MalformedAnswerError(
            f"{name} did not answer in the form asked for; if this keeps happening, choose a stronger model, "
            "or try another value of structured for it."
        )
    limit = "its most tokens" if tokens is None else f"{tokens:,} tokens"
    if reading.is_silent:
        return MalformedAnswerError(
            f"{name} spent {limit} on thinking and gave no answer; set max_output_tokens of this model higher, or let "
            "it think less by its params."
        )
    return MalformedAnswerError(
        f"{name} was cut off at {limit}, before its answer was whole; set max_output_tokens of this model higher."
    )
