"""The form in which an answer is asked for, the limit of its tokens, and what is sent besides."""

import json
from collections.abc import Callable

import pytest

from memalign.errors import MalformedAnswerError, ModelError, RequestRefusedError
from memalign.event_loop import run_and_wait
from memalign.models.anthropic import AnthropicModel
from memalign.models.openai import OpenAIModel
from memalign.models.options import ModelOptions
from memalign.models.prompts import distilling_schema, judging_schema
from memalign.models.served_model import ServedModel
from memalign.ports import Prompt
from memalign.records import Json
from memalign.value_types import value_type_of
from tests.model_dialects import VLLM, Dialect, Fault, LlamaCpp, Mistral, Ollama, OpenAIReasoning
from tests.model_server import ModelServer, running_model_server

SCHEMA = judging_schema(value_type_of("bool"))
PROMPT = Prompt(stable="Judge. Answer in JSON.", changing="<record>\n{}\n</record>", answer_tokens=1_000)
ANSWER = json.dumps({"rationale": "so", "value": True})


def refusal(message: str, status: int = 400) -> Fault:
    return Fault(status=status, body=json.dumps({"error": {"message": message}}))


def completion(content: str | None, finish: str = "stop", **message: Json) -> Fault:
    choice = {
        "index": 0,
        "finish_reason": finish,
        "message": {"role": "assistant", "content": content, **message},
    }
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    return Fault(body=json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}))


def form(body: Json) -> str:
    if "tools" in body:
        return "tool"
    return str(body.get("response_format", {}).get("type", "none"))


def forms(server: ModelServer) -> list[str]:
    return [form(call.body) for call in server.calls]


async def ask(server: ModelServer, model: ServedModel) -> None:
    if not server.answers:
        server.answers.append(ANSWER)
    assert (await model.complete(PROMPT, SCHEMA)).answer == json.loads(ANSWER)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("response_format.type json_schema is not supported", 400),
        ("This response_format type is unavailable now", 400),
        ("Failed to parse grammar", 500),
        ("json_schema: not implemented", 501),
        ("Extra inputs are not permitted: response_format.json_schema", 422),
    ],
)
async def test_a_form_that_was_refused_once_is_not_tried_again(
    server: ModelServer, words: str, status: int
) -> None:
    server.faults.append(refusal(words, status))
    await ask(server, OpenAIModel("gpt-5-m"))
    await ask(server, OpenAIModel("gpt-5-m"))
    await ask(server, OpenAIModel("gpt-5-other"))
    assert forms(server) == ["json_schema", "json_object", "json_object", "json_schema"]


async def test_a_server_that_takes_no_form_is_asked_in_words_alone(server: ModelServer) -> None:
    server.refuses_schemas = True
    await ask(server, OpenAIModel("gpt-5-m"))
    await ask(server, OpenAIModel("gpt-5-m"))
    assert forms(server) == ["json_schema", "none", "none"]


async def test_a_refusal_that_names_no_form_costs_one_further_call(server: ModelServer) -> None:
    server.faults.extend([refusal("We do not like this."), refusal("We do not like this.")])
    with pytest.raises(RequestRefusedError):
        await ask(server, OpenAIModel("gpt-5-m"))
    await ask(server, OpenAIModel("gpt-5-m"))
    assert forms(server) == ["json_schema", "none", "json_schema"]


async def test_an_answer_of_no_use_is_asked_for_once_more_without_a_form(server: ModelServer) -> None:
    server.answers.extend(["no idea", "no idea"])
    with pytest.raises(MalformedAnswerError, match="did not answer in the form asked for"):
        await OpenAIModel("gpt-5-m").complete(PROMPT, SCHEMA)
    assert forms(server) == ["json_schema", "none"]


@pytest.mark.parametrize("mode", ["json_schema", "json_object", "none"])
async def test_a_chosen_form_is_kept_to(server: ModelServer, mode: str) -> None:
    model = OpenAIModel("gpt-5-m", ModelOptions(structured=mode))  # type: ignore[arg-type]
    server.answers.append("no idea")
    await ask_again(server, model)
    server.faults.append(refusal("response_format is not supported"))
    with pytest.raises(RequestRefusedError):
        await model.complete(PROMPT, SCHEMA)
    assert forms(server) == [mode] * 3


async def ask_again(server: ModelServer, model: ServedModel) -> None:
    server.answers.append(ANSWER)
    await ask(server, model)


async def test_an_answer_by_a_tool_is_read(server: ModelServer) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "answer", "arguments": ANSWER}}
    server.faults.append(completion(None, "tool_calls", tool_calls=[call]))
    done = await OpenAIModel("gpt-5-m", ModelOptions(structured="tool")).complete(PROMPT, SCHEMA)
    assert done.answer == json.loads(ANSWER)
    (sent,) = server.calls
    assert sent.body["tool_choice"] == {"type": "function", "function": {"name": "answer"}}
    assert sent.body["tools"][0]["function"]["parameters"] == SCHEMA


@pytest.mark.parametrize(
    ("structured", "parameter"),
    [("auto", "tools"), ("tool", "tools"), ("json_schema", "output_config"), ("none", None)],
)
async def test_anthropic_is_asked_by_its_own_forms(
    server: ModelServer, structured: str, parameter: str | None
) -> None:
    await ask(server, AnthropicModel("m", ModelOptions(structured=structured)))  # type: ignore[arg-type]
    (sent,) = server.calls
    assert [name for name in ("tools", "output_config") if name in sent.body] == list(
        filter(None, [parameter])
    )
    assert sent.body["max_tokens"] == 1_000


@pytest.mark.parametrize(
    ("dialect", "model", "limit"),
    [
        (Dialect(), "some-model", "max_tokens"),
        (OpenAIReasoning(), "some-model", "max_completion_tokens"),
        (OpenAIReasoning(), "gpt-5-mini", "max_completion_tokens"),
        (VLLM(), "some-model", "max_tokens"),
        (VLLM(), "openai/gpt-5-mini", "max_completion_tokens"),
        (Ollama(), "some-model", "max_tokens"),
        (LlamaCpp(), "some-model", "max_tokens"),
        (Mistral(), "some-model", "max_tokens"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_the_limit_is_sent_under_the_name_that_the_server_takes(
    monkeypatch: pytest.MonkeyPatch, dialect: Dialect, model: str, limit: str
) -> None:
    with running_model_server(dialect) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        for _ in range(3):
            run_and_wait(ask(server, OpenAIModel(model)))
        assert len(server.calls) <= 4
        assert {name: server.calls[-1].body[name] for name in limits(server)} == {limit: 1_000}


def limits(server: ModelServer) -> list[str]:
    return [name for name in server.calls[-1].body if name.startswith("max_")]


async def test_a_server_that_takes_no_limit_gets_none(server: ModelServer) -> None:
    server.faults.extend(
        [refusal("max_tokens is not supported"), refusal("Unknown parameter max_completion_tokens")]
    )
    await ask(server, OpenAIModel("m"))
    await ask(server, OpenAIModel("m"))
    assert [bool([name for name in call.body if name.startswith("max_")]) for call in server.calls] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("name", ["max_completion_tokens", "max_tokens"])
async def test_parameters_are_passed_on_as_they_are(server: ModelServer, name: str) -> None:
    params = {"temperature": 0, "reasoning_effort": "low", name: 77, "extra_body": {"top_k": 3}}
    await ask(server, OpenAIModel("gpt-5-m", ModelOptions(params=params, max_output_tokens=5)))
    (sent,) = server.calls
    assert {key: sent.body[key] for key in ("temperature", "reasoning_effort", "top_k")} == {
        "temperature": 0,
        "reasoning_effort": "low",
        "top_k": 3,
    }
    assert [(key, sent.body[key]) for key in sent.body if key.startswith("max_")] == [(name, 77)]
    assert "extra_body" not in sent.body


async def test_a_form_of_their_own_is_sent_instead_of_ours(server: ModelServer) -> None:
    own = {"type": "json_object"}
    await ask(server, OpenAIModel("gpt-5-m", ModelOptions(params={"response_format": own})))
    assert server.calls[0].body["response_format"] == own


async def test_parameters_of_anthropic_are_passed_on_too(server: ModelServer) -> None:
    params = {"temperature": 0.5, "max_tokens": 9}
    await ask(server, AnthropicModel("m", ModelOptions(params=params)))
    (sent,) = server.calls
    assert (sent.body["temperature"], sent.body["max_tokens"]) == (0.5, 9)


ALL_THINKING = {
    "nothing": completion("", "length"),
    "null": completion(None, "length", reasoning_content="hm"),
    "open tag": completion("<think>hm hm hm", "length"),
}


@pytest.mark.parametrize("thinking", ALL_THINKING.values(), ids=ALL_THINKING)
async def test_a_model_that_thinks_gets_room_for_it_once_and_for_good(
    server: ModelServer, thinking: Fault
) -> None:
    model = OpenAIModel("gpt-5-mini")
    server.faults.append(thinking)
    await ask(server, model)
    room = await model.prompt_room(1_000)
    assert [call.body["max_completion_tokens"] for call in server.calls] == [1_000, 9_000]
    assert room.answer_tokens == 9_000


async def test_a_model_that_thinks_without_end_is_told(server: ModelServer) -> None:
    server.faults.extend([completion("", "length")] * 4)
    with pytest.raises(MalformedAnswerError, match="spent 9,000 tokens on thinking and gave no answer"):
        await OpenAIModel("gpt-5-nano").complete(PROMPT, SCHEMA)
    assert len(server.calls) == 2


async def test_a_limit_that_was_set_is_not_raised(server: ModelServer) -> None:
    server.faults.append(completion("", "length"))
    with pytest.raises(MalformedAnswerError, match=r"spent 1,000 tokens .* set max_output_tokens"):
        await OpenAIModel("gpt-5-m", ModelOptions(max_output_tokens=1_000)).complete(PROMPT, SCHEMA)
    assert len(server.calls) == 1


async def test_an_answer_cut_in_the_middle_is_told_as_such(server: ModelServer) -> None:
    server.faults.extend([completion('{"rationale": "on and on', "length")] * 2)
    with pytest.raises(
        MalformedAnswerError, match=r"was cut off at 1,000 tokens, before its answer was whole"
    ):
        await OpenAIModel("gpt-5-m").complete(PROMPT, SCHEMA)
    assert len(server.calls) == 2


@pytest.mark.parametrize("connect", [OpenAIModel, AnthropicModel])
def test_models_live_on_servers_of_their_own(
    monkeypatch: pytest.MonkeyPatch, connect: Callable[[str, ModelOptions], ServedModel]
) -> None:
    monkeypatch.setenv("ONE_KEY", "key-1")
    monkeypatch.setenv("OTHER_KEY", "key-2")
    monkeypatch.setenv("TOKEN", "t-1")
    with running_model_server() as one, running_model_server() as other:
        path = "/v1" if connect is OpenAIModel else ""
        headers = {"X-Token": "env:TOKEN", "X-Team": "quality"}
        first = connect(
            "gpt-5-m", ModelOptions(base_url=f"{one.url}{path}", api_key_env="ONE_KEY", headers=headers)
        )
        second = connect("gpt-5-m", ModelOptions(base_url=f"{other.url}{path}", api_key_env="OTHER_KEY"))
        run_and_wait(ask(one, first))
        run_and_wait(ask(other, second))
        run_and_wait(ask(one, first))

        assert (len(one.calls), len(other.calls)) == (2, 1)
        assert "key-1" in json.dumps(dict(one.calls[0].headers))
        assert "key-2" in json.dumps(dict(other.calls[0].headers))
        sent = {name.lower(): value for name, value in one.calls[0].headers.items()}
        assert (sent["x-token"], sent["x-team"]) == ("t-1", "quality")
        assert "x-token" not in map(str.lower, other.calls[0].headers)


async def test_an_error_never_shows_a_header(server: ModelServer) -> None:
    server.faults.append(refusal("bad header hush-hush-hush", 401))
    with pytest.raises(ModelError) as caught:
        await OpenAIModel("gpt-5-m", ModelOptions(headers={"X": "hush-hush-hush"})).complete(PROMPT, SCHEMA)
    assert "hush-hush-hush" not in str(caught.value)


async def test_an_answer_of_megabytes_is_none_and_costs_one_call(server: ModelServer) -> None:
    server.answers.extend(["x " * 1_200_000] * 2)

    with pytest.raises(MalformedAnswerError, match="gave an answer of more than 2 MB"):
        await OpenAIModel("m").complete(PROMPT, SCHEMA)

    assert len(server.of("chat")) == 1


EMPTY_LESSON = json.dumps({"guidelines": [], "supports": [], "contradicts": [], "same": []})


@pytest.mark.parametrize(
    "words",
    [
        "Invalid schema for response_format 'answer': 'maxItems' is not permitted.",
        "output_config.format.schema: For 'array' type, property 'maxItems' is not supported",
        'Unsupported keyword "maxItems" in JSON schema',
    ],
)
async def test_a_server_that_takes_no_bounds_keeps_the_schema_and_is_remembered(
    server: ModelServer, words: str
) -> None:
    server.faults.append(refusal(words))
    server.answers.extend([EMPTY_LESSON, EMPTY_LESSON])
    for _ in range(2):
        await OpenAIModel("gpt-5-m").complete(PROMPT, distilling_schema())

    assert forms(server) == ["json_schema"] * 3
    assert ["maxItems" in json.dumps(call.body) for call in server.calls] == [True, False, False]


@pytest.mark.parametrize(("records", "most"), [(1, 10), (3, 10), (4, 50), (50, 50)])
def test_each_list_of_a_lesson_is_bounded(records: int, most: int) -> None:
    def arrays(schema: Json) -> list[Json]:
        parts = schema.values() if isinstance(schema, dict) else []
        inner = [found for part in parts for found in arrays(part)]
        return [*inner, schema] if isinstance(schema, dict) and schema.get("type") == "array" else inner

    assert [each["maxItems"] for each in arrays(distilling_schema(records))] == [most] * 8
