"""Reading the content of traces: one that the tool fails at holds up no other."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.connectors.errors import ToolUnavailableError
from bot.connectors.tool import TraceHead, TracingTool
from memalign.records import Trace

log = logging.getLogger(__name__)

MAX_FAILURES = 5
"""Failed tries, each beside others that succeeded, after which a trace is left out until the next start."""
FAILURES_OF_OUTAGE = 3
"""Failures, and no success, after which the tool is down rather than that it stumbles over some traces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContents:
    """The content of some traces."""

    traces: tuple[Trace, ...]
    unread: tuple[TraceHead, ...] = ()
    """Those at which the tool failed, and which are tried again."""


class ContentReader:
    """Reads traces together, and one by one where that fails."""

    def __init__(self, tool: TracingTool) -> None:
        self._tool = tool
        self._tries: Counter[str] = Counter()
        """Failed tries by trace id, of those that could not be read so far."""
        self._failures: Counter[str] = Counter()
        """Those tries that failed beside others that succeeded."""

    async def read(self, heads: Sequence[TraceHead]) -> TraceContents:
        """Read what can be read.

        Raises:
            ToolUnavailableError: the tool asks to wait, or fails at everything for the first time.
            ToolRefusedError: it refuses.
        """
        wanted = [head for head in heads if self._failures[head.trace_id] < MAX_FAILURES]
        if not wanted:
            return TraceContents(traces=())
        try:
            return TraceContents(traces=tuple(await self._tool.read_traces(wanted)))
        except ToolUnavailableError as error:
            if error.retry_after:
                raise
        return await self._read_each(sorted(wanted, key=lambda head: self._tries[head.trace_id]))

    async def _read_each(self, heads: Sequence[TraceHead]) -> TraceContents:
        traces: list[Trace] = []
        failed: list[TraceHead] = []
        number = 0
        for number, head in enumerate(heads, start=1):
            try:
                traces += await self._tool.read_traces([head])
            except ToolUnavailableError as error:
                failed.append(head)
                self._tries[head.trace_id] += 1
                is_down = len(failed) == number == min(FAILURES_OF_OUTAGE, len(heads))
                if error.retry_after or (is_down and self._is_first_failure(failed)):
                    raise
                if is_down:
                    break
        if len(failed) < number:
            self._failures.update(head.trace_id for head in failed)
        return TraceContents(traces=tuple(traces), unread=self._again([*failed, *heads[number:]]))

    def _is_first_failure(self, heads: Sequence[TraceHead]) -> bool:
        return any(self._tries[head.trace_id] == 1 for head in heads)

    def _again(self, heads: Sequence[TraceHead]) -> tuple[TraceHead, ...]:
        """Return those that are worth another try."""
        left_out = [head.trace_id for head in heads if self._failures[head.trace_id] >= MAX_FAILURES]
        for trace_id in left_out:
            log.warning("trace %s is left out: its tool fails whenever it is read", trace_id)
        return tuple(head for head in heads if head.trace_id not in left_out)
