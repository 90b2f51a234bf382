import pytest

from memalign.errors import SettingsError
from memalign.models import connect_distiller, connect_embedder, connect_judge_model, model_name
from memalign.models.json_answers import find_answer, fits
from memalign.models.llm_judge import LLMJudge
from memalign.models.local.case_classifier import CaseClassifier
from memalign.models.local.extractive_distiller import ExtractiveDistiller
from memalign.models.prompts import distilling_schema, judging_schema
from memalign.records import Json
from memalign.value_types import value_type_of

SCHEMA = judging_schema(value_type_of("bool"))


@pytest.mark.parametrize("name", ["openai:/some/model", "anthropic:/claude", " openai:/x "])
def test_a_name_is_a_provider_and_a_model(name: str) -> None:
    parts = model_name(name)

    assert f"{parts.provider}:/{parts.name}" == name.strip()


@pytest.mark.parametrize("name", ["gpt-5", "openai:", "openai:/", "openai/gpt", "azur:/x", "", "OpenAI:/x"])
def test_what_is_no_name_is_told_with_the_forms_there_are(name: str) -> None:
    with pytest.raises(SettingsError, match="is no model; write openai:/NAME"):
        model_name(name)


def test_the_local_models_are_found_by_what_they_do() -> None:
    embedder = connect_embedder("local:/wordllama", 512)
    assert (embedder.name, embedder.dimension) == ("local:/wordllama", 256)
    assert isinstance(connect_judge_model("local:/cases"), CaseClassifier)
    assert isinstance(connect_distiller("local:/extract"), ExtractiveDistiller)


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_language_models_judge_and_distil(provider: str) -> None:
    judge_model = connect_judge_model(f"{provider}:/m")

    assert isinstance(judge_model, LLMJudge)
    assert judge_model.name == f"{provider}:/m"


def test_what_a_model_cannot_do_is_told() -> None:
    with pytest.raises(SettingsError, match="does not embed"):
        connect_embedder("anthropic:/claude", 8)
    with pytest.raises(SettingsError, match="does not embed"):
        connect_embedder("local:/cases", 8)
    with pytest.raises(SettingsError, match="does not judge"):
        connect_judge_model("local:/wordllama")
    with pytest.raises(SettingsError, match="does not distil"):
        connect_distiller("local:/cases")
    with pytest.raises(SettingsError, match="embedding_dim is 0"):
        connect_embedder("openai:/e", 0)


GOOD: Json = {"rationale": "so {really}", "value": True}


@pytest.mark.parametrize(
    "text",
    [
        '{"rationale": "so {really}", "value": true}',
        'Sure!\n```json\n{"rationale": "so {really}", "value": true}\n```\nBye',
        '```\n{"rationale": "so {really}", "value": true}```',
        'I think {this} is it: {"rationale": "so {really}", "value": true} - do you agree? {}',
        '{"thoughts": 1} {"rationale": "so {really}", "value": true}',
        '[{"rationale": "so {really}", "value": true}]',
    ],
)
def test_the_answer_is_found_wherever_it_is(text: str) -> None:
    assert find_answer(text, SCHEMA) == GOOD


@pytest.mark.parametrize(
    "text", ["", "no", "{", '{"value": true}', '{"rationale": 1, "value": true}', "null", "[]"]
)
def test_what_holds_no_answer_has_none(text: str) -> None:
    assert find_answer(text, SCHEMA) is None


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ({"guidelines": [], "supports": [], "contradicts": [], "same": []}, True),
        ({"guidelines": {}, "supports": [], "contradicts": [], "same": []}, False),
        ({"guidelines": []}, False),
        ([], False),
    ],
)
def test_an_answer_is_checked_for_what_was_asked(answer: Json, right: bool) -> None:
    assert fits(answer, distilling_schema()) is right


def test_a_category_may_be_a_number() -> None:
    assert fits({"rationale": "", "value": 2}, judging_schema(value_type_of([1, 2])))
