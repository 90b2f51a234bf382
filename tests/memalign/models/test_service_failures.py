"""Each way in which a service fails, as public servers word it: whose fault it is, and the remedy."""

import email.utils
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from memalign.errors import (
    ContentRefusedError,
    ModelError,
    ModelRefusedError,
    ModelUnavailableError,
    RequestFailedError,
    RequestRefusedError,
)
from memalign.models.anthropic import AnthropicModel
from memalign.models.openai import OpenAIEmbedder, OpenAIModel
from memalign.models.prompts import judging_schema
from memalign.models.service_failure import retry_after_seconds
from memalign.ports import Prompt
from memalign.value_types import value_type_of
from tests.model_server import Fault, ModelServer

SECRET_WORDS = "Mrs. Almaviva lives in Figaro Street 17"
PROMPT = Prompt(stable="Judge by these rules.", changing=SECRET_WORDS)
SCHEMA = judging_schema(value_type_of("bool"))
PAGE = "<!DOCTYPE html><html><head><title>Welcome</title></head><body>Hello</body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An answer of a service, and what a person is told."""

    status: int
    body: Any
    error: type[ModelError]
    told: str
    quoted: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def openai_error(message: str, kind: str | None = None, code: str | int | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


SAMPLES = {
    # --- the key, with status 400
    "gemini key": Sample(
        status=400,
        body=[
            {
                "error": {
                    "code": 400,
                    "message": "API key not valid. Please pass a valid API key.",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
        error=ModelRefusedError,
        told="refuses the key",
        quoted="API key not valid",
    ),
    "gemini no key": Sample(
        status=400,
        body=[
            {
                "error": {
                    "code": 400,
                    "message": "Missing or invalid Authorization header.",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
        error=ModelRefusedError,
        told="refuses the key",
        quoted="Missing or invalid Authorization header",
    ),
    "xai key": Sample(
        status=400,
        body={
            "code": "Client specified an invalid argument",
            "error": "Incorrect API key provided: xa***gh. You can obtain an API key from the console.",
        },
        error=ModelRefusedError,
        told="refuses the key",
        quoted="Incorrect API key provided",
    ),
    # --- something else at the address
    "json that is no answer": Sample(
        status=200, body={"status": "ok"}, error=ModelRefusedError, told="is not served at its address"
    ),
    "greeting of ollama": Sample(
        status=200,
        body="Ollama is running",
        error=ModelRefusedError,
        told="is not served at its address",
        quoted="Ollama is running",
    ),
    "json of a front end": Sample(
        status=200,
        body={"version": "0.6", "name": "ui"},
        error=ModelRefusedError,
        told="is not served at its address",
    ),
    # --- the content
    "zhipu filter": Sample(
        status=400,
        body={"error": {"code": "1301", "message": "系统检测到输入或生成内容可能包含不安全或敏感内容"}},
        error=ContentRefusedError,
        told="refuses the content of this request",
    ),
    "gemini withheld": Sample(
        status=200,
        body={
            "choices": [
                {"finish_reason": "content_filter: PROHIBITED_CONTENT", "message": {"role": "assistant"}}
            ]
        },
        error=ContentRefusedError,
        told="refuses to answer",
    ),
    # --- broken off behind a gateway
    "error in a choice": Sample(
        status=200,
        body={
            "choices": [
                {
                    "finish_reason": "error",
                    "error": {"code": 502, "message": "Provider disconnected"},
                    "message": {"role": "assistant", "content": ""},
                }
            ]
        },
        error=RequestFailedError,
        told="is overloaded or down (502)",
    ),
    # --- the bill
    "openai quota": Sample(
        status=429,
        body=openai_error(
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            "insufficient_quota",
        ),
        error=ModelRefusedError,
        told="has no credit or quota left",
        quoted="check your plan and billing details",
    ),
    "openai hard limit": Sample(
        status=400,
        body=openai_error(
            "Billing hard limit has been reached", "invalid_request_error", "billing_hard_limit_reached"
        ),
        error=ModelRefusedError,
        told="has no credit or quota left",
        quoted="Billing hard limit has been reached",
    ),
    "openai prepaid": Sample(
        status=429,
        body=openai_error("No credits remain.", None, "credit_balance_exhausted"),
        error=ModelRefusedError,
        told="has no credit or quota left",
    ),
    "deepseek": Sample(
        status=402,
        body=openai_error("Insufficient Balance", "unknown_error", "invalid_request_error"),
        error=ModelRefusedError,
        told="has no credit or quota left",
        quoted="Insufficient Balance",
    ),
    "anthropic credit": Sample(
        status=400,
        body={
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "Your credit balance is too low to access the Anthropic API.",
            },
        },
        error=ModelRefusedError,
        told="has no credit or quota left",
        quoted="credit balance is too low",
    ),
    # --- the pace
    "openai rate limit": Sample(
        status=429,
        body=openai_error(
            "Rate limit reached for m. Please try again in 20s.", "requests", "rate_limit_exceeded"
        ),
        error=ModelUnavailableError,
        told="is overloaded or down (429)",
        headers={"retry-after": "3600"},
    ),
    "gemini quota by the minute": Sample(
        status=429,
        body=[
            {
                "error": {
                    "code": 429,
                    "message": "You exceeded your current quota. Please retry in 36.5s.",
                    "status": "RESOURCE_EXHAUSTED",
                }
            }
        ],
        error=ModelUnavailableError,
        told="is overloaded or down (429)",
        headers={"retry-after": "3600"},
    ),
    # --- the key
    "openai key": Sample(
        status=401,
        body=openai_error(
            "Incorrect API key provided: sk-secret.", "invalid_request_error", "invalid_api_key"
        ),
        error=ModelRefusedError,
        told="refuses the key",
        quoted="Incorrect API key provided: …",
    ),
    "openrouter key": Sample(
        status=401,
        body={"error": {"message": "User not found.", "code": 401}},
        error=ModelRefusedError,
        told="refuses the key",
        quoted="User not found",
    ),
    "fastapi key": Sample(
        status=403, body={"detail": "Forbidden"}, error=ModelRefusedError, told="refuses the key"
    ),
    # --- the model's name
    "openai model": Sample(
        status=404,
        body=openai_error(
            "The model `some` does not exist or you do not have access to it.",
            "invalid_request_error",
            "model_not_found",
        ),
        error=ModelRefusedError,
        told="correct the model's name",
        quoted="does not exist or you do not have access",
    ),
    "vllm model": Sample(
        status=404,
        body={
            "object": "error",
            "message": "The model `some` does not exist.",
            "type": "NotFoundError",
            "code": 404,
        },
        error=ModelRefusedError,
        told="correct the model's name",
        quoted="The model `some` does not exist",
    ),
    "ollama model": Sample(
        status=404,
        body=openai_error('model "some" not found, try pulling it first', "api_error"),
        error=ModelRefusedError,
        told="correct the model's name",
        quoted="try pulling it first",
    ),
    "azure deployment": Sample(
        status=404,
        body={
            "error": {
                "code": "DeploymentNotFound",
                "message": "The API deployment for this resource does not exist.",
            }
        },
        error=ModelRefusedError,
        told="correct the model's name",
    ),
    "deepseek model": Sample(
        status=400,
        body=openai_error("Model Not Exist", "invalid_request_error", "invalid_request_error"),
        error=ModelRefusedError,
        told="correct the model's name",
        quoted="Model Not Exist",
    ),
    "mistral model": Sample(
        status=400,
        body={"object": "error", "message": "Invalid model: some", "type": "invalid_model", "code": "1500"},
        error=ModelRefusedError,
        told="correct the model's name",
    ),
    "openai project": Sample(
        status=403,
        body=openai_error(
            "Project `proj` does not have access to model `some`", "invalid_request_error", "model_not_found"
        ),
        error=ModelRefusedError,
        told="correct the model's name",
    ),
    "anthropic model": Sample(
        status=404,
        body={"type": "error", "error": {"type": "not_found_error", "message": "model: some"}},
        error=ModelRefusedError,
        told="correct the model's name",
        quoted="model: some",
    ),
    # --- the address
    "fastapi route": Sample(
        status=404,
        body={"detail": "Not Found"},
        error=ModelRefusedError,
        told="correct %s_BASE_URL",
        quoted="Not Found",
    ),
    "llama.cpp route": Sample(
        status=404,
        body={"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}},
        error=ModelRefusedError,
        told="correct %s_BASE_URL",
        quoted="File Not Found",
    ),
    "ollama route": Sample(
        status=404, body="404 page not found", error=ModelRefusedError, told="correct %s_BASE_URL"
    ),
    "page with 404": Sample(
        status=404, body=PAGE, error=ModelRefusedError, told="a web page); correct %s_BASE_URL"
    ),
    "page with 200": Sample(
        status=200, body=PAGE, error=ModelRefusedError, told="a web page); correct %s_BASE_URL"
    ),
    "method": Sample(status=405, body="", error=ModelRefusedError, told="correct %s_BASE_URL"),
    "lm studio route": Sample(
        status=200,
        body={"error": "Unexpected endpoint or method. (POST /chat/completions)"},
        error=ModelRefusedError,
        told="correct %s_BASE_URL",
        quoted="Unexpected endpoint or method",
    ),
    # --- the use
    "llama.cpp embeddings": Sample(
        status=501,
        body={
            "error": {
                "code": 501,
                "message": "This server does not support embeddings. Start it with `--embeddings`",
                "type": "not_supported_error",
            }
        },
        error=ModelRefusedError,
        told="is not served for this use",
        quoted="Start it with `--embeddings`",
    ),
    # --- the content
    "azure filter": Sample(
        status=400,
        body={
            "error": {
                "message": f"The response was filtered: {SECRET_WORDS}",
                "code": "content_filter",
                "status": 400,
                "innererror": {"code": "ResponsibleAIPolicyViolation"},
            }
        },
        error=ContentRefusedError,
        told="refuses the content of this request",
    ),
    "xai filter": Sample(
        status=403,
        body={"code": "The caller does not have permission", "error": "Content violates usage guidelines."},
        error=ContentRefusedError,
        told="refuses the content of this request",
    ),
    "qwen filter": Sample(
        status=400,
        body=openai_error("Input data may contain inappropriate content.", None, "data_inspection_failed"),
        error=ContentRefusedError,
        told="refuses the content of this request",
    ),
    "deepseek filter": Sample(
        status=400,
        body=openai_error("Content Exists Risk", "invalid_request_error", "invalid_request_error"),
        error=ContentRefusedError,
        told="refuses the content of this request",
    ),
    # --- the request, or the service
    "unknown option": Sample(
        status=400,
        body=openai_error(f"Unsupported value: {SECRET_WORDS}", "invalid_request_error", "unsupported_value"),
        error=RequestRefusedError,
        told="refused the request (400, “unsupported_value”)",
    ),
    "crash": Sample(
        status=500,
        body=openai_error(SECRET_WORDS, "server_error"),
        error=RequestFailedError,
        told="is overloaded or down (500)",
    ),
    "proxy": Sample(status=502, body=PAGE, error=RequestFailedError, told="is overloaded or down (502)"),
    "error inside 200": Sample(
        status=200,
        body={"error": {"code": 502, "message": "Upstream failed"}},
        error=RequestFailedError,
        told="is overloaded or down (502)",
    ),
    "asked to wait": Sample(
        status=503,
        body=openai_error("Loading model", "unavailable_error"),
        error=ModelUnavailableError,
        told="is overloaded or down (503)",
        headers={"retry-after": "3600"},
    ),
}

EACH = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
AT_ONCE = {"retry-after-ms": "1"}


def fault(sample: Sample) -> Fault:
    body = sample.body if isinstance(sample.body, str) else json.dumps(sample.body)
    return Fault(
        status=sample.status,
        body=body,
        headers={**AT_ONCE, **sample.headers} if not sample.headers else sample.headers,
    )


CALLS: dict[str, Callable[[], Awaitable[object]]] = {
    "openai": lambda: OpenAIModel("some").complete(PROMPT, SCHEMA),
    "anthropic": lambda: AnthropicModel("some").complete(PROMPT, SCHEMA),
    "embeddings": lambda: OpenAIEmbedder("some", 8).embed([PROMPT.changing]),
}


@EACH
@pytest.mark.parametrize("call", CALLS)
async def test_a_failure_is_told_with_whose_fault_it_is_and_what_the_service_said(
    server: ModelServer, sample: Sample, call: str
) -> None:
    server.faults.extend([fault(sample)] * 10)
    server.embedding_faults.extend([fault(sample)] * 10)

    with pytest.raises(sample.error) as caught:
        await CALLS[call]()

    error = caught.value
    assert type(error) is sample.error
    told = (
        sample.told % ("ANTHROPIC" if call == "anthropic" else "OPENAI")
        if "%s" in sample.told
        else sample.told
    )
    assert told in str(error)
    assert sample.quoted in str(error)
    assert not [word for word in ("sk-secret", "Almaviva", "Figaro", "\n") if word in str(error)]
    # what is final is not asked for again and again
    if not isinstance(error, ModelUnavailableError):
        assert len(server.calls) <= 2


@pytest.mark.parametrize(
    ("path", "hint"), [("", "which most servers want to end in /v1"), ("/v1", "correct OPENAI_BASE_URL.")]
)
async def test_an_address_without_its_version_is_told(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch, path: str, hint: str
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/other{path}")

    with pytest.raises(ModelRefusedError) as caught:
        await OpenAIModel("some").complete(PROMPT, SCHEMA)

    assert hint in str(caught.value)
    assert "not served at its address (404, “" in str(caught.value)


async def test_an_address_with_a_version_too_many_is_told(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"{server.url}/v1")

    with pytest.raises(ModelRefusedError, match="without the /v1 at its end"):
        await AnthropicModel("some").complete(PROMPT, SCHEMA)


@pytest.mark.parametrize(
    "choice",
    [
        {"finish_reason": "content_filter", "message": {"role": "assistant", "content": None}},
        {"finish_reason": "content_filter", "message": {"role": "assistant", "content": ""}},
        {"finish_reason": "stop", "message": {"role": "assistant", "content": None, "refusal": "I can't."}},
        {"finish_reason": "SAFETY", "message": {"role": "assistant"}},
    ],
)
async def test_an_answer_that_a_chat_model_withholds_is_a_refusal_and_not_asked_for_twice(
    server: ModelServer, choice: dict[str, Any]
) -> None:
    server.faults.extend([Fault(body=json.dumps({"choices": [{"index": 0, **choice}]}))] * 5)

    with pytest.raises(ContentRefusedError, match="openai:/some refuses to answer"):
        await OpenAIModel("some").complete(PROMPT, SCHEMA)
    assert len(server.calls) == 1


async def test_an_answer_that_claude_withholds_is_a_refusal(server: ModelServer) -> None:
    body = {"type": "message", "role": "assistant", "content": [], "stop_reason": "refusal"}
    server.faults.extend([Fault(body=json.dumps(body))] * 5)

    with pytest.raises(ContentRefusedError, match="anthropic:/some refuses to answer"):
        await AnthropicModel("some").complete(PROMPT, SCHEMA)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"retry-after": "1800"}, 1800),
        ({"retry-after-ms": "1800000"}, 1800),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_pause_that_a_service_asks_for_is_passed_on(
    server: ModelServer, status: int, header: dict[str, str], seconds: float
) -> None:
    server.faults.extend([Fault(status=status, body="{}", headers=header)] * 10)

    with pytest.raises(ModelUnavailableError) as caught:
        await OpenAIModel("some").complete(PROMPT, SCHEMA)

    assert caught.value.retry_after == seconds


async def test_a_date_until_which_a_service_asks_to_wait_is_read(server: ModelServer) -> None:
    date = email.utils.formatdate(time.time() + 1800, usegmt=True)
    server.faults.extend([Fault(status=429, body="{}", headers={"retry-after": date})] * 10)

    with pytest.raises(ModelUnavailableError) as caught:
        await OpenAIModel("some").complete(PROMPT, SCHEMA)

    assert caught.value.retry_after == pytest.approx(1800, abs=60)
    assert len(server.calls) == 1


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", ""])
def test_a_pause_that_is_none_is_passed_over(text: str) -> None:
    assert retry_after_seconds({"retry-after": text}) is None


@pytest.mark.parametrize(
    "message",
    [
        f"The model some cannot read: {SECRET_WORDS}",
        "model not found for Mrs. ALMAVIVA LIVES in",
        "model some not found: customer 4711Q",
        "model not found \u202e drow\x00s",
    ],
)
async def test_words_that_repeat_the_prompt_are_not_told(server: ModelServer, message: str) -> None:
    prompt = Prompt(stable="", changing=f"{SECRET_WORDS}, customer 4711Q")
    server.faults.extend([Fault(status=404, body=json.dumps(openai_error(message, None, "not_found")))] * 5)

    with pytest.raises(ModelRefusedError) as caught:
        await OpenAIModel("some").complete(prompt, SCHEMA)

    told = str(caught.value)
    assert not [word for word in ("almaviva", "4711", "\u202e", "\x00") if word in told.casefold()]
    assert "404" in told
