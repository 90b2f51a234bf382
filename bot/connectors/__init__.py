"""Tracing tools that traces are read from, and that verdicts and people's votes are written back to."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.connectors.assessment_writer import AssessmentWriter
from bot.connectors.connection import ToolConnection
from bot.connectors.kinds import open_tool
from bot.connectors.label_reader import LabelReader
from bot.connectors.own_assessments import OwnAssessments
from bot.connectors.removed import RemovedConnectors
from bot.connectors.trace_reader import TraceReader
from bot.connectors.vote_reader import VoteReader
from bot.connectors.worker import ConnectorWorker
from bot.judging.trace_admission import Outcome, TraceAdmission
from bot.resources import Resources
from bot.runtime.clock import now_ms
from bot.runtime.supervisor import Background
from memalign.records import Trace

DELETE_SECONDS = 5.0
"""Longest time that an answer about forgetting waits for the tools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorFlow:
    """The connectors, built."""

    workers: Mapping[str, ConnectorWorker]
    """By the names of their background parts."""
    background: Background

    async def write_now(self, leads: Callable[[str], bool]) -> None:
        """Let tools hold nothing of what was just forgotten, as far as they answer in time.

        To those whose part this process does not lead another one writes within a second.
        """
        led = [worker for part, worker in self.workers.items() if leads(part)]
        try:
            async with asyncio.timeout(DELETE_SECONDS):
                await asyncio.gather(*(worker.write_now() for worker in led))
        except TimeoutError:  # it is told in the status, and goes on by itself
            return


def build(
    resources: Resources,
    admission: TraceAdmission,
    wake_learning: Callable[[], None],
    forget_trace: Callable[[str], Awaitable[None]],
) -> ConnectorFlow:
    """Build a worker for each connector of the settings. Raises `SettingsError` where a key is not set."""

    async def admit(traces: Sequence[Trace]) -> Sequence[Outcome]:
        return await admission.admit(traces, in_thread=True)

    database, memories = resources.database, resources.memories
    own = OwnAssessments(database, memories, resources.redactor)
    workers = {}
    for settings in resources.settings.connectors:
        judges = tuple(resources.settings.judge(name).name for name in settings.judges)
        reads_steps = any("trace" in memories[name].definition.fields for name in judges or memories)
        connection = ToolConnection(
            settings=settings, tool=open_tool(settings, reads_steps=reads_steps), judges=judges
        )
        workers[f"connector {connection.name}"] = ConnectorWorker(
            connection,
            TraceReader(connection, database, admit, now_ms),
            LabelReader(connection, database, memories, admission.prepare_labelled, now_ms),
            VoteReader(
                connection,
                database,
                memories,
                resources.redactor.event,
                resources.metrics,
                wake_learning,
                forget_trace,
                resources.slack.clock.now_ms,
            ),
            AssessmentWriter(connection, database, own),
            resources.health,
        )
    removed = RemovedConnectors(resources.settings, database, resources.health)
    return ConnectorFlow(
        workers=workers,
        background={
            "removed connectors": removed.run,
            **{name: worker.run for name, worker in workers.items()},
        },
    )
