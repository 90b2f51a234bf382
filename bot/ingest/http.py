"""Traces over HTTP: one object, an array, or NDJSON; stored before they are answered with 202."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, get_args

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from bot.config import Settings
from bot.judging.worker import Intake, judges_for
from bot.runtime.clock import now_ms
from memalign.errors import InputError
from memalign.records import Json, Trace
from storage.database import Database
from storage.records import Accepted

RETRY_AFTER_SECONDS = 30
DEEPEST = 100
"""Lists and objects in each other: more than that, no program makes on purpose, and not every reader takes."""
LARGE = 100_000
"""Bodies of more bytes are parsed in a thread, so that the loop goes on."""


class TraceIn(BaseModel):
    """A trace as it is sent; what an application sends beyond these keys is not kept."""

    model_config = ConfigDict(extra="ignore", strict=True)

    trace_id: Annotated[str, Field(max_length=500, pattern=r"^[^\s\x00-\x1f]([^\x00-\x1f]*[^\s\x00-\x1f])?$")]
    inputs: Any
    outputs: Any
    expectations: dict[str, Any] | None = None
    conversation: Any = None
    spans: list[Any] = []
    judges: list[str] | None = None
    timestamp: str | None = None
    url: str | None = None
    metadata: dict[str, Any] | None = None

    @field_validator("timestamp")
    @classmethod
    def _iso(cls, stamp: str | None) -> str | None:
        if stamp is not None:
            try:
                datetime.fromisoformat(stamp)
            except ValueError:
                raise ValueError("expected ISO 8601, such as 2026-11-20T09:00:00Z") from None
        return stamp

    def trace(self) -> Trace:
        """As a record."""
        return Trace(
            trace_id=self.trace_id,
            inputs=self.inputs,
            outputs=self.outputs,
            expectations=self.expectations,
            conversation=self.conversation,
            spans=tuple(self.spans),
            judges=tuple(self.judges or ()),
            timestamp=self.timestamp,
            url=self.url,
            metadata=self.metadata or {},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Something in a body that is no trace, and why."""

    reason: str


def read_body(body: bytes, ndjson: bool) -> list[Trace | Refused]:
    """Read traces; each bad one is refused for itself. Raises `InputError` when the body is no JSON at all."""
    if ndjson:
        return [_read_line(line) for line in body.splitlines() if line.strip()]
    try:
        document = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"The body is not JSON ({error}); send one trace, an array of traces, or NDJSON."
        ) from None
    return [_read(item) for item in (document if isinstance(document, list) else [document])]


def _no_number(name: str) -> Json:
    raise ValueError(f"{name} is no JSON number")


def _read_line(line: bytes) -> Trace | Refused:
    try:
        return _read(json.loads(line, parse_constant=_no_number))
    except (ValueError, RecursionError) as error:
        return Refused(reason=f"this line is not JSON: {error}")


def _read(item: Json) -> Trace | Refused:
    if not isinstance(item, dict):
        return Refused(reason="a trace is an object with trace_id, inputs and outputs")
    try:
        json.dumps(item, ensure_ascii=False, allow_nan=False).encode()
        if nesting(item) > DEEPEST:
            return Refused(reason=f"it is nested more than {DEEPEST} deep")
        return TraceIn.model_validate(item).trace()
    except RecursionError:
        return Refused(reason="it is nested too deeply")
    except UnicodeEncodeError:
        return Refused(reason="a text in it holds half a surrogate pair, which UTF-8 cannot say")
    except ValidationError as error:
        return Refused(reason=in_words(error))
    except ValueError:
        return Refused(reason="a number in it is too large for JSON")


def nesting(item: Json) -> int:
    """How many lists and objects lie in each other."""
    deepest, level = 0, [item]
    while level := [part for part in level if isinstance(part, dict | list)]:
        deepest += 1
        level = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]
    return deepest


def in_words(error: ValidationError) -> str:
    """What is wrong with a trace, key by key."""
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {_wanted(each)}" for each in error.errors())


def _wanted(problem: ErrorDetails) -> str:
    if problem["type"] == "string_pattern_mismatch":
        return "expected a text without line breaks, control characters or blanks around it"
    return problem["msg"]


class HttpSource:
    """`POST /traces`."""

    def __init__(self, settings: Settings, database: Database, intake: Intake) -> None:
        self._settings = settings
        self._database = database
        self._intake = intake
        self.counts: Counter[str] = Counter(dict.fromkeys((*get_args(Accepted), "rejected"), 0))
        """Traces by what became of them, since the start."""

    async def post(self, request: web.Request) -> web.Response:
        """Store what can be stored, and say what could not."""
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._too_large()
        if len(body) > self._settings.ingest.max_body:
            return self._too_large()
        ndjson = request.content_type in ("application/x-ndjson", "application/jsonl", "application/ndjson")
        try:
            if len(body) > LARGE:
                items = await asyncio.to_thread(read_body, body, ndjson)
            else:
                items = read_body(body, ndjson)
        except InputError as error:
            return answer(400, {"error": str(error)})
        return await self._store(items)

    def _too_large(self) -> web.Response:
        most = self._settings.ingest.max_body_mb
        return answer(
            413, {"error": f"The body is larger than {most:g} MB; send the traces in smaller batches."}
        )

    async def _store(self, items: Sequence[Trace | Refused]) -> web.Response:
        known = {judge.name for judge in self._settings.judges}
        checked = [self._check(item, known) for item in items]
        traces = [item for item in checked if isinstance(item, Trace)]
        results = iter(await self._add(traces))
        fates = [next(results) if isinstance(item, Trace) else item for item in checked]
        self._intake.wake()
        for fate in fates:
            self.counts[fate if isinstance(fate, str) else "rejected"] += 1
        return self._report(fates)

    def _check(self, item: Trace | Refused, known: set[str]) -> Trace | Refused:
        if isinstance(item, Refused):
            return item
        if strange := sorted(set(item.judges) - known):
            names = ", ".join(sorted(known))
            return Refused(reason=f'judges: there is no judge named "{strange[0]}"; the judges are: {names}')
        reason = self._intake.objection(item)
        return Refused(reason=reason) if reason else item

    async def _add(self, traces: Sequence[Trace]) -> Sequence[Accepted]:
        if not traces:
            return []
        batch = [(trace, judges_for(trace, self._settings)) for trace in traces]
        return await self._database.traces.add(batch, now_ms(), self._settings.ingest.max_pending)

    def _report(self, fates: Sequence[Accepted | Refused]) -> web.Response:
        rejected = [
            {"index": index, "error": reason}
            for index, fate in enumerate(fates)
            if (reason := fate.reason if isinstance(fate, Refused) else REASONS.get(fate))
        ]
        report: dict[str, Json] = {
            "accepted": fates.count("accepted"),
            "duplicates": fates.count("duplicate"),
            "rejected": rejected,
        }
        if "full" not in fates:
            return answer(202, report)
        report["error"] = REASONS["full"]
        return answer(429, report, {"Retry-After": str(RETRY_AFTER_SECONDS)})


REASONS: Mapping[str, str] = {
    "full": "too many traces wait to be judged; send this one again later",
    "forgotten": "this trace was forgotten and is not taken again",
}


def answer(status: int, body: Mapping[str, Json], headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.json_response(body, status=status, headers=headers)
