"""Reads a judge's figures over its life, in short."""

import asyncio
from collections.abc import Mapping

from bot.config import JudgeSettings, Settings
from bot.judge_stats import JudgeStats
from bot.reports.report_figures import RECENT_WEEKS, ReportFigures
from bot.reports.verdict_history import read_verdict_history
from bot.reports.weekly_report_reader import WEEKS_OF_CURVE
from bot.runtime.clock import from_ms, last_weeks, now_ms, week_of
from memalign.judge_memory import JudgeMemory
from memalign.value_types import value_type_of
from storage.database import Database


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
        figures = ReportFigures(judge.name, value_type, history)
        memory = self._memories[judge.name]
        # twenty thousand verdicts take a second
        return await asyncio.to_thread(self._stats, judge, figures, memory)

    def _stats(self, judge: JudgeSettings, figures: ReportFigures, memory: JudgeMemory) -> JudgeStats:
        weeks = last_weeks(week_of(from_ms(now_ms(), self._zone).date()), RECENT_WEEKS)
        history, rules = figures.history, memory.guidelines
        return JudgeStats(
            judge=judge.name,
            title=judge.title,
            last_week=figures.of(weeks[-2:-1]),
            last_weeks=figures.of(weeks),
            weeks=len(weeks),
            life=figures.of_all(),
            curve=tuple(figures.curve(WEEKS_OF_CURVE)),
            since=from_ms(history.first_ms, self._zone).date() if history.judged else None,
            cases=len(memory.episodes),
            in_use=sum(rule.in_use for rule in rules),
            doubtful=sum(rule.stands and rule.doubtful for rule in rules),
        )
