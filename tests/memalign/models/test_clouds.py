"""Models of clouds and further providers, asked by their own SDKs."""

import json
from collections.abc import Iterator

import pytest

from memalign import AlignedJudge, MemAlignOptimizer, make_judge
from memalign.errors import ModelRefusedError
from memalign.judges import AlignableJudge
from tests.factories import a_trace, a_vote
from tests.model_server import ModelServer, running_model_server

ANSWER = json.dumps({"rationale": "so", "value": True})


@pytest.fixture
def cloud() -> Iterator[ModelServer]:
    with running_model_server() as server:
        server.answers.append(ANSWER)
        yield server


def judge_with(model: str, **options: object) -> AlignableJudge:
    return make_judge("p", "Polite? {{ inputs }}", model, feedback_value_type=bool, model_options=options)


def test_azure_is_asked_by_its_v1_api(cloud: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", cloud.url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "sk-azure")
    monkeypatch.delenv("OPENAI_API_VERSION", raising=False)
    assert judge_with("azure:/judge-deployment")(inputs="Hello").value is True
    (call,) = cloud.calls
    assert (call.path, call.headers["Authorization"]) == ("/openai/v1/chat/completions", "Bearer sk-azure")
    assert call.body["model"] == "judge-deployment"
    assert call.body["max_completion_tokens"] == 1_000


def test_azure_is_asked_by_deployments_with_a_dated_version(
    cloud: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", cloud.url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "sk-azure")
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    assert judge_with("azure:/judge-deployment")(inputs="Hello").value is True
    (call,) = cloud.calls
    path = "/openai/deployments/judge-deployment/chat/completions?api-version=2024-10-21"
    assert (call.path, call.headers["api-key"]) == (path, "sk-azure")


def test_bedrock_is_asked_with_a_bearer_token(cloud: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "token-1")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    model = "bedrock:/anthropic.claude-sonnet-4-5-v1:0"
    assert judge_with(model, base_url=cloud.url)(inputs="Hello").value is True
    (call,) = cloud.calls
    assert call.path == "/model/anthropic.claude-sonnet-4-5-v1:0/invoke"
    assert call.headers["Authorization"] == "Bearer token-1"
    assert call.body["tools"][0]["name"] == "answer"


def test_bedrock_without_a_region_is_told(cloud: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "token-1")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ModelRefusedError, match="needs the region that serves the model; set AWS_REGION"):
        judge_with("bedrock:/claude", base_url=cloud.url)(inputs="Hello")


def test_vertex_is_asked_with_a_token_of_its_own(cloud: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_TOKEN", "token-2")
    monkeypatch.setenv("CLOUD_ML_REGION", "europe-west1")
    monkeypatch.setenv("ANTHROPIC_VERTEX_PROJECT_ID", "team")
    judge = judge_with("vertex:/claude-x", base_url=f"{cloud.url}/v1", api_key_env="GOOGLE_TOKEN")
    assert judge(inputs="Hello").value is True
    (call,) = cloud.calls
    assert call.headers["Authorization"] == "Bearer token-2"
    assert call.path.endswith("/publishers/anthropic/models/claude-x:rawPredict")


@pytest.mark.parametrize(
    ("provider", "variables"),
    [
        ("ollama", {"OLLAMA_BASE_URL": "{url}"}),
        ("gemini", {"GEMINI_BASE_URL": "{url}/v1", "GEMINI_API_KEY": "k"}),
        ("mistral", {"MISTRAL_BASE_URL": "{url}/v1", "MISTRAL_API_KEY": "k"}),
        ("openrouter", {"OPENROUTER_BASE_URL": "{url}/v1", "OPENROUTER_API_KEY": "k"}),
        ("databricks", {"DATABRICKS_HOST": "{url}/v1", "DATABRICKS_TOKEN": "k"}),
    ],
)
def test_the_loop_runs_with_models_of_each_provider(
    monkeypatch: pytest.MonkeyPatch, provider: str, variables: dict[str, str]
) -> None:
    with running_model_server() as server:
        for name, value in variables.items():
            monkeypatch.setenv(name, value.format(url=server.url))
        optimizer = MemAlignOptimizer(f"{provider}:/m", embedding_model=f"{provider}:/e", embedding_dim=16)
        aligned = align(judge_with(f"{provider}:/m"), optimizer)
        assert aligned(inputs="question tr-1", trace_id="new").retrieved_trace_ids == ("tr-1",)


def align(judge: AlignableJudge, optimizer: MemAlignOptimizer) -> AlignedJudge:
    aligned = judge.align([a_trace("tr-1", a_vote(False, "shouting is rude", name="p"))], optimizer)
    assert aligned.report.pending == {}
    return aligned


def test_judge_and_reflection_model_live_on_different_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with running_model_server() as first, running_model_server() as second, running_model_server() as third:
        judge = judge_with("openai:/m", base_url=f"{first.url}/v1")
        optimizer = MemAlignOptimizer(
            "openai:/m",
            embedding_model="openai:/e",
            embedding_dim=16,
            model_options={
                "openai:/m": {"base_url": f"{second.url}/v1"},
                "openai:/e": {"base_url": f"{third.url}/v1"},
            },
        )
        align(judge, optimizer)(inputs="Hello")
        kinds = [{call.kind for call in server.calls} for server in (first, second, third)]
    assert kinds == [{"chat"}, {"chat"}, {"embeddings"}]


def test_litellm_reaches_any_other_provider(cloud: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("litellm")
    monkeypatch.setenv("TEAM_KEY", "sk-team")
    judge = judge_with("litellm:/openai/some-model", base_url=f"{cloud.url}/v1", api_key_env="TEAM_KEY")
    assert judge(inputs="Hello").value is True
    assert cloud.calls[0].headers["Authorization"] == "Bearer sk-team"
