"""Traces that come in spans: kept until they are finished and handed on."""

from collections.abc import Mapping, Sequence

from memalign.records import Trace
from memalign.serialization import from_document, to_document
from storage.document_forms import form_of
from storage.documents import Document
from storage.records import OpenTrace, SpanBatch, SpanOutcome, SpanWaits, TracesWithoutContent
from storage.repository import Repository, Store, reads, writes
from storage.traces import Traces

MAX_SPANS_PER_TRACE = 10_000
"""Spans that are kept of one trace while it arrives."""
NOISE_FACTOR = 10
"""Open traces that have nothing to do with a model, as a multiple of those that may wait; none of them waits."""


class OpenTraces(Repository):
    """Open traces. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store, traces: Traces) -> None:
        super().__init__(store)
        self._pool = traces.open_spans
        self._traces = traces
        self._without_content = store.documents.declare(
            "traces_without_content", form=form_of(TracesWithoutContent)
        )

    @writes
    def add(
        self,
        batches: Sequence[SpanBatch],
        unsampled: Sequence[str],
        waits: SpanWaits,
        received_ms: int,
        *,
        max_waiting: int,
        max_bytes: int,
    ) -> list[SpanOutcome]:
        """Store spans of open traces; the answers are in the same order. The same spans again change nothing.

        Args:
            batches: the spans, by trace.
            unsampled: ids of traces that nobody is to judge; hashes of them are kept.
            received_ms: when they came, in milliseconds since 1970.
            waits: how long to wait for more of each trace.
            max_waiting: traces of AI that may be open, and jobs and candidates that may wait, together.
            max_bytes: bytes of spans, about, that are kept of one trace.
        """
        for trace_id in unsampled:
            self._traces.put_unsampled(trace_id, received_ms)
        noise = self._pool.count_noise()
        room = {
            True: max_waiting - self._traces.count_waiting() - (len(self._pool) - noise),
            False: NOISE_FACTOR * max_waiting - noise,
        }
        outcomes: list[SpanOutcome] = []
        for batch in batches:
            known = self._pool.find(batch.trace_id)
            is_stored = self._traces.has(batch.trace_id)
            outcome = self._refusal(batch, known, max_bytes, is_stored=is_stored)
            if outcome == "accepted" and known is None and not is_stored:
                outcome = "accepted" if room[batch.is_of_ai] > 0 else "full"
                room[batch.is_of_ai] -= 1
            if outcome == "accepted":
                self._pool.put(batch, waits, is_known=is_stored)
            outcomes.append(outcome)
        return outcomes

    @reads
    def due(self, now_ms: int, limit: int) -> list[OpenTrace]:
        """Return some of the traces that are finished by then, the first one first."""
        return self._pool.due(now_ms, limit)

    @reads
    def next_due_ms(self) -> int | None:
        """Return when the next trace is finished, in milliseconds since 1970; None while none is open."""
        return self._pool.next_due_ms()

    @reads
    def batches(self, trace_ids: Sequence[str]) -> Mapping[str, Mapping[str, SpanBatch]]:
        """Return the spans of traces by the place of each request's, in order of arrival."""
        return {trace_id: self._pool.batches(trace_id) for trace_id in trace_ids}

    @reads
    def count(self) -> int:
        """Return how many traces are open."""
        return len(self._pool)

    @writes
    def postpone(self, trace_ids: Sequence[str], due_ms: int) -> None:
        """Finish some traces later."""
        for trace_id in trace_ids:
            self._pool.postpone(trace_id, due_ms)

    @reads
    def stored(self, trace_ids: Sequence[str]) -> set[str]:
        """Return those of the traces that were finished before."""
        return {trace_id for trace_id in trace_ids if self._traces.has(trace_id)}

    @writes
    def close(
        self,
        handed_on: Mapping[str, Sequence[str]],
        unjudged: Mapping[str, Sequence[str]],
        now_ms: int,
        *,
        without_content: int = 0,
        count_from_ms: int = 0,
    ) -> TracesWithoutContent:
        """Delete the spans of finished traces, and count those of them that had no content.

        Args:
            handed_on: by trace, the places of `batches`.
            unjudged: the same of traces that nobody is to judge; hashes of their ids are kept.
            now_ms: the time now, in milliseconds since 1970.
            without_content: so many of these had no content.
            count_from_ms: the count begins anew where the last one came before then.

        Returns:
            The count of traces without content.
        """
        for trace_id, places in (*handed_on.items(), *unjudged.items()):
            self._pool.remove(trace_id, places)
        for trace_id in unjudged:
            self._traces.put_unsampled(trace_id, now_ms)
        return self._count_without_content(without_content, now_ms, count_from_ms)

    @writes
    def extend(self, trace: Trace, places: Sequence[str], original: Trace | None) -> bool:
        """Put a trace with its late spans in its own place, and delete these spans; False if it was judged before."""
        self._pool.remove(trace.trace_id, places)
        return self._traces.replace_unjudged(trace, original)

    @reads
    def without_content(self) -> TracesWithoutContent | None:
        """Return the count of traces without content; None where there was never one."""
        return self._known_without_content()

    def _count_without_content(self, number: int, now_ms: int, from_ms: int) -> TracesWithoutContent:
        known = self._known_without_content() or TracesWithoutContent(number=0, last_ms=0)
        if not number:
            return known
        before = known.number if known.last_ms >= from_ms else 0
        count = TracesWithoutContent(number=before + number, last_ms=now_ms)
        self._without_content.put(Document(to_document(count), "all"))
        return count

    def _known_without_content(self) -> TracesWithoutContent | None:
        body = self._without_content.get(doc_id="all")
        return None if body is None else from_document(TracesWithoutContent, body)

    def _refusal(
        self, batch: SpanBatch, known: OpenTrace | None, max_bytes: int, *, is_stored: bool
    ) -> SpanOutcome:
        if self._traces.has_forgotten(batch.trace_id):
            return "forgotten"
        if self._traces.is_unsampled(batch.trace_id):
            return "unsampled"
        if not is_stored and self._traces.stored_name(batch.trace_id) is not None:
            return "late"  # it came otherwise, under another name
        if is_stored and not self._traces.may_grow(batch.trace_id):
            return "late"
        spans, size = (0, 0) if known is None else (known.spans, known.size)
        if spans + len(batch.spans) > MAX_SPANS_PER_TRACE or size + batch.size > max_bytes:
            return "too large"
        return "accepted"
