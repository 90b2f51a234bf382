"""Context sizes as servers tell them: each kind of server under a name, and often an address, of its own.

vLLM, SGLang, OpenRouter, Together, Groq, Mistral and LiteLLM name it in their list of models, llama.cpp there and under
`/props`, Ollama under `/api/ps` and `/api/show`, LM Studio under `/api/v0/models`, TGI under `/info`.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from memalign.models.json_answers import objects_at, text_at, value_at
from memalign.records import Json

Fetch = Callable[[str, Json | None], Awaitable[Json]]
"""Gets a JSON document at an address, absolute or below the server's base URL; posts the body where there is one.
Returns None where the server has nothing there.

Raises:
    ModelUnavailableError: If the server was not reached.
"""
OLLAMA_DEFAULT_TOKENS = 4_096
"""Context with which Ollama loads a model when it is told nothing else, on machines with little memory. It cuts longer
prompts without a word, so that nothing is learned from a refusal."""
LM_STUDIO_DEFAULT_TOKENS = 4_096
"""The same of LM Studio, which loads a model when it is first asked."""
_MODEL_FIELDS: Sequence[tuple[str | int, ...]] = (
    ("max_model_len",),
    ("meta", "n_ctx"),
    ("loaded_context_length",),
    ("top_provider", "context_length"),
    ("context_length",),
    ("context_window",),
    ("max_context_length",),
    ("max_input_tokens",),
    ("metadata", "context_length"),
    ("model_spec", "availableContextTokens"),
)
"""Paths to the context in an entry of a list of models, the one in effect before the largest one possible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerContext:
    """The context size of a model as its server tells it."""

    tokens: int | None
    """None where the server does not tell."""
    is_loaded: bool = True
    """False where the server loads the model when it is first asked, and may then tell something else."""


async def server_context(fetch: Fetch, base_url: str, model: str) -> ServerContext:
    """Ask a server for the context size of a model.

    Args:
        fetch: Gets a document of the server.
        base_url: The address under which it serves models, mostly one that ends in /v1.
        model: The model's name there.

    Returns:
        What the server tells.

    Raises:
        ModelUnavailableError: If the server is not reached.
    """
    listed = await fetch("models", None)
    tokens = _in_list(listed, model)
    if tokens is not None:
        return ServerContext(tokens=tokens)
    root = re.sub(r"(/openai|/api)?/v\d+/?$", "", base_url).rstrip("/")
    is_list = isinstance(value_at(listed, "data"), list)
    return (
        await _llama_cpp(fetch, root)
        or await _ollama(fetch, root, model, is_list=is_list)
        or await _lm_studio(fetch, root, model)
        or await _tgi(fetch, root)
        or ServerContext(tokens=None)
    )


def _in_list(document: Json, model: str) -> int | None:
    """Return the context in a list of models: that of the model, or of the only one."""
    entries = objects_at(document, "data") or objects_at({"data": document}, "data")
    named = [entry for entry in entries if model in (entry.get("id"), entry.get("name"))]
    if not named and len(entries) != 1:
        return None
    entry = (named or entries)[0]
    return next(filter(None, (_count(value_at(entry, *path)) for path in _MODEL_FIELDS)), None)


async def _llama_cpp(fetch: Fetch, root: str) -> ServerContext | None:
    tokens = _count(value_at(await fetch(f"{root}/props", None), "default_generation_settings", "n_ctx"))
    return None if tokens is None else ServerContext(tokens=tokens)


async def _ollama(fetch: Fetch, root: str, model: str, *, is_list: bool) -> ServerContext | None:
    running = await fetch(f"{root}/api/ps", None)
    for entry in objects_at(running, "models"):
        if _same_tag(model, text_at(entry, "model") or text_at(entry, "name")):
            tokens = _count(entry.get("context_length"))
            if tokens is not None:
                return ServerContext(tokens=tokens)
    if not (is_list or isinstance(value_at(running, "models"), list)):
        return None  # a server that knows none of these addresses may take the next question for a call of its model
    return _unloaded_ollama(await fetch(f"{root}/api/show", {"model": model}))


def _unloaded_ollama(shown: Json) -> ServerContext | None:
    """Read how a model will be loaded: as its parameters say, else with the default, at most as it was trained."""
    if not isinstance(value_at(shown, "model_info"), Mapping):
        return None
    told = re.search(r"^\s*num_ctx\s+(\d+)", text_at(shown, "parameters"), re.MULTILINE)
    tokens = int(told[1]) if told else OLLAMA_DEFAULT_TOKENS
    info = value_at(shown, "model_info").items()
    trained = next((_count(size) for name, size in info if name.endswith(".context_length")), None)
    return ServerContext(tokens=min(tokens, trained or tokens), is_loaded=False)


def _same_tag(model: str, running: str) -> bool:
    """Compare names of models; `latest` is meant where none has a tag."""
    return model.removesuffix(":latest") == running.removesuffix(":latest")


async def _lm_studio(fetch: Fetch, root: str, model: str) -> ServerContext | None:
    for entry in objects_at(await fetch(f"{root}/api/v0/models", None), "data"):
        if entry.get("id") == model:
            loaded = _count(entry.get("loaded_context_length"))
            largest = _count(entry.get("max_context_length")) or LM_STUDIO_DEFAULT_TOKENS
            tokens = loaded or min(largest, LM_STUDIO_DEFAULT_TOKENS)
            return ServerContext(tokens=tokens, is_loaded=loaded is not None)
    return None


async def _tgi(fetch: Fetch, root: str) -> ServerContext | None:
    tokens = _count(value_at(await fetch(f"{root}/info", None), "max_total_tokens"))
    return None if tokens is None else ServerContext(tokens=tokens)


def _count(value: Json) -> int | None:
    return (
        int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 1 else None
    )
