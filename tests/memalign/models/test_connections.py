"""The reason why a service is not reached, in words, through the real SDKs."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from memalign import make_judge
from memalign.errors import ModelUnavailableError

MODELS = ("openai:/m", "anthropic:/m")


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")


async def problem_of(model: str, base_url: str) -> str:
    """Return the sentence; the time limit is so short that no pause before another try fits."""
    options = {"base_url": base_url, "timeout_seconds": 0.3, "context_tokens": 8_000}
    judge = make_judge("politeness", "Is it polite? {{ outputs }}", model, model_options=options)
    with pytest.raises(ModelUnavailableError) as raised:
        await judge.acall(outputs="Go away.")
    return str(raised.value)


@asynccontextmanager
async def a_server_that_hangs_up() -> AsyncIterator[int]:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("model", MODELS)
async def test_an_address_at_which_nothing_listens_is_told(model: str, free_port: int) -> None:
    assert "cannot be reached (nothing listens there)" in await problem_of(
        model, f"http://127.0.0.1:{free_port}/v1"
    )


@pytest.mark.parametrize("model", MODELS)
async def test_a_name_that_does_not_exist_is_told(model: str) -> None:
    assert "cannot be reached (its name is not known)" in await problem_of(model, "http://nobody.invalid/v1")


@pytest.mark.parametrize("model", MODELS)
async def test_a_server_without_tls_is_told(model: str) -> None:
    async with a_server_that_hangs_up() as port:
        words = await problem_of(model, f"https://127.0.0.1:{port}/v1")
    assert "cannot be reached (" in words
    assert "no connection" not in words


@pytest.mark.parametrize("model", MODELS)
async def test_a_server_that_hangs_up_is_told(model: str) -> None:
    async with a_server_that_hangs_up() as port:
        words = await problem_of(model, f"http://127.0.0.1:{port}/v1")
    assert "cannot be reached (it broke the connection off)" in words
