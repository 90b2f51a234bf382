"""Address and key of each provider's models."""

import pytest

from memalign.errors import MemAlignError, ModelRefusedError, SettingsError
from memalign.models import ModelOptions, check_key, connect_judge_model
from memalign.models.providers import PROVIDERS, endpoint_of

VARIABLES = {
    *(name for each in PROVIDERS.values() for name in (*each.key_variables, each.base_url_variable) if name),
    "OPENAI_API_VERSION",
}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("provider", "variables", "base_url", "key"),
    [
        ("openai", {"OPENAI_API_KEY": "k"}, None, "k"),
        ("openai", {"OPENAI_BASE_URL": "http://a/v1"}, "http://a/v1", "none"),
        ("anthropic", {"ANTHROPIC_API_KEY": "k"}, None, "k"),
        ("ollama", {}, "http://127.0.0.1:11434/v1", "none"),
        ("ollama", {"OLLAMA_BASE_URL": "http://a:11434"}, "http://a:11434/v1", "none"),
        ("gemini", {"GEMINI_API_KEY": "k"}, "https://generativelanguage.googleapis.com/v1beta/openai", "k"),
        ("gemini", {"GOOGLE_API_KEY": "k"}, "https://generativelanguage.googleapis.com/v1beta/openai", "k"),
        ("mistral", {"MISTRAL_API_KEY": "k"}, "https://api.mistral.ai/v1", "k"),
        ("mistral", {"MISTRAL_BASE_URL": "http://a/v1"}, "http://a/v1", "none"),
        ("openrouter", {"OPENROUTER_API_KEY": "k"}, "https://openrouter.ai/api/v1", "k"),
        (
            "databricks",
            {"DATABRICKS_HOST": "adb.example.net", "DATABRICKS_TOKEN": "k"},
            "https://adb.example.net/serving-endpoints",
            "k",
        ),
        (
            "databricks",
            {"DATABRICKS_HOST": "https://adb.example.net/", "DATABRICKS_TOKEN": "k"},
            "https://adb.example.net/serving-endpoints",
            "k",
        ),
        (
            "azure",
            {"AZURE_OPENAI_ENDPOINT": "https://a.openai.azure.com/", "AZURE_OPENAI_API_KEY": "k"},
            "https://a.openai.azure.com/openai/v1",
            "k",
        ),
        ("bedrock", {"AWS_BEARER_TOKEN_BEDROCK": "k"}, None, "k"),
        ("vertex", {}, None, "none"),
    ],
)
def test_each_provider_has_its_address_and_key(
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    variables: dict[str, str],
    base_url: str | None,
    key: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    endpoint = endpoint_of(provider, "m")

    assert (endpoint.base_url, endpoint.key) == (base_url, key)


@pytest.mark.parametrize(
    ("address", "version", "base_url", "api_version"),
    [
        ("https://a.openai.azure.com", "2024-10-21", "https://a.openai.azure.com/openai", "2024-10-21"),
        (
            "https://a.openai.azure.com/",
            "2025-04-01-preview",
            "https://a.openai.azure.com/openai",
            "2025-04-01-preview",
        ),
        ("https://a.openai.azure.com", "v1", "https://a.openai.azure.com/openai/v1", None),
        ("https://a.openai.azure.com/openai/v1", "2024-10-21", "https://a.openai.azure.com/openai/v1", None),
        ("https://gateway.example.com/azure", "2024-10-21", "https://gateway.example.com/azure", None),
    ],
)
def test_azure_is_asked_by_deployments_where_a_dated_version_is_chosen(
    monkeypatch: pytest.MonkeyPatch, address: str, version: str, base_url: str, api_version: str | None
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", address)
    monkeypatch.setenv("OPENAI_API_VERSION", version)

    endpoint = endpoint_of("azure", "m")

    assert (endpoint.base_url, endpoint.api_version) == (base_url, api_version)


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        ("openai", "openai:/m needs a key; set OPENAI_API_KEY"),
        ("anthropic", "needs a key; set ANTHROPIC_API_KEY"),
        ("gemini", "needs a key; set GEMINI_API_KEY"),
        ("mistral", "needs a key; set MISTRAL_API_KEY"),
        ("openrouter", "needs a key; set OPENROUTER_API_KEY"),
        ("azure", "azure:/m needs an address; set AZURE_OPENAI_ENDPOINT, or base_url of this model"),
        ("databricks", "needs an address; set DATABRICKS_HOST"),
    ],
)
def test_what_is_not_set_is_told(provider: str, words: str) -> None:
    with pytest.raises(ModelRefusedError, match=words):
        check_key(f"{provider}:/m")


def test_options_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://environment/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    monkeypatch.setenv("TEAM_KEY", "ours")

    own = endpoint_of("openai", "m", ModelOptions(base_url="http://own/v1", api_key_env="TEAM_KEY"))
    keyless = endpoint_of("openai", "m", ModelOptions(api_key_env=""))

    assert (own.base_url, own.key, own.key_variable) == ("http://own/v1", "ours", "TEAM_KEY")
    assert (keyless.base_url, keyless.key) == ("http://environment/v1", "none")
    with pytest.raises(ModelRefusedError, match="set OTHER_KEY"):
        endpoint_of("openai", "m", ModelOptions(base_url="http://own/v1", api_key_env="OTHER_KEY"))


def test_an_address_with_a_password_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", "https://ana:secret@example.net")
    with pytest.raises(SettingsError, match="DATABRICKS_HOST holds a user name or password") as refusal:
        endpoint_of("databricks", "m")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("bedrock:/anthropic.claude", "boto3", "bedrock"),
        ("vertex:/claude", "google.auth", "vertex"),
        ("litellm:/groq/llama", "litellm", "litellm"),
    ],
)
def test_a_missing_package_is_told_with_the_command_that_installs_it(
    name: str, package: str, extra: str
) -> None:
    try:
        __import__(package)
    except ImportError:
        with pytest.raises(SettingsError) as refusal:
            connect_judge_model(name)
        assert f"needs the package {package}; run pip install 'memalign[{extra}]'." in str(refusal.value)
    else:
        pytest.skip(f"{package} is installed")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("azur:/x", "did you mean azure:/?"),
        ("openrouter/x", "is no model; write openai:/NAME"),
        ("litellm:/x", "write litellm:/PROVIDER/NAME"),
        ("Gemini:/x", "did you mean gemini:/?"),
    ],
)
def test_a_wrong_name_is_told_with_the_nearest_right_one(name: str, words: str) -> None:
    with pytest.raises(MemAlignError) as refusal:
        connect_judge_model(name)
    assert words in str(refusal.value)
