"""A model server in a process of its own: it answers like OpenAI (chat, embeddings) and Anthropic (messages).

    python -m tests.bench.timed_model_server      prints its address, serves until its standard input ends

Every answer takes a fixed time from the request's arrival, whatever the server had to do for it. It counts calls,
texts and tokens, and fails as asked (`POST /control`, `GET /counts`). The answers are those of
`tests.bench.simulated_model`.
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
from tests.bench.remote import LocalControl
from tests.bench.simulated_model import answer


class TimedModelServer:
    """The server's state and its handlers."""

    def __init__(self) -> None:
        self.control = LocalControl()
        self.counts: Counter[str] = Counter()
        self._random = random.Random(0)

    async def set_control(self, request: web.Request) -> web.Response:
        """`POST /control`: change the behaviour, and count from nothing."""
        self.control = LocalControl(**await request.json())
        self.counts.clear()
        self._random.seed(self.control.salt)
        return web.json_response({})

    async def get_counts(self, request: web.Request) -> web.Response:
        """`GET /counts`: calls, texts and tokens since the last change."""
        del request
        return web.json_response(dict(self.counts))

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/chat/completions`."""
        messages = (await request.json())["messages"]
        system = "\n".join(message["content"] for message in messages if message["role"] == "system")
        user = "\n".join(message["content"] for message in messages if message["role"] != "system")
        return await self._chat(system, user, _completion)

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/messages`."""
        body = await request.json()
        system = "\n".join(block["text"] for block in body.get("system", ()))
        user = "\n".join(message["content"] for message in body["messages"])
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
            text = "Well, that depends {"
        else:
            control = self.control
            text = answer(
                system,
                user,
                control.failing,
                control.salt,
                paraphrases=control.paraphrases,
                misreading=control.misreading,
            )
        await asyncio.sleep(due - loop.time())
        return failure or web.json_response(shape(text, tokens, count_tokens(text)))

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
        chance = self._random.random()
        if chance < self.control.busy:
            return web.json_response(
                {"error": {"message": "busy"}}, status=429, headers={"retry-after-ms": "20"}
            )
        if chance < self.control.busy + self.control.broken:
            return web.json_response({"error": {"message": "broken"}}, status=500)
        return None


def _completion(text: str, input_tokens: int, output_tokens: int) -> dict[str, Any]:
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {
            "prompt_tokens": input_tokens,
            "completion_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
        },
    }


def _message(text: str, input_tokens: int, output_tokens: int) -> dict[str, Any]:
    return {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": input_tokens, "output_tokens": output_tokens},
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
    server = TimedModelServer()
    app = web.Application(client_max_size=2**28)
    routes: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {
        "/control": server.set_control,
        "/v1/chat/completions": server.chat,
        "/v1/embeddings": server.embeddings,
        "/v1/messages": server.messages,
    }
    for path, handler in routes.items():
        app.router.add_post(path, handler)
    app.router.add_get("/counts", server.get_counts)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
