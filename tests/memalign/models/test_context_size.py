import asyncio

import pytest

from memalign.errors import ModelUnavailableError, PromptTooLongError
from memalign.models.context_size import (
    ASSUMED_CONTEXT_TOKENS,
    MIN_CONTEXT_TOKENS,
    OWN_CONTEXT_TOKENS,
    ContextSize,
    context_size,
    known_context,
)
from memalign.models.server_context import ServerContext


def too_long(context_tokens: int | None = None, prompt_tokens: int | None = None) -> PromptTooLongError:
    return PromptTooLongError("too long", context_tokens=context_tokens, prompt_tokens=prompt_tokens)


class Server:
    """Tells what it is given, in turn; counts how often it is asked."""

    def __init__(self, *told: ServerContext | Exception) -> None:
        self.told = list(told)
        self.asked = 0

    async def ask(self) -> ServerContext:
        self.asked += 1
        told = self.told.pop(0)
        if isinstance(told, Exception):
            raise told
        return told


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("gpt-5-mini", 272_000),
        ("gpt-4o-mini", 128_000),
        ("gpt-4", 8_000),
        ("o3-mini", 200_000),
        ("claude-sonnet-4-5", 200_000),
        ("us.anthropic.claude-3-7-sonnet-v1:0", 200_000),
        ("anthropic/claude-3.5-haiku", 200_000),
        ("databricks-claude-sonnet-4", 200_000),
        ("gemini-2.5-flash", 1_000_000),
        ("llama3.2", None),
        ("gpt-oss-20b", None),
        ("o1llama", None),
    ],
)
def test_the_context_of_a_model_is_known_by_its_name(model: str, tokens: int | None) -> None:
    assert known_context(model) == tokens


@pytest.mark.parametrize(
    ("base_url", "model", "configured", "tokens"),
    [
        (None, "gpt-5-mini", None, 272_000),
        (None, "new-model", None, OWN_CONTEXT_TOKENS),
        ("https://eu.api.openai.com/v1", "new-model", None, OWN_CONTEXT_TOKENS),
        ("https://team.openai.azure.com/openai/v1", "our-deployment", None, OWN_CONTEXT_TOKENS),
        ("http://127.0.0.1:9/v1", "gpt-4o", None, 128_000),
        ("http://127.0.0.1:9/v1", "llama", None, ASSUMED_CONTEXT_TOKENS),
        ("https://openai.com.example.org/v1", "llama", None, ASSUMED_CONTEXT_TOKENS),
        ("http://127.0.0.1:9/v1", "llama", 4_096, 4_096),
        (None, "gpt-5-mini", 10_000, 10_000),
    ],
)
def test_a_size_is_set_or_known_or_assumed(
    base_url: str | None, model: str, configured: int | None, tokens: int
) -> None:
    assert context_size(base_url, model, configured).tokens == tokens


@pytest.mark.parametrize(("tokens", "answer"), [(128_000, 1_000), (4_096, 1_000), (2_048, 512), (1_024, 256)])
def test_prompt_and_answer_have_room_together(tokens: int, answer: int) -> None:
    room = ContextSize(tokens, tokens).room(1_000)

    assert room.answer_tokens == answer
    assert 0 < room.prompt_tokens * 1.2 + room.answer_tokens <= tokens


async def test_a_server_is_asked_once_by_all_who_wait() -> None:
    server, size = Server(ServerContext(tokens=4_096)), ContextSize(None, 8_192)

    await asyncio.gather(*(size.look_up(server.ask) for _ in range(5)))
    await size.look_up(server.ask)

    assert (size.tokens, server.asked) == (4_096, 1)


async def test_a_server_that_tells_nothing_is_not_asked_again() -> None:
    server, size = Server(ServerContext(tokens=None)), ContextSize(None, 8_192)

    await size.look_up(server.ask)
    await size.look_up(server.ask)

    assert (size.tokens, server.asked) == (8_192, 1)


async def test_a_size_that_is_known_is_not_asked_for() -> None:
    server, size = Server(), ContextSize(4_096, 4_096)

    await size.look_up(server.ask)

    assert server.asked == 0


async def test_a_server_that_is_not_reached_is_no_error_and_is_left_alone_for_a_while() -> None:
    server, size = Server(ModelUnavailableError("down")), ContextSize(None, 8_192)

    await size.look_up(server.ask)
    await size.look_up(server.ask)

    assert (size.tokens, server.asked) == (8_192, 1)


async def test_a_model_that_was_not_loaded_is_asked_for_again_once_it_has_answered() -> None:
    server = Server(ServerContext(tokens=4_096, is_loaded=False), ServerContext(tokens=32_768))
    size = ContextSize(None, 8_192)

    await size.look_up(server.ask)
    await size.look_up(server.ask)
    assert (size.tokens, server.asked) == (4_096, 1)
    size.accept(100, 100)
    await size.look_up(server.ask)

    assert (size.tokens, server.asked) == (32_768, 2)


def test_a_limit_that_is_named_counts() -> None:
    size = ContextSize(None, 8_192)

    size.refuse(6_000, 1_000, too_long(4_096, 6_500))

    assert size.tokens == 4_096
    assert size.room(1_000).prompt_tokens < 4_096 / 1.2


def test_the_servers_own_count_tells_how_dense_its_tokens_are() -> None:
    size = ContextSize(8_192, 8_192)

    size.refuse(5_000, 1_000, too_long(8_192, 10_000))

    assert size.room(1_000).prompt_tokens * 2 + 1_000 <= 8_192


@pytest.mark.parametrize("error", [too_long(), too_long(8_192), too_long(8_192, 10), too_long(None, 9_000)])
def test_each_refusal_makes_the_next_prompt_shorter(error: PromptTooLongError) -> None:
    size, estimate = ContextSize(8_192, 8_192), 5_900

    for _ in range(2):
        size.refuse(estimate, 1_000, error)
        assert size.room(1_000).prompt_tokens < estimate
        estimate = size.room(1_000).prompt_tokens


def test_guesses_end_at_a_floor_and_are_taken_back_where_even_short_prompts_are_refused() -> None:
    size = ContextSize(128_000, 128_000)

    for estimate in (20_000, 10_000, 5_000, 2_500):
        size.refuse(estimate, 500, too_long())
        assert size.tokens >= MIN_CONTEXT_TOKENS
    size.refuse(600, 256, too_long())

    assert size.tokens == 128_000


def test_what_was_guessed_stays_once_a_prompt_was_accepted() -> None:
    size = ContextSize(128_000, 128_000)

    size.refuse(10_000, 1_000, too_long())
    size.accept(5_000, 6_000)
    guessed = size.tokens
    size.refuse(300, 256, too_long())

    assert guessed < 10_000
    assert size.tokens == guessed
