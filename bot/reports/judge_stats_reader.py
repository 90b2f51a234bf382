"""Reads a judge's figures over its life, in short."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.config import JudgeSettings, Settings
from bot.judge_stats import JudgeStats
from bot.records import Digest
from bot.reports.digest import compute_digest
from bot.reports.learning_curve import compute_point
from bot.reports.verdict_history import VerdictHistory, read_verdict_history
from bot.runtime.clock import from_ms, last_weeks, now_ms, week_of
from memalign.judge_memory import JudgeMemory
from memalign.value_types import value_type_of
from storage.database import Database

RECENT_WEEKS = 4
WEEKS_OF_CURVE = 12


class JudgeStatsReader:
    """Reads figures from the store, and the size of a memory from the memory."""

    def __init__(self, settings: Settings, database: Database, memories: Mapping[str, JudgeMemory]) -> None:
        self._zone = settings.digest.zone
        self._database = database
        self._memories = memories

    async def read(self, judge: JudgeSettings) -> JudgeStats:
        """Return a judge's figures. Raises `StorageError`."""
        value_type = value_type_of(judge.feedback_value_type, judge.range)
        history = await read_verdict_history(
            self._database, judge.name, value_type, self._zone, lambda _: None
        )
        today = from_ms(now_ms(), self._zone).date()
        points = [
            compute_point(week, value_type, history.verdicts_of([week]))
            for week in history.weeks()[-WEEKS_OF_CURVE:]
        ]
        memory = self._memories[judge.name]
        rules = memory.guidelines
        return JudgeStats(
            judge=judge.name,
            title=judge.title,
            last_week=_figures(judge, history, [week_of(today - timedelta(weeks=1))]),
            last_weeks=_figures(judge, history, last_weeks(week_of(today), RECENT_WEEKS)),
            weeks=RECENT_WEEKS,
            life=_figures(judge, history, history.weeks()),
            curve=tuple(point for point in points if point is not None),
            since=from_ms(history.first_ms, self._zone).date() if history.judged else None,
            cases=len(memory.episodes),
            in_use=sum(rule.in_use for rule in rules),
            doubtful=sum(rule.stands and rule.doubtful for rule in rules),
        )


def _figures(judge: JudgeSettings, history: VerdictHistory, weeks: Sequence[str]) -> Digest:
    verdicts, shown = history.verdicts_of(weeks), history.shown_in(weeks)
    name = weeks[-1] if weeks else ""
    return compute_digest(judge.name, name, history.value_type, verdicts, (), shown)
