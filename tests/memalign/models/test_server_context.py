"""Context sizes in the forms in which servers tell them, as their references and public reports show these."""

from collections.abc import Mapping

import pytest

from memalign.errors import ModelUnavailableError
from memalign.models.server_context import ServerContext, server_context
from memalign.records import Json

BASE = "http://host:1/v1"
ROOT = "http://host:1"
LISTED: Json = {
    "object": "list",
    "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "library"}],
}


def entry(**fields: Json) -> Json:
    return {"object": "list", "data": [{"id": "other", "max_model_len": 1}, {"id": "m", **fields}]}


def running(**fields: Json) -> Json:
    return {"models": [{"name": "m:latest", "model": "m:latest", "size": 1, **fields}]}


def shown(parameters: str, trained: int) -> Json:
    return {
        "parameters": parameters,
        "model_info": {"general.architecture": "l", "l.context_length": trained},
    }


SERVERS: Mapping[str, tuple[Mapping[str, Json], ServerContext]] = {
    "vLLM": ({"models": entry(max_model_len=4_096)}, ServerContext(tokens=4_096)),
    "vLLM under another name": (
        {"models": {"data": [{"id": "/models/m", "max_model_len": 4_096}]}},
        ServerContext(tokens=4_096),
    ),
    "llama.cpp": (
        {"models": entry(meta={"n_ctx": 4_096, "n_ctx_train": 131_072})},
        ServerContext(tokens=4_096),
    ),
    "llama.cpp before it told n_ctx": (
        {
            "models": entry(meta={"n_ctx_train": 131_072}),
            f"{ROOT}/props": {"default_generation_settings": {"n_ctx": 2_048}, "total_slots": 1},
        },
        ServerContext(tokens=2_048),
    ),
    "OpenRouter": (
        {"models": entry(context_length=1_000_000, top_provider={"context_length": 65_536})},
        ServerContext(tokens=65_536),
    ),
    "Together": ({"models": [{"id": "m", "context_length": 8_192}]}, ServerContext(tokens=8_192)),
    "Groq": ({"models": entry(context_window=131_072)}, ServerContext(tokens=131_072)),
    "Mistral": ({"models": entry(max_context_length=32_768)}, ServerContext(tokens=32_768)),
    "Anthropic": ({"models": entry(max_input_tokens=200_000)}, ServerContext(tokens=200_000)),
    "Ollama with the model loaded": (
        {"models": LISTED, f"{ROOT}/api/ps": running(context_length=16_384)},
        ServerContext(tokens=16_384),
    ),
    "Ollama by the model's parameters": (
        {
            "models": LISTED,
            f"{ROOT}/api/ps": {"models": []},
            f"{ROOT}/api/show": shown("stop  x\nnum_ctx                        8192", 131_072),
        },
        ServerContext(tokens=8_192, is_loaded=False),
    ),
    "Ollama by its default": (
        {"models": LISTED, f"{ROOT}/api/ps": {"models": []}, f"{ROOT}/api/show": shown("", 131_072)},
        ServerContext(tokens=4_096, is_loaded=False),
    ),
    "Ollama with a model that was trained for less": (
        {"models": LISTED, f"{ROOT}/api/show": shown("", 2_048)},
        ServerContext(tokens=2_048, is_loaded=False),
    ),
    "LM Studio with the model loaded": (
        {
            "models": LISTED,
            f"{ROOT}/api/v0/models": entry(
                state="loaded", max_context_length=131_072, loaded_context_length=6_144
            ),
        },
        ServerContext(tokens=6_144),
    ),
    "LM Studio": (
        {"models": LISTED, f"{ROOT}/api/v0/models": entry(state="not-loaded", max_context_length=131_072)},
        ServerContext(tokens=4_096, is_loaded=False),
    ),
    "TGI": ({f"{ROOT}/info": {"model_id": "m", "max_total_tokens": 4_096}}, ServerContext(tokens=4_096)),
    "a server that tells nothing": ({"models": LISTED}, ServerContext(tokens=None)),
    "a server without lists": ({}, ServerContext(tokens=None)),
    "nonsense": (
        {
            "models": {
                "data": ["m", None, {"id": "m", "max_model_len": "4096", "meta": [], "context_window": 0}]
            },
            f"{ROOT}/props": [],
            f"{ROOT}/api/ps": "Ollama is running",
            f"{ROOT}/api/show": {"model_info": None},
            f"{ROOT}/info": {"max_total_tokens": True},
        },
        ServerContext(tokens=None),
    ),
}


@pytest.mark.parametrize("name", SERVERS)
async def test_the_size_is_read_wherever_the_server_tells_it(name: str) -> None:
    documents, told = SERVERS[name]

    async def fetch(address: str, body: Json) -> Json:
        assert (body is not None) == address.endswith("/api/show")
        return documents.get(address)

    assert await server_context(fetch, BASE, "m") == told


async def test_a_server_that_knows_no_lists_is_not_sent_anything() -> None:
    posted = []

    async def fetch(address: str, body: Json) -> Json:
        posted.extend([address] if body is not None else [])

    await server_context(fetch, BASE, "m")

    assert posted == []


async def test_a_server_that_is_not_reached_is_told() -> None:
    async def fetch(address: str, body: Json) -> Json:
        del address, body
        raise ModelUnavailableError("not reached")

    with pytest.raises(ModelUnavailableError):
        await server_context(fetch, BASE, "m")
