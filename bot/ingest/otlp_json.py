"""The JSON form of OTLP, read leniently: names in camel or snake case, numbers as numbers or texts."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress

from bot.ingest.otlp_span import OtlpSpan, RejectedSpan, checked_span
from bot.trace_json.json_items import MAX_CONTAINERS
from memalign.errors import InputError
from memalign.records import Json

_HEX_CHARS = {"traceId": 32, "spanId": 16, "parentSpanId": 16}
_UNREADABLE = "a span was refused: it is no object, or is nested too deeply"


def read_json(body: bytes) -> list[OtlpSpan | RejectedSpan]:
    """Read the spans of an `ExportTraceServiceRequest` in JSON. Raises `InputError` if the body is none."""
    if body.count(b"[") + body.count(b"{") > MAX_CONTAINERS:
        raise InputError(
            f"The body has more than {MAX_CONTAINERS:,} lists and objects; send smaller batches."
        )
    try:
        document = json.loads(body.decode("utf-8-sig", "surrogateescape"), parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The body is not JSON ({error}).") from None
    resource_spans = _part(document, "resourceSpans") if isinstance(document, Mapping) else False
    if not (resource_spans is None or isinstance(resource_spans, list)):
        raise InputError("The body is no export of OTLP: expected an object with resourceSpans.")
    return list(spans_of(document))


def spans_of(document: Mapping[str, Json]) -> Iterator[OtlpSpan | RejectedSpan]:
    """Yield the spans of an `ExportTraceServiceRequest`."""
    for resource_spans in _objects(_part(document, "resourceSpans")):
        resource = _part(resource_spans, "resource")
        attributes = _attributes(_part(resource, "attributes")) if isinstance(resource, Mapping) else {}
        # instrumentationLibrarySpans was its name before OTLP 0.19
        scopes = _part(resource_spans, "scopeSpans") or _part(resource_spans, "instrumentationLibrarySpans")
        for scope_spans in _objects(scopes):
            spans = _part(scope_spans, "spans")
            for span in spans if isinstance(spans, list) else ():
                yield _span(span, attributes.get("service.name"))


def _span(span: Json, service: Json) -> OtlpSpan | RejectedSpan:
    if not isinstance(span, Mapping):
        return RejectedSpan(reason=_UNREADABLE)
    try:
        status = _part(span, "status")
        document: dict[str, Json] = {
            "spanId": _hex(span, "spanId"),
            "parentSpanId": _hex(span, "parentSpanId"),
            "name": _part(span, "name"),
            "startTimeUnixNano": _part(span, "startTimeUnixNano"),
            "endTimeUnixNano": _part(span, "endTimeUnixNano"),
            "attributes": _attributes(_part(span, "attributes")),
            "events": [
                {"name": _part(event, "name"), "attributes": _attributes(_part(event, "attributes"))}
                for event in _objects(_part(span, "events"))
            ],
            "status": dict(status) if isinstance(status, Mapping) else None,
        }
        return checked_span(_hex(span, "traceId"), document, service)
    except RecursionError:
        return RejectedSpan(reason=_UNREADABLE)


def _hex(span: Mapping[str, Json], name: str) -> str:
    """Return an id in lower case; one in base64, as protobuf's own JSON has it, in hexadecimal."""
    text = str(_part(span, name) or "")
    if len(text) == _HEX_CHARS[name]:
        return text.lower()
    with suppress(binascii.Error, ValueError):
        return base64.b64decode(text, validate=True).hex()
    return text


def _attributes(pairs: Json) -> dict[str, Json]:
    if isinstance(pairs, Mapping):  # some write them as a plain object
        return {str(name): _value(value) for name, value in pairs.items()}
    return {str(pair["key"]): _value(pair.get("value")) for pair in _objects(pairs) if "key" in pair}


def _value(value: Json) -> Json:
    """Return the value of a typed one, such as `{"intValue": "5"}`."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return value
    ((kind, inner),) = value.items()
    match _camel(kind):
        case "arrayValue" if isinstance(inner, Mapping):
            values = inner.get("values")
            return [_value(each) for each in values] if isinstance(values, list) else []
        case "kvlistValue" if isinstance(inner, Mapping):
            return _attributes(inner.get("values"))
        case "intValue":
            return _number(inner, int)
        case "doubleValue":
            return _number(inner, float)
        case "boolValue":
            return inner if isinstance(inner, bool) else str(inner).lower() == "true"
        case "stringValue" | "bytesValue":
            return inner
        case _:
            return value


def _number(value: Json, kind: type[int] | type[float]) -> Json:
    """Return a number that may be a text; infinity and what is no number as it is."""
    if not isinstance(value, str) or value.strip("-").lower() in ("nan", "infinity", "inf"):
        return value
    with suppress(ValueError):
        return kind(value)
    return value


def _objects(value: Json) -> Iterator[Mapping[str, Json]]:
    yield from (each for each in value if isinstance(each, Mapping)) if isinstance(value, list) else ()


def _part(document: Mapping[str, Json], name: str) -> Json:
    """Return a part under its name in camel case, or in snake case."""
    if name in document:
        return document[name]
    return document.get("".join(f"_{each.lower()}" if each.isupper() else each for each in name))


def _camel(name: str) -> str:
    first, *others = str(name).split("_")
    return first + "".join(map(str.capitalize, others))
