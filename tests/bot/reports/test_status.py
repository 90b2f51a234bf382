"""The status: whatever waits for long is told, with its reason."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.config import Settings
from bot.reports.status import StatusReport
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry
from bot.runtime.work_in_hand import WorkInHand
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from tests.bot.bot_in_workspace import settings_for
from tests.factories import a_memory, a_trace


class Reporting:
    """A status report with a clock of its own for work in hand."""

    def __init__(self, database: Database, settings: Settings, memories: Mapping[str, JudgeMemory]) -> None:
        self.database = database
        self.health = HealthRegistry(WorkInHand(lambda: self.now))
        self.report = StatusReport(settings, database, memories, is_connected, self.health)
        self.now = 0.0

    async def troubles(self) -> list[str]:
        return list((await self.report.read()).troubles)


async def is_connected() -> bool:
    return True


@pytest.fixture
async def reporting(database: Database, tmp_path: Path) -> Reporting:
    return Reporting(database, settings_for(tmp_path, "C1"), {"politeness": await a_memory()})


async def test_what_has_just_begun_is_no_trouble(reporting: Reporting) -> None:
    with reporting.health.work.doing("judging", "politeness", "judging a trace with openai:/m"):
        reporting.now = 19
        assert await reporting.troubles() == []


async def test_what_has_been_in_hand_for_long_is_told_until_it_ends(reporting: Reporting) -> None:
    with reporting.health.work.doing("judging", "politeness", "judging a trace with openai:/m"):
        reporting.now = 21
        assert await reporting.troubles() == [
            "politeness: judging a trace with openai:/m has taken 21 s so far"
        ]
    assert await reporting.troubles() == []


async def test_a_channel_is_called_by_its_judges(reporting: Reporting) -> None:
    with (
        reporting.health.work.doing("posting", "C1", "posting a message"),
        reporting.health.work.doing("posting", "C1", "posting a message"),
    ):
        reporting.now = 60
        (trouble,) = await reporting.troubles()
    assert "C1" not in trouble
    assert trouble.endswith("posting a message has taken 60 s so far (2 at once)")


async def test_a_trace_that_has_waited_long_for_its_turn_is_told(reporting: Reporting) -> None:
    await reporting.database.traces.add([(a_trace("tr-1"), ["politeness"])], now_ms() - 30_000, 10)
    (trouble,) = await reporting.troubles()
    assert trouble.startswith("politeness: a trace has waited 30 s for its turn")


async def test_of_a_judge_that_is_down_the_reason_is_told_and_not_the_queue(reporting: Reporting) -> None:
    await reporting.database.traces.add([(a_trace("tr-1"), ["politeness"])], now_ms() - 30_000, 10)
    reporting.health.report("judging", "politeness", "its model is down")
    assert await reporting.troubles() == ["politeness: its model is down"]
