"""Spans of traces that still arrive: what each request brought of a trace, and what is known of the trace so far."""

from collections.abc import Mapping, Sequence

from memalign.records import Json
from memalign.serialization import from_document, to_document
from storage.document_forms import form_of
from storage.documents import Document, Documents
from storage.keys import below, digest, key, stamp
from storage.records import OpenTrace, SpanBatch, SpanWaits


class SpanPool:
    """The tables of open traces and their spans, for use inside a transaction."""

    def __init__(self, documents: Documents) -> None:
        self._traces = documents.declare("open_traces", {"due": _by_due}, form=form_of(OpenTrace))
        self._spans = documents.declare("open_spans", form=form_of(SpanBatch))
        self._noise = documents.declare("open_noise")

    def __len__(self) -> int:
        return len(self._traces)

    def count_noise(self) -> int:
        """Return how many of the traces have nothing to do with a model, as far as is known."""
        return len(self._noise)

    def find(self, trace_id: str) -> OpenTrace | None:
        """Return what is known of a trace that still arrives."""
        body = self._traces.get(doc_id=trace_id)
        return None if body is None else from_document(OpenTrace, body)

    def put(self, batch: SpanBatch, waits: SpanWaits, *, is_known: bool) -> None:
        """Add spans to a trace. The same request again replaces what it brought.

        Args:
            batch: the spans.
            waits: how long to wait for more.
            is_known: the trace was finished already, so that its root is not waited for, and no span of it is noise.
        """
        place = key(batch.trace_id, digest(key(*(str(_id_of(span)) for span in batch.spans))))
        is_repeated = self._spans.contains(doc_id=place)
        self._spans.put(Document(to_document(batch), place))
        known = self.find(batch.trace_id) or OpenTrace(
            trace_id=batch.trace_id, first_ms=batch.received_ms, due_ms=0, has_root=is_known
        )
        has_root = known.has_root or batch.has_root
        quiet = batch.received_ms + (waits.quiet_ms if has_root else waits.rootless_ms)
        self._put(
            OpenTrace(
                trace_id=batch.trace_id,
                first_ms=known.first_ms,
                due_ms=min(quiet, known.first_ms + waits.longest_ms),
                has_root=has_root,
                is_of_ai=known.is_of_ai or batch.is_of_ai or is_known,
                spans=known.spans + (0 if is_repeated else len(batch.spans)),
                size=known.size + (0 if is_repeated else batch.size),
            )
        )

    def due(self, now_ms: int, limit: int) -> list[OpenTrace]:
        """Return some of the traces that are finished by then, the first one first."""
        bodies = self._traces.range("", stamp(now_ms + 1), index="due", limit=limit)
        return [from_document(OpenTrace, body) for body in bodies]

    def next_due_ms(self) -> int | None:
        """Return when the next trace is finished, in milliseconds since 1970; None while none is open."""
        return next((body["due_ms"] for body in self._traces.range(index="due", limit=1)), None)

    def batches(self, trace_id: str) -> Mapping[str, SpanBatch]:
        """Return the spans of a trace by the place of each request's, in order of arrival."""
        bodies = self._spans.range(*below(trace_id))
        ordered = sorted(bodies, key=lambda body: body["received_ms"])
        return {body.doc_id: from_document(SpanBatch, body) for body in ordered}

    def postpone(self, trace_id: str, due_ms: int) -> None:
        """Finish a trace later."""
        body = self._traces.get(doc_id=trace_id)
        if body is not None:
            self._traces.put(Document({**body, "due_ms": due_ms}, trace_id))

    def remove(self, trace_id: str, places: Sequence[str]) -> None:
        """Delete the spans in these places; the trace stays open where more have come."""
        self._spans.remove(doc_ids=places)
        if not self._spans.ids(*below(trace_id), limit=1):
            self._traces.remove(doc_ids=[trace_id])
            self._noise.remove(doc_ids=[trace_id])

    def delete_trace(self, trace_id: str) -> None:
        """Delete all spans of a trace."""
        self.remove(trace_id, self._spans.ids(*below(trace_id)))

    def _put(self, trace: OpenTrace) -> None:
        self._traces.put(Document(to_document(trace), trace.trace_id))
        is_noise = self._noise.contains(doc_id=trace.trace_id)
        if is_noise and trace.is_of_ai:
            self._noise.remove(doc_ids=[trace.trace_id])
        elif not is_noise and not trace.is_of_ai:
            self._noise.put(Document({}, trace.trace_id))


def _id_of(span: Json) -> Json:
    return span.get("id") if isinstance(span, Mapping) else None


def _by_due(body: Mapping[str, Json]) -> list[str]:
    return [key(stamp(body["due_ms"]), body["trace_id"])]
