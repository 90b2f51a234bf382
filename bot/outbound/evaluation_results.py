"""Verdicts as events `gen_ai.evaluation.result` of OpenTelemetry's log signal.

The event: https://github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-events.md. Its parent is the
root span of the trace that was judged, where the trace has ids of OpenTelemetry's.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from importlib.metadata import version

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from bot.redaction.redactor import Redactor
from memalign.records import Json, Label, Trace
from storage.database import Database
from storage.records import OutboundChange, StoredVerdict

EVENT_NAME = "gen_ai.evaluation.result"
SERVICE = "memalign"
NS_PER_MS = 1_000_000
_TRACE_ID, _SPAN_ID = re.compile(r"(?!0{32})[0-9a-f]{32}"), re.compile(r"(?!0{16})[0-9a-f]{16}")
_RESPONSE_ID = "gen_ai.response.id"


class EvaluationResults:
    """Derives export requests of one verdict each; what `[redaction]` takes out is not in them."""

    def __init__(self, database: Database, judges: Collection[str], redactor: Redactor) -> None:
        """Take the names of the judges in the settings, beside the store."""
        self._database = database
        self._judges = judges
        self._redactor = redactor

    async def of(self, change: OutboundChange) -> bytes | None:
        """Return the request for a verdict; None where there is nothing to tell any more. Raises `StorageError`."""
        stored = await self._database.verdicts.get(change.verdict_id)
        if stored is None or stored.is_hidden or stored.verdict.judge not in self._judges:
            return None
        trace = await self._database.traces.get(stored.verdict.trace_id)
        if trace is None:
            return None
        return export_request(log_record(stored, trace, self._redactor.words(stored.verdict.rationale)))


def export_request(record: LogRecord) -> bytes:
    """Return an `ExportLogsServiceRequest` with one record, as protobuf."""
    scope = InstrumentationScope(name=SERVICE, version=version("memalign"))
    resource = Resource(attributes=[_attribute("service.name", SERVICE)])
    logs = ResourceLogs(resource=resource, scope_logs=[ScopeLogs(scope=scope, log_records=[record])])
    return bytes(ExportLogsServiceRequest(resource_logs=[logs]).SerializeToString())


def log_record(stored: StoredVerdict, trace: Trace, rationale: str) -> LogRecord:
    """Return the event of a verdict.

    Args:
        stored: the verdict.
        trace: its trace.
        rationale: the judge's reason, as it may be told.
    """
    attributes: dict[str, str | float] = {
        "gen_ai.evaluation.name": stored.verdict.judge,
        **_score(stored.verdict.value),
        "memalign.verdict_id": stored.verdict_id,
    }
    if rationale:
        attributes["gen_ai.evaluation.explanation"] = rationale
    if response_id := _response_id(trace):
        attributes[_RESPONSE_ID] = response_id
    return LogRecord(
        time_unix_nano=stored.judged_ms * NS_PER_MS,
        observed_time_unix_nano=stored.judged_ms * NS_PER_MS,
        severity_number=SeverityNumber.SEVERITY_NUMBER_INFO,
        event_name=EVENT_NAME,
        attributes=[_attribute(name, value) for name, value in attributes.items()],
        trace_id=_id(_TRACE_ID, trace.trace_id),
        span_id=_id(_SPAN_ID, _root(trace).get("id")) if _id(_TRACE_ID, trace.trace_id) else b"",
    )


def _score(value: Label) -> dict[str, str | float]:
    """Return pass or fail with 1 or 0, a number as the value, and a category or a text as the label."""
    if isinstance(value, bool):
        return {
            "gen_ai.evaluation.score.value": float(value),
            "gen_ai.evaluation.score.label": "pass" if value else "fail",
        }
    if isinstance(value, int | float):
        return {"gen_ai.evaluation.score.value": float(value)}
    return {"gen_ai.evaluation.score.label": str(value)}


def _response_id(trace: Trace) -> str:
    """Return the id of the last answer of a model in the trace; empty where none is known."""
    attributes = (span.get("attributes") for span in reversed(list(_spans(trace))))
    ids = (each.get(_RESPONSE_ID) for each in attributes if isinstance(each, Mapping))
    return next((each for each in ids if isinstance(each, str) and each), "")


def _root(trace: Trace) -> Mapping[str, Json]:
    return next((span for span in _spans(trace) if not span.get("parent")), {})


def _spans(trace: Trace) -> Iterator[Mapping[str, Json]]:
    return (span for span in trace.spans if isinstance(span, Mapping))


def _id(pattern: re.Pattern[str], value: Json) -> bytes:
    """Return the bytes of an id; none where it is not of OpenTelemetry's form."""
    return bytes.fromhex(value) if isinstance(value, str) and pattern.fullmatch(value) else b""


def _attribute(name: str, value: str | float) -> KeyValue:
    if isinstance(value, str):
        # half a surrogate pair is no text of protobuf's
        text = value.encode(errors="replace").decode()
        return KeyValue(key=name, value=AnyValue(string_value=text))
    return KeyValue(key=name, value=AnyValue(double_value=value))
