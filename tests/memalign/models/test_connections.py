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
    """Return the sentence; the time limit leaves room for two pauses before further tries, and not for all."""
    options = {"base_url": base_url, "timeout_seconds": 3, "context_tokens": 8_000}
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


@asynccontextmanager
async def a_server_that_answers_in_the_clear() -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_the_reason_why_a_service_is_not_reached_is_told(free_port: int) -> None:
    async with a_server_that_hangs_up() as port:
        addresses = {
            f"http://127.0.0.1:{free_port}/v1": "nothing listens there",
            "http://nobody.invalid/v1": "its name is not known",
            f"http://127.0.0.1:{port}/v1": "it broke the connection off",
        }
        asked = [(model, address) for model in MODELS for address in addresses]
        told = await asyncio.gather(*(problem_of(model, address) for model, address in asked))

    assert [words.partition(";")[0] for words in told] == [
        f"{model} cannot be reached ({addresses[address]})" for model, address in asked
    ]


async def test_that_a_server_does_not_speak_tls_is_told() -> None:
    async with a_server_that_answers_in_the_clear() as port:
        told = await asyncio.gather(*(problem_of(model, f"https://127.0.0.1:{port}/v1") for model in MODELS))

    assert [words.partition(";")[0] for words in told] == [
        f"{model} cannot be reached (it does not speak TLS, which https asks for)" for model in MODELS
    ]
