"""A tracking server: the small one, and the real one where MLflow is installed or `MLFLOW_COMMAND` names it."""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.bot.bot_in_workspace import free_port
from tests.bot.connectors.fake_mlflow import FakeMlflow
from tests.bot.connectors.mlflow_client import MlflowClient

START_SECONDS = 180


def mlflow_command() -> str | None:
    """Return the program of a whole MLflow, with its server."""
    if command := os.environ.get("MLFLOW_COMMAND"):
        return command
    beside = Path(sys.executable).with_name("mlflow")
    has_server = all(importlib.util.find_spec(name) for name in ("mlflow", "flask"))
    return str(beside) if has_server and beside.exists() else None


@pytest.fixture
async def fake_mlflow() -> AsyncIterator[FakeMlflow]:
    """A small tracking server."""
    server = FakeMlflow()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="session")
def real_mlflow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of MLflow's own server; skips where it is not installed."""
    command = mlflow_command()
    if command is None:
        pytest.skip("MLflow's server is not installed: make test-mlflow-server runs this test")
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    arguments = [
        *(command, "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
        *("--default-artifact-root", str(folder / "artifacts")),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log, start_new_session=True)
    try:
        _await_answer(f"http://127.0.0.1:{port}/version")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait()


@pytest.fixture
async def small(fake_mlflow: FakeMlflow) -> MlflowClient:
    """An application and its people at the small server."""
    return await MlflowClient.at(fake_mlflow.url)


@pytest.fixture
async def real(real_mlflow_url: str, request: pytest.FixtureRequest) -> MlflowClient:
    """An application and its people at MLflow's own server, at an experiment of the test's own."""
    return await MlflowClient.at(real_mlflow_url, request.node.name)


def _await_answer(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx2.get(url).raise_for_status()
        except httpx2.HTTPError:
            assert time.monotonic() < deadline, f"MLflow's server did not start within {START_SECONDS} s"
            time.sleep(0.2)
        else:
            return
