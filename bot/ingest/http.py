"""Traces over HTTP, stored before they are answered with 202."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar, get_args

from aiohttp import web

from bot.config import Settings
from bot.ingest.json_items import TooManyItemsError
from bot.ingest.trace_body import RejectedTrace, read_body
from bot.ingest.trace_report import Outcome, count_outcomes, json_response, report_response
from bot.judge_names import JudgeNames
from bot.judging.sampling import validation_error
from bot.judging.trace_sampler import SampledTrace, SamplingMoment, TraceSampler
from bot.redaction.redactor import Redactor
from bot.runtime.activity_log import log_activity
from bot.runtime.health import unexpected
from memalign.errors import InputError
from memalign.judge_memory import JudgeMemory
from memalign.media import trace_without_media
from memalign.records import Trace
from storage.database import Database
from storage.records import Accepted, UnsampledTrace
from storage.traces import TRACES_PER_WRITE

log = logging.getLogger(__name__)

THREAD_PARSE_BYTES = 20_000
"""Larger bodies are parsed and redacted in a thread, so that the event loop goes on."""
NDJSON_TYPES = ("application/x-ndjson", "application/jsonl", "application/ndjson")
MAX_NAME_CHARS = 100
"""Characters of an unknown judge's name that are told."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedTrace:
    """A trace as it may be stored."""

    trace: Trace | UnsampledTrace
    sampled: SampledTrace


class TraceEndpoint:
    """`POST /traces`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        names: JudgeNames,
        redactor: Redactor,
        sampler: TraceSampler,
        wake_judging: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._names = names
        self._redactor = redactor
        self._sampler = sampler
        self._wake_judging = wake_judging
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
        outcomes: list[Outcome] = []
        for begin in range(0, len(items), TRACES_PER_WRITE):
            # what is stored of a part tells which traces of the next may be candidates
            part = items[begin : begin + TRACES_PER_WRITE]
            moment = await self._sampler.moment()
            prepared = await _call_for_body(len(body), self._prepare_all, part, moment)
            outcomes += await self._add(part, prepared, moment)
        self._wake_judging()
        counts = count_outcomes(outcomes)
        self.counts.update(counts)
        log_activity(log, "traces received", **counts)
        return report_response(outcomes)

    def _prepare_all(
        self, items: Sequence[Trace | RejectedTrace], moment: SamplingMoment
    ) -> list[PreparedTrace | RejectedTrace]:
        return [item if isinstance(item, RejectedTrace) else self._prepare(item, moment) for item in items]

    def _prepare(self, trace: Trace, moment: SamplingMoment) -> PreparedTrace | RejectedTrace:
        """Check, sample and redact a trace."""
        trace = replace(trace, judges=tuple(map(self._names.current, trace.judges)))
        if unknown := sorted(set(trace.judges) - self._memories.keys()):
            names = ", ".join(sorted(self._memories))
            reason = (
                f'judges: there is no judge named "{unknown[0][:MAX_NAME_CHARS]}"; the judges are: {names}'
            )
            return RejectedTrace(reason=reason)
        if error := validation_error(trace, self._memories):
            return RejectedTrace(reason=error)
        sampled = moment.sample(trace)
        if not sampled.is_kept:
            return PreparedTrace(trace=UnsampledTrace(trace_id=trace.trace_id), sampled=sampled)
        try:
            # before redaction, which would take digits in base64 for numbers of phones and cards
            return PreparedTrace(trace=self._redactor.trace(trace_without_media(trace)), sampled=sampled)
        except Exception:  # a bug on one trace must not let it in as it is, nor stop its neighbours
            return RejectedTrace(reason=unexpected("redacting a trace"))

    async def _add(
        self,
        items: Sequence[Trace | RejectedTrace],
        prepared: Sequence[PreparedTrace | RejectedTrace],
        moment: SamplingMoment,
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
            stored = await self._database.traces.add(
                [(item.trace, item.sampled.jobs) for item in batch],
                moment.now_ms,
                self._settings.ingest.max_pending,
                originals,
                candidates={
                    place: item.sampled.candidates
                    for place, item in enumerate(batch)
                    if item.sampled.candidates
                },
                hour=moment.hour,
            )
            for place, item, outcome in zip(places, batch, stored, strict=True):
                outcomes[place] = outcome
                if outcome == "accepted" and item.sampled.is_kept:
                    self._sampler.note(item.sampled.candidates)
        return outcomes


async def _call_for_body(size: int, function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Call a function that works on a body of that many bytes, in a thread if it would hold up the event loop."""
    if size > THREAD_PARSE_BYTES:
        return await asyncio.to_thread(function, *args, **options)
    return function(*args, **options)
