"""Traces over HTTP, stored before they are answered with 202."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ParamSpec, TypeVar, get_args

from aiohttp import web

from bot.config import Settings
from bot.ingest.json_items import TooManyItemsError
from bot.ingest.trace_body import RejectedTrace, read_body
from bot.ingest.trace_report import Outcome, count_outcomes, json_response, report_response
from bot.judge_names import JudgeNames
from bot.judging.sampling import judges_for, validation_error
from bot.redaction.redactor import Redactor
from bot.runtime.activity_log import log_activity
from bot.runtime.clock import now_ms
from bot.runtime.health import unexpected
from memalign.errors import InputError
from memalign.judge_memory import JudgeMemory
from memalign.media import trace_without_media
from memalign.records import Trace
from storage.database import Database
from storage.records import Accepted, UnsampledTrace
from storage.traces import Arrival

log = logging.getLogger(__name__)

THREAD_PARSE_BYTES = 20_000
"""Larger bodies are parsed and redacted in a thread, so that the event loop goes on."""
NDJSON_TYPES = ("application/x-ndjson", "application/jsonl", "application/ndjson")
MAX_NAME_CHARS = 100
"""Characters of an unknown judge's name that are told."""

P = ParamSpec("P")
T = TypeVar("T")


class TraceEndpoint:
    """`POST /traces`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        names: JudgeNames,
        redactor: Redactor,
        wake_judging: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._names = names
        self._redactor = redactor
        self._wake_judging = wake_judging
        self._sampling_key: bytes | None = None
        self.counts: Counter[str] = Counter(dict.fromkeys((*get_args(Accepted), "rejected"), 0))
        """Traces by outcome, since the start."""

    async def post(self, body: bytes, content_type: str) -> web.Response:
        """Store what can be stored, and say what could not. Raises `StorageError`."""
        ndjson = content_type in NDJSON_TYPES
        try:
            items = await _call_for_body(len(body), read_body, body, ndjson)
        except TooManyItemsError as error:
            return json_response(413, {"error": str(error)})
        except InputError as error:
            return json_response(400, {"error": str(error)})
        if self._sampling_key is None:
            self._sampling_key = await self._database.traces.sampling_key()
        paused = frozenset(await self._database.preferences.pauses())
        prepared = await _call_for_body(len(body), self._prepare_all, items, self._sampling_key, paused)
        return await self._store(items, prepared)

    async def _store(
        self, items: Sequence[Trace | RejectedTrace], prepared: Sequence[Arrival | RejectedTrace]
    ) -> web.Response:
        outcomes = await self._add(items, prepared)
        self._wake_judging()
        counts = count_outcomes(outcomes)
        self.counts.update(counts)
        log_activity(log, "traces received", **counts)
        return report_response(outcomes)

    def _prepare_all(
        self, items: Sequence[Trace | RejectedTrace], sampling_key: bytes, paused: frozenset[str]
    ) -> list[Arrival | RejectedTrace]:
        return [
            item if isinstance(item, RejectedTrace) else self._prepare(item, sampling_key, paused)
            for item in items
        ]

    def _prepare(self, trace: Trace, sampling_key: bytes, paused: frozenset[str]) -> Arrival | RejectedTrace:
        """Check, sample and redact a trace; it is stored, and waits for no judge that is paused."""
        trace = replace(trace, judges=tuple(map(self._names.current, trace.judges)))
        if unknown := sorted(set(trace.judges) - self._memories.keys()):
            names = ", ".join(sorted(self._memories))
            reason = (
                f'judges: there is no judge named "{unknown[0][:MAX_NAME_CHARS]}"; the judges are: {names}'
            )
            return RejectedTrace(reason=reason)
        if error := validation_error(trace, self._memories):
            return RejectedTrace(reason=error)
        judges = judges_for(trace, self._settings, sampling_key)
        if not judges:
            return UnsampledTrace(trace_id=trace.trace_id), judges
        try:
            # before redaction, which would take digits in base64 for numbers of phones and cards
            waits_for = tuple(judge for judge in judges if judge not in paused)
            return self._redactor.trace(trace_without_media(trace)), waits_for
        except Exception:  # a bug on one trace must not let it in as it is, nor stop its neighbours
            return RejectedTrace(reason=unexpected("redacting a trace"))

    async def _add(
        self, items: Sequence[Trace | RejectedTrace], prepared: Sequence[Arrival | RejectedTrace]
    ) -> list[Outcome]:
        """Store the traces among what was prepared of the items; return the outcome of each item."""
        places = [place for place, item in enumerate(prepared) if not isinstance(item, RejectedTrace)]
        batch = [item for item in prepared if not isinstance(item, RejectedTrace)]
        outcomes: list[Outcome] = [
            item if isinstance(item, RejectedTrace) else "accepted" for item in prepared
        ]
        originals: dict[int, Trace] = {}
        if self._settings.redaction.keep_original:
            sent = [items[place] for place in places]
            originals = {place: item for place, item in enumerate(sent) if isinstance(item, Trace)}
        if batch:
            max_waiting = self._settings.ingest.max_pending
            stored = await self._database.traces.add(batch, now_ms(), max_waiting, originals)
            for place, outcome in zip(places, stored, strict=True):
                outcomes[place] = outcome
        return outcomes


async def _call_for_body(size: int, function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Call a function that works on a body of that many bytes, in a thread if it would hold up the event loop."""
    if size > THREAD_PARSE_BYTES:
        return await asyncio.to_thread(function, *args, **options)
    return function(*args, **options)
