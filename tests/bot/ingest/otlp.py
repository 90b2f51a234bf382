"""Spans as OpenTelemetry sends them, in both forms."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from memalign.records import Json

START_NS = 1_790_000_000_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSpan:
    """A span; times are milliseconds after `START_NS`."""

    __test__ = False

    trace: str
    """A word, of which the trace id is made."""
    name: str
    parent: str | None = None
    """The name of the parent."""
    attributes: Mapping[str, Json] = field(default_factory=dict)
    events: Sequence[tuple[str, Mapping[str, Json]]] = ()
    start_ms: int = 0
    end_ms: int = 10
    error: str | None = None


def trace_id(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()[:32]


def span_id(trace: str, name: str) -> str:
    return hashlib.sha256(f"{trace} {name}".encode()).hexdigest()[:16]


def as_protobuf(spans: Sequence[TestSpan], service: str = "shop") -> bytes:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.extend(_pairs({"service.name": service}))
    scope = resource_spans.scope_spans.add()
    for span in spans:
        scope.spans.append(_message(span))
    return bytes(request.SerializeToString())


def as_json(spans: Sequence[TestSpan], service: str = "shop") -> bytes:
    return json.dumps(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": _json_pairs({"service.name": service})},
                    "scopeSpans": [
                        {"scope": {"name": "tests"}, "spans": [json_span(span) for span in spans]}
                    ],
                }
            ]
        }
    ).encode()


def json_span(span: TestSpan) -> dict[str, Json]:
    return {
        "traceId": trace_id(span.trace),
        "spanId": span_id(span.trace, span.name),
        "parentSpanId": "" if span.parent is None else span_id(span.trace, span.parent),
        "name": span.name,
        "kind": 1,
        "startTimeUnixNano": str(START_NS + span.start_ms * 1_000_000),
        "endTimeUnixNano": str(START_NS + span.end_ms * 1_000_000),
        "attributes": _json_pairs(span.attributes),
        "events": [
            {"name": name, "timeUnixNano": str(START_NS), "attributes": _json_pairs(attributes)}
            for name, attributes in span.events
        ],
        "status": {} if span.error is None else {"code": 2, "message": span.error},
    }


def _message(span: TestSpan) -> Span:
    message = Span(
        trace_id=bytes.fromhex(trace_id(span.trace)),
        span_id=bytes.fromhex(span_id(span.trace, span.name)),
        parent_span_id=b"" if span.parent is None else bytes.fromhex(span_id(span.trace, span.parent)),
        name=span.name,
        start_time_unix_nano=START_NS + span.start_ms * 1_000_000,
        end_time_unix_nano=START_NS + span.end_ms * 1_000_000,
        attributes=_pairs(span.attributes),
    )
    for name, attributes in span.events:
        message.events.add(name=name, attributes=_pairs(attributes))
    if span.error is not None:
        message.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=span.error))
    return message


def _pairs(attributes: Mapping[str, Json]) -> list[KeyValue]:
    return [KeyValue(key=name, value=_any_value(value)) for name, value in attributes.items()]


def _any_value(value: Json) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[_any_value(each) for each in value]))
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=_pairs(value)))
    return AnyValue(string_value=value)


def _json_pairs(attributes: Mapping[str, Json]) -> list[Json]:
    return [{"key": name, "value": _json_value(value)} for name, value in attributes.items()]


def _json_value(value: Json) -> dict[str, Json]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_json_value(each) for each in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _json_pairs(value)}}
    return {"stringValue": value}
