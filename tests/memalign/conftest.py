from collections.abc import Iterator

import pytest

from tests.model_dialects import DIALECTS, Dialect
from tests.model_server import ModelServer, running_model_server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A local model server that the providers' environment points to."""
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        yield running


@pytest.fixture(params=[pytest.param(dialect, id=dialect.name) for dialect in DIALECTS])
def dialect_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A local server of each dialect in turn; `server.dialect.model` is the model to name."""
    dialect: Dialect = request.param
    with running_model_server(dialect) as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url if dialect.base_path else f"{running.url}/v1")
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        yield running
