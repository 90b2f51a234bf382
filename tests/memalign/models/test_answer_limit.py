"""Limits of answers that services refuse as too high: read from their words, and kept to from then on."""

from collections.abc import Iterator

import pytest

from memalign.models.answer_limit import answer_limit
from memalign.models.openai import OpenAIModel
from memalign.models.options import ModelOptions
from memalign.models.prompts import judging_schema
from memalign.ports import Prompt
from memalign.value_types import value_type_of
from tests.model_dialects import fault
from tests.model_server import ModelServer, running_model_server

REFUSALS = (
    "max_tokens is too large: 1000. This model supports at most 512 completion tokens, whereas you provided 1000.",
    "max_tokens: 8192 > 512, which is the maximum allowed number of output tokens for claude-x",
    "`max_tokens` must be less than or equal to `512`, which is less than the `context_window` for this model",
    "Invalid max_tokens value, the valid range of max_tokens is [1, 512]",
    "Range of max_tokens should be [1, 512]",
    "The maximum tokens you requested exceeds the model limit of 512. Try a value that is lower.",
    "It has a maxOutputTokens value of 1000 but the supported range is from 1 (inclusive) to 513 (exclusive).",
    "max_completion_tokens cannot exceed 512",
    "too many tokens: max tokens must be less than or equal to 512, the maximum output length for this model",
    "max_new_tokens must not be greater than 512 for this endpoint",
)
"""Each names 512 tokens."""
OTHERS = (
    "'max_tokens' is too large: 4000. This model's maximum context length is 4096 tokens and your request has 200.",
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    "max_tokens must be at least 1",
    "Rate limit reached: limit 512 tokens per minute",
    "",
)
SCHEMA = judging_schema(value_type_of("bool"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        yield running


@pytest.mark.parametrize("words", REFUSALS)
def test_the_limit_is_read_from_each_services_words(words: str) -> None:
    assert answer_limit(words) == 512


@pytest.mark.parametrize("words", OTHERS)
def test_other_refusals_name_no_limit_of_an_answer(words: str) -> None:
    assert answer_limit(words) is None


@pytest.mark.parametrize("words", REFUSALS)
async def test_a_limit_that_is_too_high_is_lowered_once_for_all_calls(
    server: ModelServer, words: str
) -> None:
    server.faults.append(fault(400, {"error": {"message": words, "type": "invalid_request_error"}}))
    model = OpenAIModel("m")
    prompt = Prompt(stable="Is it polite?", changing="Go away.", answer_tokens=1_000)

    server.answers.extend(['{"rationale": "so", "value": true}'] * 2)

    for _ in range(2):
        await model.complete(prompt, SCHEMA)

    assert [call.body["max_tokens"] for call in server.of("chat")] == [1_000, 512, 512]
    assert (await model.prompt_room(4_000)).answer_tokens == 512


async def test_a_limit_among_the_parameters_of_a_person_is_theirs(server: ModelServer) -> None:
    refusal = fault(400, {"error": {"message": REFUSALS[0]}})
    server.faults.extend([refusal] * 3)
    model = OpenAIModel("m", ModelOptions(params={"max_tokens": 1_000}))

    with pytest.raises(Exception, match="refused the request"):
        await model.complete(Prompt(stable="Is it polite?", changing="Go away."), SCHEMA)

    assert {call.body["max_tokens"] for call in server.of("chat")} == {1_000}
