"""Admission of arriving traces, whichever way they come: checked, sampled, redacted, and stored."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from bot.config import Settings
from bot.judge_names import JudgeNames
from bot.judging.sampling import validation_error
from bot.judging.trace_sampler import SampledTrace, SamplingMoment, TraceSampler
from bot.redaction.redactor import Redactor
from bot.runtime.activity_log import log_activity
from bot.runtime.health import unexpected
from bot.runtime.metrics import Metrics
from bot.trace_json.rejected_trace import RejectedTrace
from memalign.judge_memory import JudgeMemory
from memalign.media import trace_without_media
from memalign.records import Trace
from storage.database import Database
from storage.records import Accepted, UnsampledTrace
from storage.traces import TRACES_PER_WRITE

log = logging.getLogger(__name__)

MAX_NAME_CHARS = 100
"""Characters of an unknown judge's name that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactedTrace:
    """A trace that was redacted before it came here."""

    trace: Trace
    original: Trace | None = None
    """The same as it was sent, where that is to be kept."""


Item = Trace | RedactedTrace | RejectedTrace
Outcome = Accepted | RejectedTrace


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedTrace:
    """A trace as it may be stored."""

    trace: Trace | UnsampledTrace
    sampled: SampledTrace
    original: Trace | None = None
    """The same as it was sent, where that is kept."""


class TraceAdmission:
    """Takes traces in, of any source."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        names: JudgeNames,
        redactor: Redactor,
        sampler: TraceSampler,
        metrics: Metrics,
        wake_judging: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._names = names
        self._redactor = redactor
        self._sampler = sampler
        self._metrics = metrics
        self._wake_judging = wake_judging
        self.counts: Counter[str] = Counter(dict.fromkeys((*get_args(Accepted), "rejected"), 0))
        """Traces by outcome, since the start."""

    async def admit(self, items: Sequence[Item], *, in_thread: bool) -> list[Outcome]:
        """Store the traces among some items; on disk when this returns. Raises `StorageError`.

        Args:
            items: traces as they were sent, those that are redacted already, and what was refused already.
            in_thread: check and redact in a thread, since these are large.

        Returns:
            The outcome of each item, in the same order.
        """
        outcomes: list[Outcome] = []
        for begin in range(0, len(items), TRACES_PER_WRITE):
            # what is stored of a part tells which traces of the next may be candidates
            part = items[begin : begin + TRACES_PER_WRITE]
            moment = await self._sampler.moment()
            prepared = (
                await asyncio.to_thread(self._prepare_all, part, moment)
                if in_thread
                else self._prepare_all(part, moment)
            )
            outcomes += await self._add(prepared, moment)
        self._wake_judging()
        counts = Counter("rejected" if isinstance(each, RejectedTrace) else each for each in outcomes)
        self.counts.update(counts)
        self._metrics.count_traces(counts)
        log_activity(log, "traces received", **counts)
        return outcomes

    async def prepare_labelled(self, traces: Sequence[Trace]) -> list[tuple[Trace, Trace | None]]:
        """Return traces that people labelled as they may be stored, beside their originals where these are kept.

        None is sampled: each is of those of its judges that can judge it, and left out where none can.
        """
        return await asyncio.to_thread(lambda: [each for trace in traces for each in self._labelled(trace)])

    def _labelled(self, trace: Trace) -> Iterator[tuple[Trace, Trace | None]]:
        errors = {
            judge: validation_error(replace(trace, judges=(judge,)), self._memories) for judge in trace.judges
        }
        able = tuple(judge for judge, error in errors.items() if error is None)
        if not able:
            log.info("a labelled trace is not judged: %s", next(iter(errors.values()), "it names no judge"))
            return
        try:
            redacted = self.redacted(trace)
        except Exception:  # a bug on one trace must not let it in as it is, nor stop its neighbours
            unexpected("redacting a labelled trace")
        else:
            yield replace(redacted, judges=able), self._kept(trace)

    def redacted(self, trace: Trace) -> Trace:
        """Redact a trace as it was sent."""
        # before redaction, which would take digits in base64 for numbers of phones and cards
        return self._redactor.trace(trace_without_media(trace))

    def _prepare_all(
        self, items: Sequence[Item], moment: SamplingMoment
    ) -> list[PreparedTrace | RejectedTrace]:
        return [item if isinstance(item, RejectedTrace) else self._prepare(item, moment) for item in items]

    def _prepare(self, item: Trace | RedactedTrace, moment: SamplingMoment) -> PreparedTrace | RejectedTrace:
        """Check, sample and redact a trace."""
        trace = item.trace if isinstance(item, RedactedTrace) else item
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
        if isinstance(item, RedactedTrace):
            return PreparedTrace(trace=trace, sampled=sampled, original=item.original)
        try:
            return PreparedTrace(trace=self.redacted(trace), sampled=sampled, original=self._kept(item))
        except Exception:  # a bug on one trace must not let it in as it is, nor stop its neighbours
            return RejectedTrace(reason=unexpected("redacting a trace"))

    def _kept(self, trace: Trace) -> Trace | None:
        return trace if self._settings.redaction.keep_original else None

    async def _add(
        self, prepared: Sequence[PreparedTrace | RejectedTrace], moment: SamplingMoment
    ) -> list[Outcome]:
        """Store the traces among what was prepared; return the outcome of each."""
        places = [place for place, item in enumerate(prepared) if not isinstance(item, RejectedTrace)]
        batch = [item for item in prepared if not isinstance(item, RejectedTrace)]
        outcomes: list[Outcome] = [
            item if isinstance(item, RejectedTrace) else "accepted" for item in prepared
        ]
        if batch:
            stored = await self._database.traces.add(
                [(item.trace, item.sampled.jobs) for item in batch],
                moment.now_ms,
                self._settings.ingest.max_pending,
                {place: item.original for place, item in enumerate(batch) if item.original is not None},
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
