"""The weekly digest of each judge: posted once per ISO week, also after downtime."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

from bot.config import WEEKDAYS, DigestSettings, JudgeSettings, Settings
from bot.runtime.activity_log import log_activity
from bot.runtime.circuit_breaker import CircuitBreaker
from bot.runtime.clock import from_ms, now_ms, week_of
from bot.runtime.health import HealthRegistry, unexpected
from memalign.errors import StorageError
from storage.database import Database
from storage.records import DigestContent, Post

log = logging.getLogger(__name__)

COMPONENT = "weekly digest"
ONE_WEEK = timedelta(days=7)
POLL_SECONDS = 60.0
"""Longest sleep: a machine that was suspended, or whose clock was set, is late by no more."""


def last_due(now: datetime, settings: DigestSettings) -> datetime:
    """Return the latest moment, not after `now`, at which a digest was due.

    Args:
        now: the present moment, in the digest's time zone.
        settings: the digest's day and time.
    """
    days_ago = (now.weekday() - WEEKDAYS.index(settings.day)) % 7
    due = datetime.combine(now.date() - timedelta(days=days_ago), settings.at, now.tzinfo)
    return due if due <= now else due - ONE_WEEK


def next_due(now: datetime, settings: DigestSettings) -> datetime:
    """Return the next moment, after `now`, at which a digest is due."""
    trigger = CronTrigger(
        day_of_week=settings.day,  # by name: numbers count from Monday here, from Sunday in cron
        hour=settings.at.hour,
        minute=settings.at.minute,
        second=settings.at.second,
        timezone=settings.zone,
    )
    due: datetime = trigger.get_next_fire_time(None, now + timedelta(seconds=1))
    return due


class WeeklyDigest:
    """Puts each judge's digest into the outbox once per ISO week."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        health: HealthRegistry,
        wake_posting: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._database = database
        self._health = health
        self._wake_posting = wake_posting
        self._breaker = CircuitBreaker()
        self._handled: dict[str, datetime] = {}
        """Judge -> the moment whose digest was last handed to the outbox."""

    async def run(self) -> None:
        """Post the digests that fell due while the bot was away, then each one when it is due."""
        settings = self._settings.digest
        while True:
            now = from_ms(now_ms(), settings.zone)
            # read each time: a clock that was years ahead at the first start may be set right at any time
            first = from_ms(await self._database.audit.first_start_ms(now_ms()), settings.zone)
            if (due := last_due(now, settings)) >= first:
                await self.post(due)
            seconds = (next_due(now, settings) - now).total_seconds()
            await asyncio.sleep(min(seconds, POLL_SECONDS))

    async def post(self, due: datetime) -> None:
        """Put the digests that were due at a moment into the outbox, unless they were before."""
        for judge in self._settings.judges:
            if self._handled.get(judge.name) != due and not self._breaker.is_open(judge.name):
                await self._post_or_wait(judge, due)

    async def _post_or_wait(self, judge: JudgeSettings, due: datetime) -> None:
        try:
            await self._post(judge, due)
        except StorageError:
            raise
        except Exception:  # a bug in one digest must not stop the others
            self._breaker.record_failure(judge.name)
            self._health.report(COMPONENT, judge.name, unexpected(f"the digest of {judge.name}"))
        else:
            self._breaker.record_success(judge.name)
            self._health.report(COMPONENT, judge.name, None)
            self._handled[judge.name] = due

    async def _post(self, judge: JudgeSettings, due: datetime) -> None:
        """Put one judge's digest of the week before `due` into the outbox."""
        slot, week = f"{judge.channel}:{judge.name}", week_of(due.date() - ONE_WEEK)
        post = Post(
            post_id=f"digest:{slot}:{week_of(due.date())}",
            channel=judge.channel,
            content=DigestContent(judge=judge.name, week=week, due_ms=int(due.timestamp() * 1000)),
        )
        if await self._database.outbox.add_digest(slot, week_of(due.date()), post):
            log_activity(log, "digest due", judge=judge.name, week=week)
        self._wake_posting()
