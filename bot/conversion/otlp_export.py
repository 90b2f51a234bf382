"""OTLP/JSON, as the file exporter of an OpenTelemetry Collector writes it: requests, one a line.

https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping

from bot.conversion.records import Document, ExportForm, Part, TraceSpan
from bot.plain_text import pluralise
from memalign.errors import InputError
from memalign.records import Json

_ID_BYTES = 16
_TRACE_ID = re.compile(r"[0-9a-fA-F]{32}")


def _recognises(document: Document) -> bool:
    return "resourceSpans" in document or "resource_spans" in document


def _read(document: Document) -> Iterator[Part]:
    unnamed = 0
    for span in _spans(document):
        trace_id = _trace_id(span.get("traceId") or span.get("trace_id"))
        if trace_id is None:
            unnamed += 1
            continue
        span_id = str(span.get("spanId") or span.get("span_id") or "")
        yield TraceSpan(trace_id=trace_id, span_id=span_id, span=span, metadata={})
    if unnamed:
        raise InputError(f"{pluralise(unnamed, 'span')} in it without a traceId of 32 hexadecimal digits")


def _spans(document: Document) -> Iterator[Document]:
    for resource in _objects(document, "resourceSpans", "resource_spans"):
        for scope in _objects(resource, "scopeSpans", "scope_spans", "instrumentationLibrarySpans"):
            yield from _objects(scope, "spans")


def _objects(document: Mapping[str, Json], *names: str) -> Iterable[Mapping[str, Json]]:
    values: list[Json] = next((document[name] for name in names if isinstance(document.get(name), list)), [])
    return [each for each in values if isinstance(each, Mapping)]


def _trace_id(value: Json) -> str | None:
    """Return a trace's id as hexadecimal digits, which protocol buffers' own JSON has as base64; None of no id."""
    text = str(value or "")
    if _TRACE_ID.fullmatch(text):
        return text.lower()
    try:
        read = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    return read.hex() if len(read) == _ID_BYTES else None


OTLP = ExportForm(name="otlp", title="OpenTelemetry", recognises=_recognises, read=_read)
