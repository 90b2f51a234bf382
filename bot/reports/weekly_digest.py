"""Which job runs when: the weekly digest, once per ISO week and channel, also after downtime."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from bot.blocks.digest import digest_message
from bot.config import WEEKDAYS, DigestSettings, JudgeSettings, Settings
from bot.records import Digest
from bot.reports.digest import read_digest
from bot.runtime.clock import moment, now_ms, week_of
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from storage.records import DigestContent, Post

log = logging.getLogger(__name__)

A_WEEK = timedelta(days=7)


def last_due(now: datetime, settings: DigestSettings) -> datetime:
    """The latest moment, not after `now`, at which a digest was due; `now` is in the digest's time zone."""
    back = (now.weekday() - WEEKDAYS.index(settings.day)) % 7
    due = datetime.combine(now.date() - timedelta(days=back), settings.at, now.tzinfo)
    return due if due <= now else due - A_WEEK


class WeeklyDigest:
    """Puts each judge's digest into the outbox once per ISO week."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        wake_outbox: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._wake_outbox = wake_outbox
        self._scheduler = AsyncIOScheduler(
            timezone=settings.digest.zone,
            executors={"default": AsyncIOExecutor()},
            job_defaults={"coalesce": True, "misfire_grace_time": int(A_WEEK.total_seconds())},
        )

    async def start(self) -> None:
        """Post what fell due while the bot was away, then wait for the next time."""
        digest = self._settings.digest
        first = moment(await self._database.audit.first_start_ms(now_ms()), digest.zone)
        now = moment(now_ms(), digest.zone)
        if (due := last_due(now, digest)) >= first:
            await self.post(due)
        self._scheduler.add_job(
            self._post_now,
            CronTrigger(
                day_of_week=digest.day,  # a number would mean another day here than in cron
                hour=digest.at.hour,
                minute=digest.at.minute,
                second=digest.at.second,
                timezone=digest.zone,
            ),
            id="digest",
            replace_existing=True,
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Schedule nothing more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def _post_now(self) -> None:
        await self.post(last_due(moment(now_ms(), self._settings.digest.zone), self._settings.digest))

    async def post(self, due: datetime) -> None:
        """Put the digests that were due at a moment into the outbox; those of the week before it, completed.

        What the running week holds so far is told in a last line, so that nothing waits for seven days unseen.
        """
        for judge in self._settings.judges:
            last = await self._count(judge, week_of(due.date() - A_WEEK))
            running = await self._count(judge, week_of(due.date()))
            message = digest_message(last, running)
            slot = f"{judge.channel}:{judge.name}"
            post = Post(
                post_id=f"digest:{slot}:{week_of(due.date())}",
                channel=judge.channel,
                thread_ts=None,
                verdict_id=None,
                content=DigestContent(
                    text=message.text,
                    blocks=tuple(message.blocks),
                    due_ms=int(due.timestamp() * 1000),
                ),
                state="due",
                attempts=0,
                not_before_ms=0,
                reason=None,
            )
            if await self._database.outbox.add_digest(slot, week_of(due.date()), post):
                log.info("the digest of %s for %s is on its way", judge.name, last.week)
        self._wake_outbox()

    async def _count(self, judge: JudgeSettings, week: str) -> Digest:
        values = self._memories[judge.name].definition.value_type
        return await read_digest(self._database, judge.name, values, week, self._settings.digest.zone)
