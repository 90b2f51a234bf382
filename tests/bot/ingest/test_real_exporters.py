"""Spans of real libraries: OpenTelemetry's SDK and exporter, and instrumentations of a real client of OpenAI."""

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
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


async def run_application(
    library: str, bot: TraceServer, model: ModelServer, settings: Mapping[str, str]
) -> Trace | None:
    """Let the application answer one question, and the bot finish its trace."""
    model.answers.append(ANSWER)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")} | {
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": model.base_url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": bot.server.url,
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer secret",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_SERVICE_NAME": "shop",
        **settings,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.bot.ingest.traced_application", LIBRARIES[library], QUESTION),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    trace_id = output.decode().strip()
    while await bot.database.open_traces.count():
        await bot.assembly.finish_due()
        await asyncio.sleep(0.05)
    return await bot.database.traces.get(trace_id)


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
        tmp_path, token="secret", sampling={"rate": 1.0, "spread": False}, ingest={"quiet_seconds": 0.2}
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
        tmp_path, token="secret", sampling={"rate": 1.0}, ingest={"quiet_seconds": 0.2}
    ) as bot:
        assert await run_application("GenAI", bot, model, {}) is None
        (problem,) = bot.health.problems()
        assert all(f"{name}={value}" in problem.reason for name, value in CAPTURE.items())
