"""A connector at work: reading and writing go on beside each other, and what fails waits and is told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.connectors.assessment_writer import AssessmentWriter
from bot.connectors.connection import ToolConnection
from bot.connectors.errors import ToolRefusedError, ToolUnavailableError
from bot.connectors.label_reader import LabelReader
from bot.connectors.trace_reader import BacklogError, TraceReader, UnreadError
from bot.connectors.vote_reader import VoteReader
from bot.runtime.circuit_breaker import CircuitBreaker, asked_pause_ms
from bot.runtime.health import HealthRegistry, unexpected
from memalign.errors import MemAlignError, StorageError

log = logging.getLogger(__name__)

COMPONENT = "connectors"
WRITE_SECONDS = 1.0
"""Pause between two looks for what is to be written."""
LONGEST_PAUSE_MS = 300_000
READING, WRITING = "reading", "writing back"


class ConnectorWorker:
    """Reads traces and votes of one connector, and writes back."""

    def __init__(
        self,
        connection: ToolConnection,
        traces: TraceReader,
        labels: LabelReader,
        votes: VoteReader,
        writer: AssessmentWriter,
        health: HealthRegistry,
    ) -> None:
        self._connection = connection
        self._traces = traces
        self._labels = labels
        self._votes = votes
        self._writer = writer
        self._health = health
        self._breaker = CircuitBreaker(LONGEST_PAUSE_MS)

    async def run(self) -> None:
        """Work until cancelled."""
        seconds = self._connection.settings.poll_seconds
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._repeat(READING, self._read, seconds))
                tasks.create_task(self._repeat(WRITING, self._write, WRITE_SECONDS))
        finally:
            await self._connection.tool.close()

    async def write_now(self) -> None:
        """Write and delete what is due, unless the tool is known to be down; what fails is tried again later."""
        if not self._breaker.is_open(WRITING):
            await self._try(WRITING, self._write)

    async def _read(self) -> str | None:
        waits = None
        try:
            await self._traces.read()
        except (BacklogError, UnreadError) as error:  # the votes do not wait for it
            waits = str(error)
        try:
            await self._labels.read((await self._traces.position()).start_ms)
        except ToolRefusedError as error:  # the votes on what was judged are read nevertheless
            waits = waits or str(error)
        await self._votes.read()
        return waits

    async def _write(self) -> str | None:
        await self._writer.write()
        waits = [await self._writer.last_failure(), await self._writer.waiting()]
        return "; ".join(each for each in waits if each) or None

    async def _repeat(self, part: str, work: Callable[[], Awaitable[str | None]], seconds: float) -> None:
        while True:
            if not self._breaker.is_open(part):
                await self._try(part, work)
            await asyncio.sleep(seconds)

    async def _try(self, part: str, work: Callable[[], Awaitable[str | None]]) -> None:
        """Do some work once; what it returns, or why it failed, is told in the status."""
        subject = f"{self._connection.name} ({part})"
        try:
            waits = await work()
        except StorageError:
            raise
        except ToolUnavailableError as error:
            await self._wait(part, subject, str(error), asked_pause_ms(error.retry_after))
        except MemAlignError as error:
            await self._wait(part, subject, str(error))
        except Exception:  # a bug in one part must not stop the other
            await self._wait(part, subject, unexpected(subject))
        else:
            self._breaker.record_success(part)
            self._health.report(COMPONENT, subject, waits)

    async def _wait(self, part: str, subject: str, reason: str, asked_ms: int = 0) -> None:
        self._breaker.record_failure(part, asked_ms)
        waits = await self._writer.waiting() if part == WRITING else None
        told = f"{reason}; {waits}" if waits else reason
        self._health.report(COMPONENT, subject, told)
        log.warning("%s waits: %s", subject, told)
