"""A span as OTLP brings it, in the form that `memalign.span_forms` reads; and what is wrong with one that is none.

The protocol: https://opentelemetry.io/docs/specs/otlp/ and opentelemetry/proto/trace/v1/trace.proto.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.trace_json.json_size import size_of
from bot.trace_json.trace_body import MAX_NESTING, MAX_TRACE_VALUES
from memalign.records import Json

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")
MAX_NAME_CHARS = 80
"""Characters of a refused span's name that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtlpSpan:
    """A span with sound ids."""

    trace_id: str
    """32 hexadecimal digits in lower case."""
    span: dict[str, Json]
    """Its parts under OTLP's names, attributes by name."""
    service: str | None = None
    """The `service.name` of its resource."""

    @property
    def is_root(self) -> bool:
        """True if it has no parent."""
        return not str(self.span.get("parentSpanId") or "").strip("0")


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedSpan:
    """Something that is no span, with the reason."""

    reason: str


def checked_span(trace_id: str, span: dict[str, Json], service: Json) -> OtlpSpan | RejectedSpan:
    """Check a span's ids and size.

    Args:
        trace_id: hexadecimal, in lower case.
        span: its parts under OTLP's names, `spanId` hexadecimal in lower case.
        service: the `service.name` of its resource.
    """
    if not _TRACE_ID.fullmatch(trace_id) or not trace_id.strip("0"):
        return _rejected(span, "its trace id is not 32 hexadecimal digits, or all zeros")
    if not _SPAN_ID.fullmatch(str(span.get("spanId"))) or not str(span["spanId"]).strip("0"):
        return _rejected(span, "its span id is not 16 hexadecimal digits, or all zeros")
    size = size_of(span)
    if size.depth > MAX_NESTING:
        return _rejected(span, f"it is nested more than {MAX_NESTING} deep")
    if size.values > MAX_TRACE_VALUES:
        return _rejected(span, f"it has more than {MAX_TRACE_VALUES:,} values")
    return OtlpSpan(trace_id=trace_id, span=span, service=service if isinstance(service, str) else None)


def _rejected(span: Mapping[str, Json], reason: str) -> RejectedSpan:
    name = span.get("name")
    named = f' named "{name[:MAX_NAME_CHARS]}"' if isinstance(name, str) and name else ""
    return RejectedSpan(reason=f"a span{named} was refused: {reason}")
