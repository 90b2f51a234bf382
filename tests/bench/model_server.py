"""A model server in a process of its own: it answers like OpenAI (chat, embeddings) and Anthropic (messages).

    python -m tests.bench.model_server      prints its address, serves until its standard input ends

Every answer takes a fixed time from the request's arrival, whatever the server had to do for it. It counts calls,
texts and tokens, and fails as told (`POST /control`, `GET /counts`). The answers are those of `tests.bench.brain`.
"""

import asyncio
import base64
import random
import re
import sys
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

import numpy as np
from aiohttp import web
from numpy.typing import NDArray

from memalign.models.local.wordllama import embed
from memalign.tokens import count_tokens
from tests.bench.brain import answer
from tests.bench.remote import LocalControl


class ModelServer:
    """The server's state and its handlers."""

    def __init__(self) -> None:
        self.control = LocalControl()
        self.counts: Counter[str] = Counter()
        self._random = random.Random(0)

    async def set_control(self, request: web.Request) -> web.Response:
        """Behave otherwise from now on, and count from nothing."""
        self.control = LocalControl(**await request.json())
        self.counts.clear()
        self._random.seed(self.control.salt)
        return web.json_response({})

    async def tell_counts(self, request: web.Request) -> web.Response:
        """What was counted since the last change."""
        del request
        return web.json_response(dict(self.counts))

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/chat/completions`."""
        messages = (await request.json())["messages"]
        system = "\n".join(one["content"] for one in messages if one["role"] == "system")
        user = "\n".join(one["content"] for one in messages if one["role"] != "system")
        return await self._chat(system, user, _completion)

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/messages`."""
        body = await request.json()
        system = "\n".join(block["text"] for block in body.get("system", ()))
        user = "\n".join(one["content"] for one in body["messages"])
        return await self._chat(system, user, _message)

    async def _chat(
        self, system: str, user: str, shape: Callable[[str, int, int], dict[str, Any]]
    ) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        due = loop.time() + self.control.chat_ms / 1000
        tokens = count_tokens(system) + count_tokens(user)
        self.counts.update(chat=1, chat_tokens=tokens)
        failure = self._failure()
        if failure is None and self._random.random() < self.control.malformed:
            written = "Well, that depends {"
        else:
            written = answer(system, user, self.control.failing, self.control.salt)
        await asyncio.sleep(due - loop.time())
        return failure or web.json_response(shape(written, tokens, count_tokens(written)))

    async def embeddings(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/embeddings`."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self.control.embedding_ms / 1000
        body = await request.json()
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        tokens = sum(map(count_tokens, texts))
        self.counts.update(embeddings=1, texts=len(texts), embedding_tokens=tokens)
        dimension = body.get("dimensions", 512)
        rows = _real(texts, dimension) if self.control.real_vectors else _summed(texts, dimension)
        packed = body.get("encoding_format") == "base64"
        data = [
            {"object": "embedding", "index": place, "embedding": _packed(row) if packed else row.tolist()}
            for place, row in enumerate(rows)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        reply = {"object": "list", "model": body["model"], "data": data, "usage": usage}
        failure = self._failure()
        await asyncio.sleep(due - loop.time())
        return failure or web.json_response(reply)

    def _failure(self) -> web.Response | None:
        drawn = self._random.random()
        if drawn < self.control.busy:
            return web.json_response(
                {"error": {"message": "busy"}}, status=429, headers={"retry-after-ms": "20"}
            )
        if drawn < self.control.busy + self.control.broken:
            return web.json_response({"error": {"message": "broken"}}, status=500)
        return None


def _completion(written: str, read: int, wrote: int) -> dict[str, Any]:
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": written}}
        ],
        "usage": {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote},
    }


def _message(written: str, read: int, wrote: int) -> dict[str, Any]:
    return {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": written}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": read, "output_tokens": wrote},
    }


@lru_cache(maxsize=20_000)
def _direction(word: str, dimension: int) -> NDArray[np.float32]:
    seed = zlib.crc32(word.encode("utf-8", "surrogatepass"))
    return np.random.default_rng(seed).standard_normal(dimension, dtype=np.float32)


def _summed(texts: list[str], dimension: int) -> list[NDArray[np.float32]]:
    return [
        np.sum([_direction(word, dimension) for word in re.findall(r"\w+", text) or ["∅"]], axis=0)
        for text in texts
    ]


def _real(texts: list[str], dimension: int) -> list[NDArray[np.float32]]:
    rows = embed(texts).vectors
    return list(np.pad(rows, ((0, 0), (0, max(0, dimension - rows.shape[1]))))[:, :dimension])


def _packed(row: NDArray[np.float32]) -> str:
    return base64.b64encode(row.astype("<f4").tobytes()).decode("ascii")


async def _serve() -> None:
    server = ModelServer()
    app = web.Application(client_max_size=2**28)
    routes: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {
        "/control": server.set_control,
        "/v1/chat/completions": server.chat,
        "/v1/embeddings": server.embeddings,
        "/v1/messages": server.messages,
    }
    for path, handler in routes.items():
        app.router.add_post(path, handler)
    app.router.add_get("/counts", server.tell_counts)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
