import pytest

from memalign.errors import SettingsError
from memalign.models import connect_distiller, connect_embedder, connect_judge_model, model_name
from memalign.models.llm_judge import LLMJudge
from memalign.models.local.case_classifier import CaseClassifier
from memalign.models.local.extractive_distiller import ExtractiveDistiller


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
    with pytest.raises(SettingsError, match="does not make guidelines"):
        connect_distiller("local:/cases")
    with pytest.raises(SettingsError, match="embedding_dim is 0"):
        connect_embedder("openai:/e", 0)
