"""The binary form of OTLP: spans are cut out of the message and parsed one by one.

So one that cannot be read, for a text that is not UTF-8, does not spoil its neighbours, and the interpreter may
switch threads in between. The wire format: https://protobuf.dev/programming-guides/encoding/.
"""

import base64
import math
from collections.abc import Iterable, Iterator

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from bot.ingest.otlp_span import OtlpSpan, RejectedSpan, checked_span
from memalign.errors import InputError
from memalign.records import Json

_RESOURCE_SPANS, _RESOURCE, _SCOPE_SPANS, _SPANS = 1, 1, 2, 2
"""Field numbers in ExportTraceServiceRequest, ResourceSpans and ScopeSpans."""
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10
_UNREADABLE = "a span was refused: it cannot be read, or a text in it is not UTF-8"


def read_protobuf(body: bytes) -> list[OtlpSpan | RejectedSpan]:
    """Read the spans of an `ExportTraceServiceRequest`. Raises `InputError` if the body is none."""
    spans: list[OtlpSpan | RejectedSpan] = []
    for resource_spans in _messages(memoryview(body), _RESOURCE_SPANS):
        service = _service_name(_messages(resource_spans, _RESOURCE))
        for scope_spans in _messages(resource_spans, _SCOPE_SPANS):
            spans += [_span(raw, service) for raw in _messages(scope_spans, _SPANS)]
    return spans


def response_bytes(rejected: int, message: str) -> bytes:
    """Return an `ExportTraceServiceResponse`, without `partial_success` where all was taken."""
    response = ExportTraceServiceResponse()
    if rejected or message:
        response.partial_success.rejected_spans = rejected
        response.partial_success.error_message = message
    return bytes(response.SerializeToString())


def status_bytes(message: str) -> bytes:
    """Return a `google.rpc.Status`, whose message has the field number of that in OTLP's own `Status`."""
    return bytes(Status(message=message).SerializeToString())


def _messages(data: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the messages under a field number. Raises `InputError` for what is no message."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        size, position = _size_of_field(data, position, tag & 7)
        if size < 0 or position + size > len(data):
            raise _not_protobuf()
        if tag >> 3 == number and tag & 7 == _BYTES:
            yield data[position : position + size]
        position += size


def _size_of_field(data: memoryview, position: int, wire_type: int) -> tuple[int, int]:
    """Return how many bytes a field's value has, and where it begins."""
    if wire_type == _BYTES:
        return _varint(data, position)
    if wire_type == _VARINT:
        return _varint(data, position)[1] - position, position
    if wire_type in (_FIXED_64, _FIXED_32):
        return (8 if wire_type == _FIXED_64 else 4), position
    raise _not_protobuf()


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    """Return the number at a position, and the position after it."""
    value = 0
    for place, byte in enumerate(data[position : position + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, position + place + 1
    raise _not_protobuf()


def _not_protobuf() -> InputError:
    return InputError("The body is no OTLP export in protobuf; its Content-Type says that it is.")


def _service_name(resources: Iterable[memoryview]) -> Json:
    for raw in resources:
        try:
            attributes = Resource.FromString(bytes(raw)).attributes
        except DecodeError:
            return None
        return next((_value(each.value) for each in attributes if each.key == "service.name"), None)
    return None


def _span(raw: memoryview, service: Json) -> OtlpSpan | RejectedSpan:
    try:
        span = Span.FromString(bytes(raw))
    except DecodeError:
        return RejectedSpan(reason=_UNREADABLE)
    document: dict[str, Json] = {
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "name": span.name,
        "startTimeUnixNano": span.start_time_unix_nano,
        "endTimeUnixNano": span.end_time_unix_nano,
        "attributes": _attributes(span.attributes),
        "events": [
            {"name": event.name, "attributes": _attributes(event.attributes)} for event in span.events
        ],
        "status": {"code": span.status.code, "message": span.status.message},
    }
    return checked_span(span.trace_id.hex(), document, service)


def _attributes(attributes: Iterable[KeyValue]) -> dict[str, Json]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: AnyValue) -> Json:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    inner = getattr(value, kind)
    if kind == "array_value":
        return [_value(each) for each in inner.values]
    if kind == "kvlist_value":
        return _attributes(inner.values)
    if kind == "bytes_value":
        return base64.b64encode(inner).decode()
    return inner if not isinstance(inner, float) or math.isfinite(inner) else str(inner)
