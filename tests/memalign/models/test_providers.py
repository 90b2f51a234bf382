import asyncio
import json
import logging

import numpy as np
import pytest

from memalign.errors import (
    MalformedAnswerError,
    ModelError,
    ModelRefusedError,
    ModelUnavailableError,
    RequestRefusedError,
    SettingsError,
)
from memalign.models.anthropic import AnthropicModel
from memalign.models.deadline import MAX_RETRIES
from memalign.models.openai import OpenAIEmbedder, OpenAIModel
from memalign.models.options import ModelOptions
from memalign.models.prompts import judging_schema
from memalign.ports import LanguageModel, Prompt
from memalign.records import Json, Usage
from memalign.value_types import value_type_of
from tests.fakes import direction
from tests.model_server import Fault, Kind, ModelServer, overloaded

PROMPT = Prompt(stable="the same for all <rules></rules>", changing="this one")
SCHEMA = judging_schema(value_type_of("bool"))
GOOD: Json = {"rationale": "so", "value": True}

OPENAI, ANTHROPIC = OpenAIModel("some-model"), AnthropicModel("some-model")
BOTH = pytest.mark.parametrize(("model", "kind"), [(OPENAI, "chat"), (ANTHROPIC, "messages")])


@BOTH
async def test_an_answer_in_the_form_asked_for_takes_one_call(
    server: ModelServer, model: LanguageModel, kind: Kind
) -> None:
    server.answers.append(json.dumps(GOOD))

    completion = await model.complete(PROMPT, SCHEMA)

    assert completion.answer == GOOD
    assert len(server.of(kind)) == len(server.calls) == 1


async def test_openai_is_asked_for_a_strict_schema_with_the_stable_part_first(server: ModelServer) -> None:
    completion = await OPENAI.complete(PROMPT, SCHEMA)

    (call,) = server.calls
    assert call.body["model"] == "some-model"
    assert [message["content"] for message in call.body["messages"]] == [PROMPT.stable, PROMPT.changing]
    assert call.body["response_format"]["json_schema"]["strict"] is True
    assert call.body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert call.headers["Authorization"] == "Bearer sk-secret"
    assert completion.usage == Usage(calls=1, input_tokens=10, cached_tokens=3, output_tokens=11)


async def test_anthropic_is_asked_for_a_tool_with_the_cache_mark_on_the_stable_part(
    server: ModelServer,
) -> None:
    completion = await ANTHROPIC.complete(PROMPT, SCHEMA)

    (call,) = server.calls
    assert call.body["system"] == [
        {"type": "text", "text": PROMPT.stable, "cache_control": {"type": "ephemeral"}}
    ]
    assert "cache_control" not in json.dumps(call.body["messages"])
    assert call.body["tools"][0]["input_schema"] == SCHEMA
    assert call.body["tool_choice"] == {"type": "tool", "name": "answer"}
    assert completion.usage == Usage(calls=1, input_tokens=60, cached_tokens=30, output_tokens=5)


@BOTH
async def test_where_schemas_are_refused_it_is_asked_once_without(
    server: ModelServer, model: LanguageModel, kind: Kind
) -> None:
    server.refuses_schemas = True
    server.answers.append(f"Here you are:\n```json\n{json.dumps(GOOD)}\n```\nAnything else?")

    assert (await model.complete(PROMPT, SCHEMA)).answer == GOOD
    assert len(server.of(kind)) == 2


@BOTH
async def test_a_malformed_answer_is_asked_for_once_more_and_both_calls_are_counted(
    server: ModelServer, model: LanguageModel, kind: Kind
) -> None:
    server.answers.extend(["no idea", json.dumps(GOOD)])

    completion = await model.complete(PROMPT, SCHEMA)

    assert completion.answer == GOOD
    assert completion.usage.calls == 2
    last = server.of(kind)[-1].body
    assert "response_format" not in last
    assert "tools" not in last


@BOTH
async def test_twice_malformed_is_told(server: ModelServer, model: LanguageModel, kind: Kind) -> None:
    server.answers.extend(["no idea", '{"rationale": "so"}', json.dumps(GOOD)])

    with pytest.raises(MalformedAnswerError, match="some-model did not answer in the form asked for"):
        await model.complete(PROMPT, SCHEMA)
    assert len(server.of(kind)) == 2


@BOTH
@pytest.mark.parametrize("body", ["[]", '{"choices": null, "content": null}', '{"choices": [{}]}'])
async def test_a_body_that_makes_no_sense_is_told_as_such(
    server: ModelServer, model: LanguageModel, kind: Kind, body: str
) -> None:
    del kind
    server.faults.extend([Fault(body=body)] * 2)

    with pytest.raises(MalformedAnswerError):
        await model.complete(PROMPT, SCHEMA)


@BOTH
@pytest.mark.parametrize("body", ["not json", "null"])
async def test_a_body_that_no_model_server_gives_is_told_as_a_wrong_address(
    server: ModelServer, model: LanguageModel, kind: Kind, body: str
) -> None:
    del kind
    server.faults.extend([Fault(body=body)] * 2)

    with pytest.raises(ModelRefusedError, match="is not served at its address"):
        await model.complete(PROMPT, SCHEMA)


@BOTH
@pytest.mark.parametrize("status", [429, 500, 503, 529])
async def test_an_overloaded_service_is_asked_again_when_it_said(
    server: ModelServer, model: LanguageModel, kind: Kind, status: int
) -> None:
    server.faults.extend([overloaded(status), overloaded(status)])

    await model.complete(PROMPT, SCHEMA)

    assert len(server.of(kind)) == 3


@BOTH
async def test_a_service_that_stays_overloaded_is_told_as_such(
    server: ModelServer, model: LanguageModel, kind: Kind
) -> None:
    server.faults.extend([overloaded()] * 20)

    with pytest.raises(ModelUnavailableError, match=r"overloaded or down \(429\)"):
        await model.complete(PROMPT, SCHEMA)
    assert len(server.of(kind)) == MAX_RETRIES + 1


@BOTH
@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, ModelRefusedError, "set (OPENAI|ANTHROPIC)_API_KEY to a valid key"),
        (403, ModelRefusedError, "refuses the key"),
        (404, ModelRefusedError, "some-model is not known to its service .* correct the model's name"),
        (400, RequestRefusedError, "refused the request"),
    ],
)
async def test_a_refusal_is_one_sentence_with_the_remedy_and_never_the_key(
    server: ModelServer, model: LanguageModel, kind: Kind, status: int, error: type[ModelError], words: str
) -> None:
    del kind
    body = '{"error": {"message": "sk-secret is no good", "type": "x"}}'
    server.faults.extend([Fault(status=status, body=body)] * 2)

    with pytest.raises(error, match=words) as raised:
        await model.complete(PROMPT, SCHEMA)
    assert "sk-secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("model", "variable"), [(OPENAI, "OPENAI"), (ANTHROPIC, "ANTHROPIC")])
async def test_a_missing_key_is_told_without_a_call(
    monkeypatch: pytest.MonkeyPatch, model: LanguageModel, variable: str
) -> None:
    monkeypatch.delenv(f"{variable}_API_KEY", raising=False)
    monkeypatch.delenv(f"{variable}_BASE_URL", raising=False)

    with pytest.raises(ModelRefusedError, match=f"needs a key; set {variable}_API_KEY"):
        await model.complete(PROMPT, SCHEMA)


async def test_a_compatible_server_needs_no_key(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")

    assert (await OPENAI.complete(PROMPT, SCHEMA)).answer["value"] is False
    assert len(server.calls) == 1


async def test_a_service_that_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

    with pytest.raises(
        ModelUnavailableError, match=r"cannot be reached .* check the network and OPENAI_BASE_URL"
    ):
        await OpenAIModel("some-model", ModelOptions(timeout_seconds=0.3)).complete(PROMPT, SCHEMA)


@pytest.mark.parametrize("variable", ["MEMALIGN_MAX_WORKERS", "MLFLOW_GENAI_OPTIMIZE_MAX_WORKERS"])
async def test_no_more_calls_run_at_once_than_allowed(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "3")
    server.chat_seconds = server.embedding_seconds = 0.02
    embedder = OpenAIEmbedder("e", 8)

    await asyncio.gather(
        *(OPENAI.complete(PROMPT, SCHEMA) for _ in range(9)), *(embedder.embed(["x"]) for _ in range(9))
    )

    assert server.max_calls_under_way == 3


async def test_a_senseless_number_of_workers_is_told(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMALIGN_MAX_WORKERS", "many")

    with pytest.raises(SettingsError, match="MEMALIGN_MAX_WORKERS is 'many'"):
        await OPENAI.complete(PROMPT, SCHEMA)
    assert server.calls == []


async def test_vectors_come_in_the_order_of_the_texts(server: ModelServer) -> None:
    embedded = await OpenAIEmbedder("e", 32).embed(["one", "two", "three"])

    assert np.allclose(embedded.vectors, [direction(text, 32) for text in ("one", "two", "three")], atol=1e-6)
    assert embedded.usage == Usage(calls=1, embedding_tokens=4)
    assert server.calls[0].body["dimensions"] == 32


async def test_a_model_that_knows_no_dimensions_is_asked_without_from_then_on(server: ModelServer) -> None:
    server.refuses_dimensions = True
    embedder = OpenAIEmbedder("e", 64)

    await embedder.embed(["one"])
    embedded = await embedder.embed(["two"])

    assert len(server.calls) == 3
    assert embedded.vectors.shape == (1, 64)


async def test_a_text_too_long_for_the_model_is_cut_until_it_fits(server: ModelServer) -> None:
    server.longest_text = 2_500

    embedded = await OpenAIEmbedder("e", 16).embed(["word " * 50_000, "short"])

    assert embedded.vectors.shape == (2, 16)
    assert server.calls[-1].body["input"][1] == "short"


async def test_a_refused_embedding_is_told(server: ModelServer) -> None:
    server.longest_text = 0

    with pytest.raises(RequestRefusedError, match="openai:/e has no room for so long a text"):
        await OpenAIEmbedder("e", 16).embed(["x"])
    assert len(server.calls) <= 2


async def test_cancelling_reaches_the_call(server: ModelServer) -> None:
    server.chat_seconds = 60

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await OPENAI.complete(PROMPT, SCHEMA)


async def test_logs_hold_no_secret(server: ModelServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="memalign"):
        await OPENAI.complete(PROMPT, SCHEMA)

    assert "sk-secret" not in caplog.text
    assert len(server.calls) == 1
