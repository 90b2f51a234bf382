"""Shadow judges of fake models."""

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from bot.judging.last_week import LastWeek
from bot.judging.shadow_judges import ShadowJudges
from bot.runtime.clock import now_ms
from memalign.judge_memory import JudgeMemory
from memalign.trial.call_budget import FixedBudget
from storage.database import Database
from tests.fakes import FakeJudgeModel

BERLIN = ZoneInfo("Europe/Berlin")


def shadow_judges(
    database: Database,
    memories: Mapping[str, JudgeMemory],
    *,
    calls: int = 1000,
    seconds: float = 30.0,
    time_ms: Callable[[], int] = now_ms,
    budget: FixedBudget | None = None,
) -> ShadowJudges:
    """Those of memories, with so many calls for shadows and as many for second opinions."""
    last_week = LastWeek(memories, database.memory_history, BERLIN, lambda _: FakeJudgeModel(), time_ms)
    return ShadowJudges(
        memories, last_week, budget or FixedBudget(calls), FixedBudget(calls), seconds=seconds
    )
