from dataclasses import replace

import pytest

from memalign.errors import MalformedAnswerError, ModelUnavailableError
from memalign.models.llm_judge import LLMJudge
from memalign.records import Json, Label, Usage
from memalign.value_types import value_type_of
from tests.factories import a_guideline
from tests.fakes import DOWN, FakeModel
from tests.memalign.models.test_prompts import a_request


@pytest.mark.parametrize(
    ("word", "answer", "label"),
    [
        ("bool", "yes", True),
        ("int", "3", 3),
        ("float", 1, 1.0),
        ("str", "fine", "fine"),
        ('["Good", "Bad"]', "good", "Good"),
    ],
)
async def test_the_models_answer_becomes_a_label_of_the_judges_type(
    word: str, answer: Json, label: Label
) -> None:
    model = FakeModel({"rationale": " so ", "value": answer})
    request = replace(a_request(None, (a_guideline("Greet."),)), value_type=value_type_of(word))

    response = await LLMJudge(model).decide(request)

    assert response.value == label
    assert type(response.value) is type(label)
    assert response.rationale == "so"
    assert response.shown_guideline_ids == ("g-Greet.",)
    assert response.retrieved_trace_ids == ()
    assert response.usage == Usage(calls=1, input_tokens=10, output_tokens=5)


@pytest.mark.parametrize("answer", [{"value": "maybe", "rationale": ""}, {"rationale": "no value"}])
async def test_an_answer_that_is_no_value_is_told(answer: Json) -> None:
    with pytest.raises(MalformedAnswerError, match="fake:/model gave no usable verdict"):
        await LLMJudge(FakeModel(answer)).decide(a_request())


async def test_a_model_that_is_down_is_told() -> None:
    with pytest.raises(ModelUnavailableError):
        await LLMJudge(FakeModel(DOWN)).decide(a_request())


async def test_without_memory_a_decision_names_no_evidence() -> None:
    assert (await LLMJudge(FakeModel()).decide(a_request())).shown_guideline_ids == ()
