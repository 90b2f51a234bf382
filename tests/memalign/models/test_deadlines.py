"""Model services that drip, hang, break off or never stop: each costs its call a bounded time and memory."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import web

from memalign.errors import MalformedAnswerError, ModelError, ModelRefusedError, ModelUnavailableError
from memalign.models.anthropic import AnthropicModel
from memalign.models.bounded_answer import MAX_ANSWER_BYTES
from memalign.models.openai import OpenAIEmbedder, OpenAIModel
from memalign.models.options import ModelOptions
from memalign.models.prompts import judging_schema
from memalign.ports import Prompt
from memalign.records import Json
from memalign.value_types import value_type_of
from tests.local_server import LocalServer
from tests.model_server import ModelServer, overloaded

PROMPT = Prompt(stable="the same for all", changing="this one")
SCHEMA = judging_schema(value_type_of("bool"))
MEGABYTE = b" " * 2**20

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Call = Callable[[float], Awaitable[object]]
CALLS: dict[str, Call] = {
    "openai": lambda seconds: OpenAIModel("m", ModelOptions(timeout_seconds=seconds)).complete(
        PROMPT, SCHEMA
    ),
    "anthropic": lambda seconds: AnthropicModel("m", ModelOptions(timeout_seconds=seconds)).complete(
        PROMPT, SCHEMA
    ),
    "embeddings": lambda seconds: OpenAIEmbedder("m", 8, ModelOptions(timeout_seconds=seconds)).embed(
        ["text"]
    ),
}
EACH_CALL = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@dataclass(slots=True, kw_only=True)
class Gateway:
    """A service that answers all requests alike, and counts what it was asked and what it got rid of."""

    answer: Answer
    requests: int = 0
    bytes_taken: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        await request.read()
        return await self.answer(request)

    async def write_for_ever(
        self, request: web.Request, chunk: bytes, pause: float = 0.0, status: int = 200
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while True:
            await response.write(chunk)
            self.bytes_taken += len(chunk)
            await asyncio.sleep(pause)


@pytest.fixture
def addressed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def point(url: str) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
        for provider in ("OPENAI", "ANTHROPIC"):
            monkeypatch.setenv(f"{provider}_API_KEY", "sk-secret")

    return point


@asynccontextmanager
async def serving(gateway: Gateway, point: Callable[[str], None]) -> AsyncIterator[Gateway]:
    app = web.Application()
    app.router.add_post("/{path:.*}", gateway.handle)
    server = LocalServer()
    await server.start(app, handler_cancellation=True)
    point(server.url)
    try:
        yield gateway
    finally:
        await server.stop()


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("nobody waits that long")


async def answer_head_only(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "100"})
    await response.prepare(request)
    return await hang(request)


@EACH_CALL
@pytest.mark.parametrize("kind", ["blanks", "a long number", "silence", "a head alone", "an error page"])
async def test_a_service_that_never_ends_its_answer_is_told_after_one_further_try(
    addressed: Callable[[str], None], call: Call, kind: str
) -> None:
    gateway = Gateway(answer=hang)
    gateway.answer = {
        "blanks": lambda request: gateway.write_for_ever(request, b" ", 0.01),
        "a long number": lambda request: gateway.write_for_ever(request, b"1", 0.01),
        "silence": hang,
        "a head alone": answer_head_only,
        "an error page": lambda request: gateway.write_for_ever(request, b"<br>", 0.01, status=502),
    }[kind]
    async with serving(gateway, addressed):
        with pytest.raises(
            ModelUnavailableError, match=r"took longer than 0.8 s; set timeout_seconds of this model higher"
        ):
            await call(0.8)
    assert gateway.requests == 2


@EACH_CALL
@pytest.mark.parametrize("status", [200, 500])
async def test_of_an_answer_without_end_no_more_is_read_than_fits(
    addressed: Callable[[str], None], call: Call, status: int
) -> None:
    gateway = Gateway(answer=hang)
    gateway.answer = lambda request: gateway.write_for_ever(request, MEGABYTE, status=status)
    async with serving(gateway, addressed):
        with pytest.raises(MalformedAnswerError, match="gave an answer of more than 10 MB"):
            await call(30)
    assert gateway.requests == 1
    assert gateway.bytes_taken < 3 * MAX_ANSWER_BYTES  # the rest is in the buffers of the connection


@EACH_CALL
async def test_a_packed_answer_is_measured_unpacked(addressed: Callable[[str], None], call: Call) -> None:
    packed = gzip.compress(b" " * 20 * MAX_ANSWER_BYTES)

    async def bomb(_: web.Request) -> web.StreamResponse:
        return web.Response(
            body=packed, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}
        )

    async with serving(Gateway(answer=bomb), addressed):
        with pytest.raises(MalformedAnswerError, match="gave an answer of more than 10 MB"):
            await call(30)


async def test_a_packed_answer_of_usual_size_is_read(addressed: Callable[[str], None]) -> None:
    body = json.dumps({"data": [{"index": 0, "embedding": [1.0, 0.0]}]}).encode()

    async def pack(_: web.Request) -> web.StreamResponse:
        return web.Response(
            body=gzip.compress(body), headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}
        )

    async with serving(Gateway(answer=pack), addressed):
        embedded = await OpenAIEmbedder("m", 2).embed(["text"])
    assert embedded.vectors.tolist() == [[1.0, 0.0]]


@EACH_CALL
async def test_a_redirection_is_refused_and_not_followed(
    addressed: Callable[[str], None], call: Call
) -> None:
    async def redirect(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": str(request.url)})

    async with serving(Gateway(answer=redirect), addressed) as gateway:
        with pytest.raises(ModelRefusedError, match=r"not served at its address \(307\); correct"):
            await call(30)
    assert gateway.requests <= 2  # with and without a schema or a dimension


async def test_an_answer_that_breaks_off_is_asked_for_again(addressed: Callable[[str], None]) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"choices": [')
        assert request.transport is not None
        request.transport.close()
        return response

    async with serving(Gateway(answer=half), addressed) as gateway:
        with pytest.raises(ModelUnavailableError, match="cannot be reached"):
            await CALLS["openai"](1.2)
    assert gateway.requests >= 2


@pytest.mark.parametrize("header", ["retry-after", "retry-after-ms"])
async def test_a_pause_that_does_not_fit_into_the_call_is_left_to_the_caller(
    server: ModelServer, header: str
) -> None:
    server.faults.append(overloaded(429, **{"retry-after-ms": "x", header: "3600000"}))
    with pytest.raises(ModelUnavailableError, match=r"overloaded or down \(429\)") as caught:
        await OpenAIModel("m").complete(PROMPT, SCHEMA)
    assert caught.value.retry_after in {3600, 3_600_000}
    assert len(server.calls) == 1


async def test_waiting_for_a_slot_is_no_part_of_a_call(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMALIGN_MAX_WORKERS", "1")
    server.chat_seconds = 0.3
    model = OpenAIModel("m", ModelOptions(timeout_seconds=1.0))

    answers = await asyncio.gather(
        *(model.complete(PROMPT, SCHEMA) for _ in range(5)), return_exceptions=True
    )

    assert not [answer for answer in answers if isinstance(answer, BaseException)]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
async def test_an_answer_within_the_time_limit_is_taken(server: ModelServer, share: float) -> None:
    server.chat_seconds = 2.0 * share
    await OpenAIModel("m", ModelOptions(timeout_seconds=2.0)).complete(PROMPT, SCHEMA)
    assert len(server.calls) == 1


NONSENSE: dict[str, Json] = {
    "braces": "{" * 200_000,
    "names without end": '{"a":' * 200_000,
    "lists without end": "[" * 200_000,
    "fences and letters": "```" + "a" * 200_000,
    "fences and blanks": "```" + " " * 200_000,
    "quotes": '{"' * 200_000,
    "objects that do not fit": '{"a": 1} ' * 200_000,
    "a number without end": '{"value": ' + "9" * 200_000 + "}",
    "one word again and again": "so " * 1_000_000,
}


@pytest.mark.parametrize("text", NONSENSE.values(), ids=NONSENSE)
async def test_nonsense_of_any_form_costs_its_call_alone(server: ModelServer, text: str) -> None:
    server.answers.extend([text, text])
    spoilt, good = await asyncio.gather(
        OpenAIModel("m").complete(PROMPT, SCHEMA), OpenAIEmbedder("m", 8).embed(["x"]), return_exceptions=True
    )
    assert isinstance(spoilt, ModelError)
    assert not isinstance(good, BaseException)


async def test_a_body_nested_without_end_is_an_answer_that_makes_no_sense(
    addressed: Callable[[str], None],
) -> None:
    async def nest(_: web.Request) -> web.StreamResponse:
        return web.Response(text="[" * 500_000, content_type="application/json")

    for call in CALLS.values():
        async with serving(Gateway(answer=nest), addressed):
            with pytest.raises(MalformedAnswerError):
                await call(30)
