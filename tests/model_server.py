"""A local server that speaks like one of the services for language models, in a thread of its own.

Counts calls, texts and tokens; fails on demand; answers as `simulated_answer` does, or from a queue. Chat and messages
are answered in the form of its dialect, which is OpenAI's (and Anthropic's for messages) unless another one is chosen.
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from bot.runtime.listening import start_listening, stop_listening
from memalign.ports import Prompt
from memalign.records import Json
from memalign.tokens import count_tokens
from tests.fakes import direction, simulated_answer
from tests.model_dialects import Anthropic, Dialect, Fault, Overflow, Tokens

__all__ = ["Call", "Fault", "Kind", "ModelServer", "overloaded", "running_model_server"]

VERTEX_MODELS = "projects/{project}/locations/{region}/publishers/anthropic/models"
"""Address of models at Vertex AI."""
Kind = Literal["chat", "embeddings", "messages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it came in."""

    kind: Kind
    body: Json
    headers: Mapping[str, str]
    path: str
    """With the query."""


def overloaded(status: int = 429, **headers: str) -> Fault:
    """A refusal that asks to come back in a moment."""
    return Fault(
        status=status,
        body='{"error": {"message": "busy", "type": "busy"}}',
        headers={"retry-after-ms": "1", **headers},
    )


class ModelServer:
    """The server's behaviour, and the calls it has had."""

    def __init__(self, dialect: Dialect | None = None) -> None:
        self.dialect = dialect or Dialect()
        self.url = ""
        self.calls: list[Call] = []
        self.lookups: list[str] = []
        """Addresses that were asked for models and their context."""
        self.models: tuple[str, ...] = ("some-model",)
        """The list of models; a call with another name is answered all the same unless `refuses_unknown_models`."""
        self.refuses_unknown_models = False
        self.context_tokens: int | None = None
        """Prompts with whose answer this size would be passed are refused; None: all are taken."""
        self.faults: deque[Fault | None] = deque()
        """Taken in turn by chat and messages calls; None: answer as usual."""
        self.embedding_faults: deque[Fault | None] = deque()
        self.answers: deque[str] = deque()
        """Texts of the language model, in turn; when there is none it answers as `simulated_answer`."""
        self.verdicts: dict[str, Json] = {}
        """Verdicts by a word in the prompt that asks for one; without such a word it is as `simulated_answer` says."""
        self.spoiled: dict[str, Fault] = {}
        """Answers by a word in the text that is asked about."""
        self.refuses_schemas = False
        self.refuses_dimensions = False
        self.longest_text = 1_000_000
        self.chat_seconds = 0.0
        self.embedding_seconds = 0.0
        self.chats_waited_for = 0
        """Chat calls whose caller was still there when their `chat_seconds` were over."""
        self.max_calls_under_way = 0
        self._calls_under_way = 0

    def of(self, kind: Kind) -> list[Call]:
        """The calls of one kind."""
        return [call for call in self.calls if call.kind == kind]

    @property
    def texts(self) -> list[str]:
        """All texts that were to be embedded."""
        return [text for call in self.of("embeddings") for text in call.body["input"]]

    @property
    def base_url(self) -> str:
        """The address that a client of this dialect is given."""
        return f"{self.url}{self.dialect.base_path}"

    async def chat(self, request: web.Request) -> web.Response:
        """`POST /v1/chat/completions`."""
        body = await self._note("chat", request)
        async with self._under_way():
            await asyncio.sleep(self.chat_seconds)
        self.chats_waited_for += 1
        if fault := self._fault(body, self.faults):
            return _failure(fault)
        if self.refuses_schemas and "response_format" in body:
            return _refusal("response_format is not supported")
        texts = [message["content"] for message in body["messages"]]
        if refusal := self._refusal(body, texts):
            return _failure(refusal)
        text = self._write(Prompt(stable=texts[0], changing=texts[-1]))
        tokens = Tokens(prompt=sum(map(count_tokens, texts)), answer=count_tokens(text))
        return web.json_response(self.dialect.completion(body["model"], text, tokens))

    async def embeddings(self, request: web.Request) -> web.Response:
        """`POST /v1/embeddings`."""
        body = await self._note("embeddings", request)
        async with self._under_way():
            await asyncio.sleep(self.embedding_seconds)
        if fault := self._fault(body, self.embedding_faults):
            return _failure(fault)
        if self.refuses_dimensions and "dimensions" in body:
            return _refusal("dimensions is not supported")
        if any(count_tokens(text) > self.longest_text for text in body["input"]):
            return _refusal("maximum context length exceeded")
        rows = [direction(text, body.get("dimensions", 64)).tolist() for text in body["input"]]
        data = [{"object": "embedding", "index": place, "embedding": row} for place, row in enumerate(rows)]
        tokens = sum(map(count_tokens, body["input"]))
        return web.json_response(
            {
                "object": "list",
                "model": body["model"],
                "data": data[::-1],
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            }
        )

    async def messages(self, request: web.Request) -> web.Response:
        """`POST /v1/messages`."""
        body = await self._note("messages", request)
        async with self._under_way():
            await asyncio.sleep(self.chat_seconds)
        if fault := self._fault(body, self.faults):
            return _failure(fault)
        if self.refuses_schemas and "tools" in body:
            return _refusal("tools are not supported")
        prompt = Prompt(stable=body["system"][0]["text"], changing=body["messages"][0]["content"])
        if refusal := self._refusal(body, [prompt.stable, prompt.changing]):
            return _failure(refusal)
        dialect = self.dialect if isinstance(self.dialect, Anthropic) else Anthropic()
        text = self._write(prompt)
        if "tools" in body:
            return web.json_response(dialect.tool_use(body["model"], _object(text)))
        return web.json_response(dialect.completion(body["model"], text, Tokens(prompt=10, answer=5)))

    async def list_models(self, request: web.Request) -> web.Response:
        """`GET /v1/models`."""
        self.lookups.append(request.path)
        return web.json_response(self.dialect.models(self.models, self.context_tokens or 131_072))

    async def show_model(self, request: web.Request) -> web.Response:
        """`POST /api/show`, which Ollama alone has."""
        self.lookups.append(request.path)
        if self.dialect.name != "ollama":
            return _failure(self.dialect.unknown_address())
        context = self.context_tokens or 131_072
        info = {"general.architecture": "llama", "llama.context_length": 131_072}
        return web.json_response(
            {"parameters": f"num_ctx                        {context}", "model_info": info}
        )

    async def properties(self, request: web.Request) -> web.Response:
        """`GET /props`, which llama.cpp alone has."""
        self.lookups.append(request.path)
        if not self.dialect.takes_any_model:
            return _failure(self.dialect.unknown_address())
        return web.json_response(
            {"default_generation_settings": {"n_ctx": self.context_tokens or 131_072}, "total_slots": 1}
        )

    async def elsewhere(self, request: web.Request) -> web.Response:
        """Answer any other address."""
        self.lookups.append(request.path)
        return _failure(self.dialect.unknown_address())

    def _refusal(self, body: Json, texts: list[str]) -> Fault | None:
        """The refusal of a call for its model, its arguments or its length."""
        unknown = self.refuses_unknown_models and body["model"] not in self.models
        if unknown and not self.dialect.takes_any_model:
            return self.dialect.unknown_model(body["model"])
        if "system" not in body and (refusal := self.dialect.refuse_body(body)):
            return refusal
        answer = body.get("max_completion_tokens", body.get("max_tokens", 0))
        prompt = sum(map(count_tokens, texts))
        if self.context_tokens is not None and prompt + answer > self.context_tokens:
            return self.dialect.too_long(Overflow(prompt=prompt, answer=answer, context=self.context_tokens))
        return None

    @asynccontextmanager
    async def _under_way(self) -> AsyncIterator[None]:
        self._calls_under_way += 1
        self.max_calls_under_way = max(self.max_calls_under_way, self._calls_under_way)
        try:
            yield
        finally:
            self._calls_under_way -= 1

    def _fault(self, body: Json, queue: "deque[Fault | None]") -> Fault | None:
        text = json.dumps(body)
        spoiled = next((fault for word, fault in self.spoiled.items() if word in text), None)
        return spoiled or (queue.popleft() if queue else None)

    def _write(self, prompt: Prompt) -> str:
        if self.answers:
            return self.answers.popleft()
        answer = simulated_answer(prompt)
        if "value" in answer:
            text = prompt.stable + prompt.changing
            answer["value"] = next(
                (value for word, value in self.verdicts.items() if word in text), answer["value"]
            )
        return json.dumps(answer)

    async def _note(self, kind: Kind, request: web.Request) -> Json:
        body = await request.json()
        if "model" in request.match_info:  # the clouds have it in the address
            body["model"] = request.match_info["model"]
        self.calls.append(Call(kind=kind, body=body, headers=dict(request.headers), path=request.path_qs))
        return body


def _object(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return {"text": text}


def _failure(fault: Fault) -> web.Response:
    return web.Response(
        status=fault.status, text=fault.body, headers=fault.headers, content_type="application/json"
    )


def _refusal(message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "invalid_request_error"}}, status=400)


@contextmanager
def running_model_server(dialect: Dialect | None = None) -> Iterator[ModelServer]:
    """Serve on a free port until the end of the block."""
    server, loop = ModelServer(dialect), asyncio.new_event_loop()
    runner, listener = loop.run_until_complete(_started(server))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_stop(runner, listener), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


async def _started(server: ModelServer) -> tuple[web.AppRunner, asyncio.Server]:
    app = web.Application(client_max_size=2**28)
    for base in ("/v1", "/openai/v1", "/openai/deployments/{deployment}"):
        app.router.add_post(f"{base}/chat/completions", server.chat)
        app.router.add_post(f"{base}/embeddings", server.embeddings)
        app.router.add_get(f"{base}/models", server.list_models)
    for address in ("/v1/messages", "/model/{model}/invoke", f"/v1/{VERTEX_MODELS}/{{model}}:rawPredict"):
        app.router.add_post(address, server.messages)
    app.router.add_post("/api/show", server.show_model)
    app.router.add_get("/props", server.properties)
    app.router.add_route("*", "/{anywhere:.*}", server.elsewhere)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = await start_listening(runner, "127.0.0.1", 0)
    host, port = listener.sockets[0].getsockname()
    server.url = f"http://{host}:{port}"
    return runner, listener


async def _stop(runner: web.AppRunner, listener: asyncio.Server) -> None:
    """Close the server, and end the calls that still wait for their answer."""
    await stop_listening(listener)
    await runner.cleanup()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
