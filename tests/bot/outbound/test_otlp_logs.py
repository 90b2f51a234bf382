"""Verdicts as OpenTelemetry's evaluation results, over real HTTP, read by OpenTelemetry's own classes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from bot.config import OtlpSettings, RedactionSettings
from bot.outbound.errors import EventRejectedError, ReceiverUnavailableError
from bot.outbound.evaluation_results import EvaluationResults
from bot.outbound.otlp_logs import OtlpLogs, read_headers
from bot.redaction.redactor import Redactor
from memalign.errors import SettingsError
from memalign.records import Json, Label, Trace, Verdict
from storage.database import Database
from storage.records import OutboundChange, OutboundEvent
from storage.verdicts import verdict_id_of
from tests.bot.bot_in_workspace import bot_in_workspace
from tests.bot.outbound.event_server import EventRequest, EventServer
from tests.storage.records import DAY, NOON_MS

TRACE_ID, ROOT_ID, CALL_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
SPANS = (
    {"id": ROOT_ID, "name": "chat"},
    {"id": CALL_ID, "parent": ROOT_ID, "attributes": {"gen_ai.response.id": "chatcmpl-7"}},
)


def collector(db: Database, server: EventServer, **settings: str) -> OtlpLogs:
    results = EvaluationResults(db, ["polite"], Redactor(RedactionSettings(patterns=[r"PRJ-\d+"])))
    otlp = OtlpSettings(endpoint=f"{server.url}/")
    return OtlpLogs(
        "OTLP 127.0.0.1", otlp, read_headers("H", settings["headers"]) if settings else {}, results
    )


async def event_of(
    db: Database, value: Label, trace_id: str = TRACE_ID, spans: tuple[Json, ...] = SPANS
) -> OutboundEvent:
    """Return the event of a verdict on a trace."""
    await db.traces.add([(Trace(trace_id=trace_id, inputs="SECRET", spans=spans), [])], NOON_MS, 10)
    verdict = Verdict(judge="polite", trace_id=trace_id, value=value, rationale="As in PRJ-77.", model="m")
    await db.verdicts.keep(verdict, channel="C1", judged_ms=NOON_MS, day=DAY)
    change = OutboundChange(
        type="verdict.created",
        at_ms=NOON_MS,
        judge="polite",
        trace_id=trace_id,
        verdict_id=verdict_id_of("polite", trace_id),
    )
    return OutboundEvent(event_id="evt_1", receiver="otlp", number=1, change=change)


def answering(body: bytes) -> Callable[[EventRequest], web.Response]:
    return lambda _: web.Response(body=body)


def record_of(body: bytes) -> LogRecord:
    request = ExportLogsServiceRequest.FromString(body)
    [resource] = request.resource_logs
    assert [(each.key, each.value.string_value) for each in resource.resource.attributes] == [
        ("service.name", "memalign")
    ]
    [scope] = resource.scope_logs
    record: LogRecord
    [record] = scope.log_records
    return record


def attributes_of(record: LogRecord) -> dict[str, object]:
    return {each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in record.attributes}


@pytest.mark.parametrize(
    ("value", "score"),
    [
        (True, {"gen_ai.evaluation.score.value": 1.0, "gen_ai.evaluation.score.label": "pass"}),
        (False, {"gen_ai.evaluation.score.value": 0.0, "gen_ai.evaluation.score.label": "fail"}),
        (4, {"gen_ai.evaluation.score.value": 4.0}),
        (2.5, {"gen_ai.evaluation.score.value": 2.5}),
        ("fair", {"gen_ai.evaluation.score.label": "fair"}),
        ("half \ud800", {"gen_ai.evaluation.score.label": "half ?"}),
    ],
)
async def test_a_verdict_is_an_evaluation_result_beside_the_span_that_was_judged(
    db: Database, server: EventServer, value: Label, score: dict[str, object]
) -> None:
    otlp = collector(db, server)
    assert await otlp.deliver(await event_of(db, value))
    await otlp.close()
    [request] = server.requests
    assert (request.path, request.headers["content-type"]) == ("/v1/logs", "application/x-protobuf")
    record = record_of(request.body)
    assert record.event_name == "gen_ai.evaluation.result"
    assert record.time_unix_nano == NOON_MS * 1_000_000
    assert (record.trace_id.hex(), record.span_id.hex()) == (TRACE_ID, ROOT_ID)
    attributes = attributes_of(record)
    assert attributes == {
        "gen_ai.evaluation.name": "polite",
        **score,
        "gen_ai.evaluation.explanation": attributes["gen_ai.evaluation.explanation"],
        "gen_ai.response.id": "chatcmpl-7",
        "memalign.verdict_id": verdict_id_of("polite", TRACE_ID),
    }
    assert "PRJ-77" not in str(attributes["gen_ai.evaluation.explanation"])
    assert b"SECRET" not in request.body


@pytest.mark.parametrize(
    ("trace_id", "spans", "ids"),
    [
        ("tr-1", SPANS, ("", "")),
        ("0" * 32, SPANS, ("", "")),
        (TRACE_ID, (), (TRACE_ID, "")),
        (TRACE_ID, ({"id": "root"},), (TRACE_ID, "")),
        (TRACE_ID, ("no span", {"id": CALL_ID, "parent": ROOT_ID}), (TRACE_ID, "")),
    ],
)
async def test_a_trace_without_ids_of_opentelemetrys_leaves_them_out(
    db: Database, server: EventServer, trace_id: str, spans: tuple[Json, ...], ids: tuple[str, str]
) -> None:
    otlp = collector(db, server)
    assert await otlp.deliver(await event_of(db, True, trace_id, spans))
    await otlp.close()
    record = record_of(server.requests[0].body)
    assert (record.trace_id.hex(), record.span_id.hex()) == ids


async def test_headers_come_from_the_environment(db: Database, server: EventServer) -> None:
    otlp = collector(db, server, headers="authorization=Bearer%20s3cret, x-team = quality")
    await otlp.deliver(await event_of(db, True))
    await otlp.close()
    headers = server.requests[0].headers
    assert (headers["authorization"], headers["x-team"]) == ("Bearer s3cret", "quality")


@pytest.mark.parametrize("value", ["", "s3cret", "=s3cret", "a=b,s3cret", "a=s3cret%0d%0ab: c"])
def test_headers_that_are_none_are_told_without_being_shown(value: str) -> None:
    with pytest.raises(SettingsError, match="COLLECTOR_HEADERS is missing, or no list") as caught:
        read_headers("COLLECTOR_HEADERS", value)
    assert "s3cret" not in str(caught.value)


async def test_what_a_collector_cannot_read_or_does_not_keep_is_not_sent_again(
    db: Database, server: EventServer
) -> None:
    otlp = collector(db, server)
    event = await event_of(db, True)
    server.answer = lambda _: web.Response(status=400)
    with pytest.raises(EventRejectedError, match="cannot read"):
        await otlp.deliver(event)
    partial = ExportLogsServiceResponse()
    partial.partial_success.rejected_log_records = 1
    server.answer = lambda _: web.Response(body=partial.SerializeToString())
    with pytest.raises(EventRejectedError, match="does not keep"):
        await otlp.deliver(event)
    for body in (b"", ExportLogsServiceResponse().SerializeToString(), b"\xff no protobuf"):
        server.answer = answering(body)
        assert await otlp.deliver(event)
    await otlp.close()


@pytest.mark.parametrize("status", [401, 404, 410, 429, 502, 503])
async def test_a_collector_that_takes_nothing_for_now_is_waited_for(
    db: Database, server: EventServer, status: int
) -> None:
    server.answer = lambda _: web.Response(status=status)
    otlp = collector(db, server)
    with pytest.raises(ReceiverUnavailableError):
        await otlp.deliver(await event_of(db, True))
    await otlp.close()


async def test_of_a_forgotten_trace_nothing_is_told(db: Database, server: EventServer) -> None:
    otlp = collector(db, server)
    event = await event_of(db, True)
    await db.forgetting.delete_traces([TRACE_ID])
    assert not await otlp.deliver(event)
    await otlp.close()
    assert server.requests == []


async def test_spans_that_came_in_lead_to_a_result_at_their_root(tmp_path: Path, server: EventServer) -> None:
    span = {
        "traceId": TRACE_ID,
        "spanId": ROOT_ID,
        "name": "chat",
        "startTimeUnixNano": "1800000000000000000",
        "endTimeUnixNano": "1800000001000000000",
        "attributes": [
            {"key": "openinference.span.kind", "value": {"stringValue": "LLM"}},
            {"key": "input.value", "value": {"stringValue": "Can you help me?"}},
            {"key": "output.value", "value": {"stringValue": "Go away."}},
            {"key": "gen_ai.response.id", "value": {"stringValue": "chatcmpl-9"}},
        ],
    }
    async with bot_in_workspace(
        tmp_path, ingest={"port": 0, "quiet_seconds": 0.2}, otlp={"endpoint": server.url}
    ) as team:
        async with ClientSession() as session:
            spans = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
            async with session.post(f"{team.bot.url}/v1/traces", json=spans) as answer:
                assert answer.status == 200
        await team.card(TRACE_ID)
        await team.until(lambda: server.requests)
        stored = await team.bot.database.verdicts.of_trace(TRACE_ID)
        team.react(await team.card(TRACE_ID), "thumbsup")
        await team.learned()
        _, figures = await team.get("/metrics")
    assert 'memalign_events{receiver="OTLP 127.0.0.1",result="delivered"} 1.0' in figures
    [request] = server.requests
    record = record_of(request.body)
    assert (record.trace_id.hex(), record.span_id.hex()) == (TRACE_ID, ROOT_ID)
    attributes = attributes_of(record)
    assert attributes["gen_ai.evaluation.name"] == "politeness"
    assert attributes["gen_ai.evaluation.score.label"] == ("pass" if stored[0].verdict.value else "fail")
    assert attributes["gen_ai.response.id"] == "chatcmpl-9"
