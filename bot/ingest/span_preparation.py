"""Spans made ready for the store: sampled by their trace's id, read in one form, redacted, and grouped by trace."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from bot.config import Settings
from bot.ingest.otlp_span import OtlpSpan, RejectedSpan
from bot.ingest.span_assembly import assembled_trace
from bot.judging.sampling import may_be_sampled
from bot.redaction.redactor import Redactor
from bot.runtime.health import unexpected
from memalign.records import Json, Trace
from memalign.span_conventions import is_of_ai
from memalign.span_forms import span_document
from storage.records import SpanBatch

_STRUCTURE = ("id", "parent", "start_ns", "ms", "status")
"""Parts of a span that hold no words, and by which its place in the trace is known."""
_NO_WORDS = {*_STRUCTURE, "inputs", "outputs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedSpans:
    """The spans of one request."""

    batches: tuple[SpanBatch, ...]
    unsampled: tuple[str, ...]
    """Ids of traces with spans of AI that no judge is to see."""
    unsampled_spans: int
    """Spans of all traces that no judge is to see."""
    refusals: Counter[str]
    """Spans that were rejected, by reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PreparedSpan:
    document: dict[str, Json]
    original: dict[str, Json]
    is_root: bool
    is_of_ai: bool
    size: int


class SpanPreparation:
    """Prepares spans; in any thread."""

    def __init__(self, settings: Settings, redactor: Redactor) -> None:
        self._settings = settings
        self._redactor = redactor

    def prepare(
        self, items: Sequence[OtlpSpan | RejectedSpan], key: bytes, received_ms: int
    ) -> PreparedSpans:
        """Prepare the spans of one request.

        Args:
            items: the spans, and what was refused already.
            key: the store's secret for sampling.
            received_ms: when they came, in milliseconds since 1970.
        """
        refusals = Counter(item.reason for item in items if isinstance(item, RejectedSpan))
        by_trace: dict[str, list[OtlpSpan]] = {}
        for item in items:
            if isinstance(item, OtlpSpan):
                by_trace.setdefault(item.trace_id, []).append(item)
        sampled = {trace_id for trace_id in by_trace if may_be_sampled(trace_id, self._settings, key)}
        batches = []
        for trace_id in sampled:
            prepared = [self._prepare(span) for span in by_trace[trace_id]]
            refusals.update(each.reason for each in prepared if isinstance(each, RejectedSpan))
            if spans := [each for each in prepared if not isinstance(each, RejectedSpan)]:
                batches.append(self._batch(trace_id, spans, received_ms))
        left_out = by_trace.keys() - sampled
        return PreparedSpans(
            batches=tuple(batches),
            unsampled=tuple(each for each in left_out if any(map(_is_of_ai, by_trace[each]))),
            unsampled_spans=sum(len(by_trace[each]) for each in left_out),
            refusals=refusals,
        )

    def assemble(self, trace_id: str, spans: Iterable[Mapping[str, Json]]) -> Trace:
        """Make a trace of redacted spans, and leave out of it what the settings drop."""
        trace = assembled_trace(trace_id, spans)
        kept = () if self._redactor.is_dropped(("spans",)) else trace.spans
        return replace(self._redactor.trace(replace(trace, spans=())), spans=kept)

    def _prepare(self, span: OtlpSpan) -> _PreparedSpan | RejectedSpan:
        try:
            document = span_document(span.span)
            if span.service is not None and span.is_root:
                document["attributes"] = {"service.name": span.service, **document.get("attributes", {})}
            size = len(json.dumps(document, ensure_ascii=False, allow_nan=False).encode())
        except (UnicodeEncodeError, ValueError):
            return RejectedSpan(reason="a span was refused: a text in it is not UTF-8, or a number too large")
        try:
            return _PreparedSpan(
                document=self._redacted(span.trace_id, document),
                original=document,
                is_root=span.is_root,
                is_of_ai=_is_of_ai(span),
                size=size,
            )
        except Exception:  # a bug on one span must not let it in as it is, nor stop its neighbours
            return RejectedSpan(reason=f"a span was refused: {unexpected('redacting a span')}")

    def _redacted(self, trace_id: str, document: Mapping[str, Json]) -> dict[str, Json]:
        """Redact a span before it is stored; settings for inputs and outputs hold for those of each span."""
        words = {name: part for name, part in document.items() if name not in _NO_WORDS}
        redacted = self._redactor.trace(
            Trace(
                trace_id=trace_id,
                inputs=document.get("inputs"),
                outputs=document.get("outputs"),
                spans=(words,),
            )
        )
        structure = {name: document[name] for name in _STRUCTURE if name in document}
        sides = {"inputs": redacted.inputs, "outputs": redacted.outputs}
        rest = redacted.spans[0] if redacted.spans and isinstance(redacted.spans[0], Mapping) else {}
        return {**rest, **structure, **{name: side for name, side in sides.items() if name in document}}

    def _batch(self, trace_id: str, spans: Sequence[_PreparedSpan], received_ms: int) -> SpanBatch:
        keeps_original = self._settings.redaction.keep_original
        return SpanBatch(
            trace_id=trace_id,
            spans=tuple(each.document for each in spans),
            originals=tuple(each.original for each in spans) if keeps_original else (),
            has_root=any(each.is_root for each in spans),
            is_of_ai=any(each.is_of_ai for each in spans),
            size=sum(each.size for each in spans),
            received_ms=received_ms,
        )


def _is_of_ai(span: OtlpSpan) -> bool:
    events = (event for event in span.span.get("events") or ())
    names = chain.from_iterable(event.get("attributes") or () for event in events)
    event_names = (str(event.get("name")) for event in span.span.get("events") or ())
    return is_of_ai(span.span.get("attributes") or {}, chain(names, event_names))
