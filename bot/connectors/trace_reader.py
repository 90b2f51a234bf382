"""Reading traces: from where the last look ended, with an overlap for those that come late, each taken in once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot.connectors.connection import ToolConnection
from bot.connectors.content_reader import ContentReader
from bot.connectors.errors import ToolError
from bot.connectors.tool import TraceHead
from bot.connectors.unfit_traces import UnfitTraces
from bot.judging.trace_admission import Outcome
from bot.runtime.clock import DAY_MS
from bot.trace_json.rejected_trace import RejectedTrace
from memalign.records import Trace
from storage.database import Database
from storage.records import ReadingPosition, TraceOrigin

OVERLAP_MS = 30 * 60 * 1000
"""Span before the last trace read in which traces are looked for again: tools list a run by its beginning, and get it
at its end."""
LONGEST_RUN_MS = DAY_MS
"""Time after which a run that does not end holds up nothing any more."""
TRACES_PER_READ = 20

Admit = Callable[[Sequence[Trace]], Awaitable[Sequence[Outcome]]]


class BacklogError(ToolError):
    """More traces wait to be judged than may: the rest is read later."""


class UnreadError(ToolError):
    """The tool fails at some traces, and not at others: these are read later."""


class TraceReader:
    """Reads the traces of one connector."""

    def __init__(
        self, connection: ToolConnection, database: Database, admit: Admit, time_ms: Callable[[], int]
    ) -> None:
        """Take the connector, the store, and what takes traces in as `POST /traces` does."""
        self._connection = connection
        self._tool = connection.tool
        self._contents = ContentReader(connection.tool)
        self._database = database
        self._admit = admit
        self._time_ms = time_ms
        self._unfit = UnfitTraces()

    async def read(self) -> int:
        """Take in what is new; returns how many traces that were.

        Raises:
            BacklogError: too much waits already.
            UnreadError: all was read but some at which the tool fails.
            ToolError: the tool does not answer, or refuses.
            StorageError: the store failed.
        """
        position = await self.position()
        since_ms = max(position.start_ms, position.read_ms - OVERLAP_MS)
        number, page, open_ms = 0, None, []
        unread: list[TraceHead] = []
        while True:
            listing = await self._tool.list_traces(since_ms, page)
            heads = [head for head in listing.heads if head.time_ms >= position.start_ms]
            finished = [head for head in heads if head.is_finished]
            found, failed = await self._take_in(finished)
            number, unread = number + found, [*unread, *failed]
            open_ms += [head.time_ms for head in heads if head in failed or self._holds_up(head)]
            read_ms = max([position.read_ms, *(min(head.time_ms, self._time_ms()) for head in heads)])
            position = replace(position, read_ms=read_ms)
            # what still runs is found again, however long it takes
            held = replace(position, read_ms=min([read_ms, *open_ms]))
            await self._database.connectors.move(self._connection.store_key, held)
            page = listing.next_page
            if page is None:
                break
        if unread:
            traces = "1 trace waits" if len(unread) == 1 else f"{len(unread)} traces wait"
            raise UnreadError(f"{traces} there, since the tool fails when asked for the content")
        return number

    async def position(self) -> ReadingPosition:
        """Return from where on to read: the first time `since`, or now. Raises `StorageError`."""
        known = await self._database.connectors.position(self._connection.store_key)
        since_ms = self._connection.settings.since_ms
        if known is not None and (since_ms is None or since_ms == known.start_ms):
            return known
        start_ms = self._time_ms() if since_ms is None else since_ms
        # an earlier start than before reads from there; a later one goes on
        is_earlier = known is None or start_ms < known.start_ms
        position = ReadingPosition(start_ms=start_ms, read_ms=start_ms)
        if known is not None and not is_earlier:
            position = replace(position, read_ms=max(start_ms, known.read_ms))
        await self._database.connectors.move(self._connection.store_key, position)
        return position

    def _holds_up(self, head: TraceHead) -> bool:
        return not head.is_finished and head.time_ms > self._time_ms() - LONGEST_RUN_MS

    async def _take_in(self, heads: Sequence[TraceHead]) -> tuple[int, list[TraceHead]]:
        """Take in what is new; returns how many traces that were, and those at which the tool fails."""
        now, place_id = self._time_ms(), await self._tool.place_id()
        origins = {
            head.trace_id: TraceOrigin(
                trace_id=head.trace_id,
                connector=self._connection.store_key,
                reference=head.reference,
                read_ms=now,
                place_id=place_id,
            )
            for head in heads
        }
        unknown = await self._database.connectors.claim(origins)
        new = [
            head for head in heads if head.trace_id in unknown and not self._unfit.is_given_up(head.trace_id)
        ]
        unread: list[TraceHead] = []
        for begin in range(0, len(new), TRACES_PER_READ):
            unread += await self._read_content(new[begin : begin + TRACES_PER_READ])
        return len(new) - len(unread), unread

    async def _read_content(self, heads: Sequence[TraceHead]) -> Sequence[TraceHead]:
        judges = self._connection.judges
        contents = await self._contents.read(heads)
        traces = [replace(trace, judges=judges) for trace in contents.traces]
        outcomes = await self._admit(traces) if traces else []
        taken = {
            trace.trace_id
            for trace, outcome in zip(traces, outcomes, strict=True)
            if outcome == "accepted"  # what came otherwise meanwhile may be kept under another name
        }
        await self._database.connectors.disclaim({head.trace_id for head in heads} - taken)
        rejected = (isinstance(outcome, RejectedTrace) for outcome in outcomes)
        self._unfit.note(each.trace_id for each, is_unfit in zip(traces, rejected, strict=False) if is_unfit)
        if "full" in outcomes:
            raise BacklogError("its traces wait there, since too many wait here to be judged")
        return contents.unread
