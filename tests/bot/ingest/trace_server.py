"""The bot's HTTP server over a real store, without Slack and without workers."""

import asyncio
import io
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.forgetting.service import ForgetService
from bot.ingest.http import TraceEndpoint
from bot.ingest.missing_content import MissingContent
from bot.ingest.otlp_http import SpanEndpoint
from bot.ingest.span_preparation import SpanPreparation
from bot.ingest.span_worker import SpanWorker
from bot.judge_names import JudgeNames
from bot.judging.day_planner import DayPlanner
from bot.judging.trace_admission import TraceAdmission
from bot.judging.trace_sampler import TraceSampler
from bot.learning.guideline_service import GuidelineService
from bot.learning.rollback_service import RollbackService
from bot.records import ReceiverFigures
from bot.redaction.redactor import Redactor
from bot.reports.recent_agreement import RecentAgreementReader
from bot.reports.status import StatusReport
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry
from bot.runtime.reference_clock import ReferenceClock
from bot.web.connections import ConnectionTable
from bot.web.intakes import Intakes
from bot.web.local_control import LocalControl
from bot.web.request_body import BODY_SECONDS, BodyReader
from bot.web.routes import Routes
from bot.web.server import Server
from memalign.optimizer import make_judge
from memalign.records import Json
from storage.database import Database
from tests.bot.bot_in_workspace import settings_for
from tests.bot.fakes import Wakes
from tests.factories import a_memory


@dataclass(slots=True, kw_only=True)
class TraceServer:
    """The server, and what stands behind it."""

    server: Server
    database: Database
    health: HealthRegistry
    judging: Wakes
    assembly: SpanWorker
    intakes: Intakes
    connected: bool = True

    async def post(self, body: bytes, kind: str = "application/json", **headers: str) -> tuple[int, Json]:
        """POST a body to `/traces`; status and answer."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{self.server.url}/traces", data=io.BytesIO(body), headers={"Content-Type": kind, **headers}
            ) as answer,
        ):
            return answer.status, {**await answer.json(), "headers": dict(answer.headers)}

    async def get(self, path: str) -> tuple[int, str]:
        """GET a path; status and text."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.server.url}{path}") as answer:
            return answer.status, await answer.text()

    async def until(self, look: Callable[[], bool]) -> None:
        """Wait until something is true."""
        deadline = time.monotonic() + 60
        while not look():
            assert time.monotonic() < deadline, "not within 60 s"
            await asyncio.sleep(0.01)

    async def knows(self, number: int) -> bool:
        return await self.database.traces.get(f"tr-{number}") is not None


async def _nothing() -> None:
    return None


async def no_receivers() -> list[ReceiverFigures]:
    """Return the events of no receiver."""
    return []


@asynccontextmanager
async def trace_server(
    folder: Path,
    *,
    token: str = "",
    connections: ConnectionTable | None = None,
    body_seconds: float = BODY_SECONDS,
    clock: Callable[[], int] = now_ms,
    **sections: Json,
) -> AsyncIterator[TraceServer]:
    """Start the server; `sections` are settings, as for `settings_for`."""
    settings = settings_for(folder, "C1", **sections)
    async with await Database.open(folder / "store") as database:
        memories = {
            judge.name: await a_memory(
                make_judge(
                    name=judge.name,
                    instructions=judge.instructions,
                    feedback_value_type=judge.feedback_value_type,
                )
            )
            for judge in settings.judges
        }
        health, judging = HealthRegistry(), Wakes()
        forgetting = ForgetService(
            database, memories, redact_now=_nothing, cancel_trace=lambda _: None, invalidate=lambda _: None
        )

        async def is_connected() -> bool:
            return ready.connected

        status = StatusReport(settings, database, memories, is_connected, health, ReferenceClock())
        control = LocalControl(
            settings.data,
            forgetting,
            GuidelineService(memories, lambda: None),
            RollbackService(database, memories, {}, lambda: None, lambda: None),
        )
        redactor = Redactor(settings.redaction)
        admission = TraceAdmission(
            settings,
            database,
            memories,
            JudgeNames(known=tuple(memories)),
            redactor,
            TraceSampler(settings, database, DayPlanner(settings, database)),
            judging,
        )
        preparation = SpanPreparation(settings, redactor)
        missing_content = MissingContent(database, health, clock)
        assembly = SpanWorker(database, admission, preparation, missing_content, clock)
        intakes = Intakes(
            traces=TraceEndpoint(admission),
            spans=SpanEndpoint(settings, database, preparation, lambda: None, clock),
            assembly=assembly,
        )

        routes = Routes(
            receivers=no_receivers,
            intakes=intakes,
            trace_bodies=BodyReader(settings.ingest.max_body, seconds=body_seconds),
            status=status,
            agreements=RecentAgreementReader(settings, database),
            forget=control.forget,
            guideline=control.guideline,
            memory=control.memory,
            token=token,
            slack=None,
            refusals=Counter(),
        )
        server = Server(settings.ingest, routes, control, connections or ConnectionTable())
        ready = TraceServer(
            server=server,
            database=database,
            health=health,
            judging=judging,
            assembly=assembly,
            intakes=intakes,
        )
        await server.start()
        try:
            yield ready
        finally:
            await server.stop()
