"""Agreement of each judge over the last weeks, as gauges show it."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from bot.config import JudgeSettings, Settings
from bot.records import RecentAgreement
from bot.reports.answered_weeks import AnsweredVerdict, read_answered_weeks
from bot.reports.verdict_label import label_verdict
from bot.reports.weighted_agreement import weighted_agreement
from bot.runtime.clock import from_ms, last_weeks, now_ms, week_of
from memalign.value_types import ValueType, value_type_of
from storage.database import Database

PERIODS: Final = (1, 4)
"""Numbers of weeks that are told, the running one included."""
KEPT_SECONDS = 60.0
"""Time for which the figures are kept. Four weeks of 30 answered cards a day take half a second of one core."""


class RecentAgreementReader:
    """Reads the agreement of the last weeks, at most once in `KEPT_SECONDS`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        own_ms: Callable[[], int] = now_ms,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`own_ms` tells the time in milliseconds since 1970, `seconds` a time that nobody sets."""
        self._settings = settings
        self._database = database
        self._own_ms = own_ms
        self._seconds = seconds
        self._reading = asyncio.Lock()
        self._kept: tuple[RecentAgreement, ...] = ()
        self._read_at: float | None = None

    async def read(self) -> tuple[RecentAgreement, ...]:
        """Return the agreement of each judge over each period. Raises `StorageError` if the store does not answer."""
        async with self._reading:
            if self._read_at is None or self._seconds() - self._read_at >= KEPT_SECONDS:
                self._kept = tuple(
                    [each for judge in self._settings.judges for each in await self._of(judge)]
                )
                self._read_at = self._seconds()
            return self._kept

    async def _of(self, judge: JudgeSettings) -> list[RecentAgreement]:
        zone = self._settings.digest.zone
        weeks = last_weeks(week_of(from_ms(self._own_ms(), zone).date()), max(PERIODS))
        value_type = value_type_of(judge.feedback_value_type, judge.range)
        by_week = await read_answered_weeks(self._database, judge.name, value_type, weeks, zone)
        return [
            _agreement(
                judge.name,
                period,
                [each for week in weeks[-period:] for each in by_week.get(week, ())],
                value_type,
            )
            for period in PERIODS
        ]


def _agreement(
    judge: str, period: int, verdicts: list[AnsweredVerdict], value_type: ValueType
) -> RecentAgreement:
    cases = [
        case.weighted for stored, votes in verdicts if (case := label_verdict(stored, votes, value_type))
    ]
    share = weighted_agreement(cases)
    return RecentAgreement(
        judge=judge,
        weeks=period,
        n=len(cases),
        agreement=share.share if share else None,
        low=share.low if share else None,
        high=share.high if share else None,
    )
