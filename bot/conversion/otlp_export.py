"""OTLP/JSON, as the file exporter of an OpenTelemetry Collector writes it: requests, one a line.

https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
"""

from collections.abc import Iterator

from bot.conversion.records import Document, ExportForm, Part, TraceSpan
from bot.ingest.otlp_json import spans_of
from bot.ingest.otlp_span import RejectedSpan
from memalign.errors import InputError


def _recognises(document: Document) -> bool:
    return "resourceSpans" in document or "resource_spans" in document


def _read(document: Document) -> Iterator[Part]:
    rejected: list[str] = []
    for span in spans_of(document):
        if isinstance(span, RejectedSpan):
            rejected.append(span.reason)
            continue
        attributes = {"service.name": span.service} if span.service else {}
        whole = {**span.span, "attributes": attributes | span.span["attributes"]}
        yield TraceSpan(trace_id=span.trace_id, span_id=span.span["spanId"], span=whole, metadata={})
    if rejected:
        more = f" (and {len(rejected) - 1} more)" if len(rejected) > 1 else ""
        raise InputError(f"{rejected[0]}{more}; its other spans were read")


OTLP = ExportForm(name="otlp", title="OpenTelemetry", recognises=_recognises, read=_read)
