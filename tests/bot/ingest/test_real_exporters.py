"""Spans of real libraries: OpenTelemetry's SDK and exporter, and instrumentations of a real client of OpenAI."""

import asyncio
import os
import re
import shlex
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from memalign.records import Trace
from tests.bot.ingest.trace_server import TraceServer, trace_server
from tests.model_server import ModelServer, running_model_server

QUESTION, ANSWER = "Where is my parcel?", "Ask the post."
LIBRARIES = {
    "OpenInference": "openinference.instrumentation.openai",
    "GenAI": "opentelemetry.instrumentation.openai_v2",
    "OpenLLMetry": "opentelemetry.instrumentation.openai",
}
CAPTURE = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
}


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with running_model_server() as server:
        yield server


def is_missing(module: str) -> bool:
    try:
        return find_spec(module) is None
    except ModuleNotFoundError:
        return True


def skip_without(library: str) -> None:
    for module in ("opentelemetry.exporter.otlp.proto.http", LIBRARIES[library]):
        if is_missing(module):
            pytest.skip(f"{module} is not installed")


async def run_traced(arguments: Sequence[str], bot: TraceServer, settings: Mapping[str, str]) -> str:
    """Run Python to its end, let the bot finish the traces that came, and return what was printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("OTEL_")},
            **settings,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    while await bot.database.open_traces.count():
        await bot.assembly.finish_due()
        await asyncio.sleep(0.05)
    return output.decode().strip()


async def run_application(
    library: str, bot: TraceServer, model: ModelServer, settings: Mapping[str, str]
) -> Trace | None:
    """Let the application answer one question, and the bot finish its trace."""
    model.answers.append(ANSWER)
    arguments = ("-m", "tests.bot.ingest.traced_application", LIBRARIES[library], QUESTION)
    trace_id = await run_traced(
        arguments,
        bot,
        {
            **client_settings(model),
            "OTEL_EXPORTER_OTLP_ENDPOINT": bot.server.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer secret",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_SERVICE_NAME": "shop",
            **settings,
        },
    )
    return await bot.database.traces.get(trace_id)


def client_settings(model: ModelServer) -> dict[str, str]:
    return {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": model.base_url}


@pytest.mark.parametrize(
    ("library", "settings"),
    [("OpenInference", {}), ("GenAI", CAPTURE), ("OpenLLMetry", {})],
    ids=["OpenInference", "GenAI", "OpenLLMetry"],
)
async def test_a_traced_call_becomes_a_trace(
    tmp_path: Path, model: ModelServer, library: str, settings: Mapping[str, str]
) -> None:
    skip_without(library)
    async with trace_server(
        tmp_path,
        token="secret",
        sampling={"rate": 1.0, "spread": False},
        ingest={"port": 0, "quiet_seconds": 0.2},
    ) as bot:
        trace = await run_application(library, bot, model, settings)
        assert trace is not None
        assert QUESTION in str(trace.inputs)
        assert ANSWER in str(trace.outputs)
        assert [turn["content"] for turn in trace.conversation] == ["Be kind.", QUESTION, ANSWER]
        assert trace.metadata["service"] == "shop"
        assert trace.metadata["session_id"] == "s-1"
        assert trace.metadata["model"] == "some-model"
        assert await bot.database.traces.waiting() == 1


async def test_content_that_nobody_opted_in_to_is_told(tmp_path: Path, model: ModelServer) -> None:
    skip_without("GenAI")
    async with trace_server(
        tmp_path, token="secret", sampling={"rate": 1.0}, ingest={"port": 0, "quiet_seconds": 0.2}
    ) as bot:
        assert await run_application("GenAI", bot, model, {}) is None
        (problem,) = bot.health.problems()
        assert all(f"{name}={value}" in problem.reason for name, value in CAPTURE.items())


async def test_the_application_of_the_documentation_is_traced(tmp_path: Path, model: ModelServer) -> None:
    skip_without("OpenInference")
    page = (Path(__file__).parents[3] / "docs/opentelemetry.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^ *```python\n(.*?)```", page, re.MULTILINE | re.DOTALL)
    (command,) = re.findall(r"^ *(OTEL_\S+ .*)python shop.py$", page, re.MULTILINE)
    settings = dict(setting.split("=", 1) for setting in shlex.split(command))
    (tmp_path / "shop.py").write_text(textwrap.dedent(program), encoding="utf-8")
    model.answers.append(ANSWER)
    async with trace_server(
        tmp_path, sampling={"rate": 1.0}, ingest={"port": 0, "quiet_seconds": 0.2}
    ) as bot:
        assert settings["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:8080"
        here = {"OTEL_EXPORTER_OTLP_ENDPOINT": bot.server.url}
        output = await run_traced(
            [str(tmp_path / "shop.py")], bot, {**client_settings(model), **settings, **here}
        )
        assert output == ANSWER
        assert await bot.database.traces.count() == 1
        assert bot.assembly.without_content == 0
