"""Refusals as OpenTelemetry's own exporter takes them: given up at once, or sent again."""

import asyncio
from pathlib import Path

import pytest

from memalign.records import Json
from tests.bot.ingest.trace_server import trace_server

trace_exporter = pytest.importorskip("opentelemetry.exporter.otlp.proto.http.trace_exporter")
sdk = pytest.importorskip("opentelemetry.sdk.trace")
SpanExportResult = pytest.importorskip("opentelemetry.sdk.trace.export").SpanExportResult


def a_span() -> Json:
    tracer = sdk.TracerProvider().get_tracer("shop")
    with tracer.start_as_current_span("answer", attributes={"input.value": "Where?"}) as span:
        pass
    return span


async def test_an_exporter_without_the_token_gives_up_at_once_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with trace_server(tmp_path, token="secret") as bot:
        exporter = trace_exporter.OTLPSpanExporter(endpoint=f"{bot.server.url}/v1/traces")
        assert await asyncio.to_thread(exporter.export, [a_span()]) is SpanExportResult.FAILURE
        assert "401" in caplog.text
        assert "Transient" not in caplog.text
        exporter = trace_exporter.OTLPSpanExporter(
            endpoint=f"{bot.server.url}/v1/traces", headers={"Authorization": "Bearer secret"}
        )
        assert await asyncio.to_thread(exporter.export, [a_span()]) is SpanExportResult.SUCCESS


async def test_an_exporter_sends_again_what_met_a_full_queue(tmp_path: Path) -> None:
    async with trace_server(
        tmp_path, sampling={"rate": 1.0}, ingest={"port": 0, "max_pending": 1, "quiet_seconds": 60}
    ) as bot:
        exporter = trace_exporter.OTLPSpanExporter(endpoint=f"{bot.server.url}/v1/traces")
        first, second = a_span(), a_span()
        assert await asyncio.to_thread(exporter.export, [first]) is SpanExportResult.SUCCESS
        exporting = asyncio.create_task(asyncio.to_thread(exporter.export, [second]))
        while not bot.intakes.spans.counts["full"]:  # noqa: ASYNC110 - the exporter works in a thread
            await asyncio.sleep(0.05)
        await bot.database.forgetting.delete_traces([f"{first.get_span_context().trace_id:032x}"])
        assert await exporting is SpanExportResult.SUCCESS
        assert await bot.database.open_traces.count() == 1
