"""Traces over HTTP, stored before they are answered with 202."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import get_args

from aiohttp import web

from bot.config import Settings
from bot.ingest.trace_body import RejectedTrace, read_body
from bot.judging.sampling import judges_for, validation_error
from bot.runtime.clock import now_ms
from memalign.errors import InputError
from memalign.judge_memory import JudgeMemory
from memalign.records import Json, Trace
from storage.database import Database
from storage.records import Accepted

RETRY_AFTER_SECONDS = 30
THREAD_PARSE_BYTES = 100_000
"""Larger bodies are parsed in a thread, so that the event loop goes on."""
NDJSON_TYPES = ("application/x-ndjson", "application/jsonl", "application/ndjson")
REASONS: Mapping[str, str] = {
    "full": "too many traces wait to be judged; send this one again later",
    "forgotten": "this trace was forgotten and is not taken again",
}

Outcome = Accepted | RejectedTrace


class TraceEndpoint:
    """`POST /traces`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        wake_judging: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._wake_judging = wake_judging
        self.counts: Counter[str] = Counter(dict.fromkeys((*get_args(Accepted), "rejected"), 0))
        """Traces by outcome, since the start."""

    async def post(self, request: web.Request) -> web.Response:
        """Store what can be stored, and say what could not. Raises `StorageError`."""
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._too_large()
        if len(body) > self._settings.ingest.max_body:
            return self._too_large()
        ndjson = request.content_type in NDJSON_TYPES
        try:
            if len(body) > THREAD_PARSE_BYTES:
                items = await asyncio.to_thread(read_body, body, ndjson)
            else:
                items = read_body(body, ndjson)
        except InputError as error:
            return _response(400, {"error": str(error)})
        return await self._store(items)

    def _too_large(self) -> web.Response:
        limit = self._settings.ingest.max_body_mb
        error = f"The body is larger than {limit:g} MB; send the traces in smaller batches."
        return _response(413, {"error": error})

    async def _store(self, items: Sequence[Trace | RejectedTrace]) -> web.Response:
        checked = [self._check(item) for item in items]
        outcomes = await self._add(checked)
        self._wake_judging()
        for outcome in outcomes:
            self.counts["rejected" if isinstance(outcome, RejectedTrace) else outcome] += 1
        return _report(outcomes)

    def _check(self, item: Trace | RejectedTrace) -> Trace | RejectedTrace:
        if isinstance(item, RejectedTrace):
            return item
        if unknown := sorted(set(item.judges) - self._memories.keys()):
            names = ", ".join(sorted(self._memories))
            reason = f'judges: there is no judge named "{unknown[0]}"; the judges are: {names}'
            return RejectedTrace(reason=reason)
        error = validation_error(item, self._memories)
        return RejectedTrace(reason=error) if error else item

    async def _add(self, items: Sequence[Trace | RejectedTrace]) -> list[Outcome]:
        """Store the traces among the items; return the outcome of each item."""
        places = [place for place, item in enumerate(items) if isinstance(item, Trace)]
        batch = [(item, judges_for(item, self._settings)) for item in items if isinstance(item, Trace)]
        outcomes: list[Outcome] = [item if isinstance(item, RejectedTrace) else "accepted" for item in items]
        if batch:
            stored = await self._database.traces.add(batch, now_ms(), self._settings.ingest.max_pending)
            for place, outcome in zip(places, stored, strict=True):
                outcomes[place] = outcome
        return outcomes


def _report(outcomes: Sequence[Outcome]) -> web.Response:
    rejected = [
        {"index": index, "error": reason}
        for index, outcome in enumerate(outcomes)
        if (reason := outcome.reason if isinstance(outcome, RejectedTrace) else REASONS.get(outcome))
    ]
    report: dict[str, Json] = {
        "accepted": outcomes.count("accepted"),
        "duplicates": outcomes.count("duplicate"),
        "rejected": rejected,
    }
    if "full" not in outcomes:
        return _response(202, report)
    report["error"] = REASONS["full"]
    return _response(429, report, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def _response(
    status: int, body: Mapping[str, Json], headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.json_response(body, status=status, headers=headers)
