"""The container's health check: on the host and port of the settings file, without the bot's packages."""

import asyncio
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.cli.health_check import DEFAULT_HOST, DEFAULT_PORT, is_healthy
from bot.config import IngestSettings
from tests.bot.bot_in_workspace import free_port
from tests.bot.ingest.trace_server import trace_server

ROOT = Path(__file__).parents[3]


async def exit_code(settings: Path) -> int:
    """Run the check as the container does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.cli.health_check", str(settings), cwd=ROOT
    )
    return await process.wait()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_a_running_bot_is_healthy_on_its_configured_port(tmp_path: Path, host: str) -> None:
    settings = tmp_path / "memalign.toml"
    async with trace_server(tmp_path, ingest={"host": host, "port": 0}, token="s3cret") as server:
        port = urlsplit(server.server.url).port
        settings.write_text(f'[ingest]\nhost = "{host}"\nport = {port}\n')
        assert await exit_code(settings) == 0
    assert await exit_code(settings) == 1


def test_nobody_there_is_unhealthy(tmp_path: Path) -> None:
    settings = tmp_path / "memalign.toml"
    settings.write_text(f"[ingest]\nport = {free_port()}\n")
    assert not is_healthy(settings)


def test_the_defaults_are_those_of_the_settings() -> None:
    assert (IngestSettings().host, IngestSettings().port) == (DEFAULT_HOST, DEFAULT_PORT)


def test_it_imports_nothing_but_the_standard_library() -> None:
    code = "import sys, bot.cli.health_check; print({'aiohttp', 'memalign', 'pydantic'} & sys.modules.keys())"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "set()"
