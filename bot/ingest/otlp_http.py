"""Spans over HTTP, as OpenTelemetry sends them: stored before they are answered with 200."""

from collections import Counter
from collections.abc import Callable, Sequence

from aiohttp import web

from bot.config import Settings
from bot.ingest.http import call_for_body
from bot.ingest.otlp_json import read_json
from bot.ingest.otlp_protobuf import read_protobuf
from bot.ingest.otlp_response import PROTOBUF_TYPES, error_response, success_response
from bot.ingest.otlp_span import OtlpSpan, RejectedSpan
from bot.ingest.span_preparation import PreparedSpans, SpanPreparation
from bot.runtime.clock import now_ms
from memalign.errors import InputError
from storage.database import Database
from storage.records import SpanOutcome, SpanWaits

ROOTLESS_QUIET = 30
"""Quiet times after which a trace without a root is finished: five minutes by default. Set by hand."""
LONGEST_OPEN_MS = 3_600_000
"""Time after which a trace is finished whose spans never rest: an hour. Set by hand."""
RETRY_AFTER_SECONDS = 2
"""OpenTelemetry's exporters try for ten seconds, and drop spans at once for which they are to wait longer than that."""
RETRIED_STATUSES = (429, 503)
"""Those after which they send again: https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes."""
MAX_REASONS = 3
"""Reasons for refused spans that are told."""
JSON_TYPES = ("application/json",)
REASONS = {
    "forgotten": "a span was refused: its trace was forgotten and is not taken again",
    "too large": "a span was refused: its trace has too many spans, or is larger than [ingest] max_body_mb",
}


def span_waits(quiet_seconds: float) -> SpanWaits:
    """Return how long a trace that comes in spans is waited for, by `[ingest] quiet_seconds`."""
    quiet_ms = round(quiet_seconds * 1000)
    return SpanWaits(
        quiet_ms=quiet_ms, rootless_ms=ROOTLESS_QUIET * quiet_ms, longest_ms=max(LONGEST_OPEN_MS, quiet_ms)
    )


class SpanEndpoint:
    """`POST /v1/traces`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        preparation: SpanPreparation,
        wake: Callable[[], None],
        time_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._settings = settings.ingest
        self._database = database
        self._preparation = preparation
        self._wake = wake
        self._time_ms = time_ms
        self._key: bytes | None = None
        self.counts: Counter[str] = Counter(
            dict.fromkeys(("accepted", "full", "late", "rejected", "unsampled"), 0)
        )
        """Spans by outcome, since the start."""

    async def post(self, body: bytes, content_type: str) -> web.Response:
        """Store what can be stored, and say what could not. Raises `StorageError`."""
        read = _reader_of(body, content_type)
        if read is None:
            return self.refuse(content_type, 415, "Send OTLP as application/x-protobuf or application/json.")
        try:
            spans = await call_for_body(len(body), read, body)
        except InputError as error:
            return self.refuse(content_type, 400, str(error))
        if self._key is None:
            self._key = await self._database.traces.sampling_key()
        now = self._time_ms()
        prepared = await call_for_body(len(body), self._preparation.prepare, spans, self._key, now)
        outcomes = await self._store(prepared, now)
        self._wake()
        return self._answer(content_type, prepared, outcomes)

    def refuse(self, content_type: str, status: int, sentence: str) -> web.Response:
        """Return a refusal of the whole request, in its form, with a time to send it again where that may help."""
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status in RETRIED_STATUSES else None
        return error_response(content_type, status, sentence, headers)

    async def _store(self, prepared: PreparedSpans, now: int) -> Sequence[SpanOutcome]:
        if not prepared.batches and not prepared.unsampled:
            return ()
        return await self._database.open_traces.add(
            prepared.batches,
            prepared.unsampled,
            span_waits(self._settings.quiet_seconds),
            now,
            max_waiting=self._settings.max_pending,
            max_bytes=self._settings.max_body,
        )

    def _answer(
        self, content_type: str, prepared: PreparedSpans, outcomes: Sequence[SpanOutcome]
    ) -> web.Response:
        counts: Counter[str] = Counter()
        refusals = Counter(prepared.refusals)
        for batch, outcome in zip(prepared.batches, outcomes, strict=True):
            counts[outcome] += len(batch.spans)
            if outcome in REASONS:
                refusals[REASONS[outcome]] += len(batch.spans)
        self.counts.update(
            accepted=counts["accepted"],
            full=counts["full"],
            late=counts["late"],
            unsampled=counts["unsampled"] + prepared.unsampled_spans,
            rejected=refusals.total(),
        )
        if counts["full"]:
            sentence = "Too many traces wait to be judged; send these spans again later."
            return self.refuse(content_type, 429, sentence)
        return success_response(content_type, refusals.total(), _in_words(refusals))


def _reader_of(body: bytes, content_type: str) -> Callable[[bytes], list[OtlpSpan | RejectedSpan]] | None:
    """Return what reads a body; one without a content type (aiohttp's own default) is told by its first character."""
    if content_type in PROTOBUF_TYPES:
        return read_protobuf
    if content_type in JSON_TYPES:
        return read_json
    is_json = content_type == "application/octet-stream" and body.lstrip()[:1] == b"{"
    return read_json if is_json else None


def _in_words(refusals: Counter[str]) -> str:
    told = [f"{reason} ({number}×)" if number > 1 else reason for reason, number in refusals.most_common()]
    more = [] if len(told) <= MAX_REASONS else [f"and {len(told) - MAX_REASONS} more reasons"]
    return "; ".join([*told[:MAX_REASONS], *more])
