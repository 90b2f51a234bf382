"""Watches whether a judge has got worse, and warns its channel once a week at most of each memory that does better."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import get_args

from bot.config import JudgeSettings, Settings
from bot.reports.worsening import ChangedVerdicts, read_changed_verdicts
from bot.runtime.activity_log import log_activity
from bot.runtime.circuit_breaker import CircuitBreaker
from bot.runtime.clock import from_ms, now_ms, week_of
from bot.runtime.health import HealthRegistry, unexpected
from memalign.errors import StorageError
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from storage.records import Post, ShadowKind, WorseningContent

log = logging.getLogger(__name__)

COMPONENT = "watching for worse verdicts"
CHECK_SECONDS = 120.0
"""Pause between two looks, each of which reads the week's answered verdicts. Set by hand: nobody waits for it."""
REFERENCES: tuple[ShadowKind, ...] = get_args(ShadowKind)


class WorseningWatch:
    """Looks at each judge's answered verdicts of the week, and puts warnings into the outbox."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        health: HealthRegistry,
        wake_posting: Callable[[], None],
        *,
        pause_seconds: float = CHECK_SECONDS,
        time_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._health = health
        self._wake_posting = wake_posting
        self._pause_seconds = pause_seconds
        self._time_ms = time_ms
        self._breaker = CircuitBreaker()
        self._warnings: set[WorseningContent] = set()
        """Those that are in the outbox, or were there."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            for judge in self._settings.judges:
                if not self._breaker.is_open(judge.name):
                    await self._check_or_wait(judge)
            await asyncio.sleep(self._pause_seconds)

    async def _check_or_wait(self, judge: JudgeSettings) -> None:
        try:
            await self.check(judge)
        except StorageError:
            raise
        except Exception:  # a bug in one judge's figures must not hide another's
            self._breaker.record_failure(judge.name)
            self._health.report(COMPONENT, judge.name, unexpected(f"watching {judge.name}"))
        else:
            self._breaker.record_success(judge.name)
            self._health.report(COMPONENT, judge.name, None)

    async def check(self, judge: JudgeSettings) -> None:
        """Warn of a judge if it has got worse. Raises `StorageError`."""
        zone = self._settings.digest.zone
        week = week_of(from_ms(self._time_ms(), zone).date())
        due = [each for each in REFERENCES if _content(judge, each, week) not in self._warnings]
        if not due:
            return
        values = self._memories[judge.name].definition.value_type
        known = await read_changed_verdicts(self._database, judge.name, values, REFERENCES, week, zone)
        for changed in known:
            is_told = any(_is_part_of(changed, other) for other in known)
            is_due = changed.reference in due and changed.is_worse and not is_told
            if is_due and not await self._is_back(judge.name, changed):
                await self._warn(judge, changed, week)

    async def _is_back(self, judge: str, changed: ChangedVerdicts) -> bool:
        """Return whether the memory holds what it held when the week began, since somebody went back to it."""
        if changed.reference != "last_week":
            return False
        current = self._memories[judge].state.number
        return await self._database.memory_history.oldest_equal(judge, current) == changed.version

    async def _warn(self, judge: JudgeSettings, changed: ChangedVerdicts, week: str) -> None:
        content = _content(judge, changed.reference, week)
        slot = f"{judge.channel}:{judge.name}"
        post = Post(
            post_id=f"worsening:{slot}:{changed.reference}:{week}", channel=judge.channel, content=content
        )
        if await self._database.outbox.add_worsening(slot, content, post):
            log_activity(
                log,
                "judge has got worse",
                judge=judge.name,
                reference=changed.reference,
                fixed=changed.fixed,
                broken=len(changed.broken),
            )
            self._wake_posting()
        self._warnings.add(content)


def _is_part_of(changed: ChangedVerdicts, other: ChangedVerdicts) -> bool:
    """Return whether a warning against Monday's memory names all verdicts that one against none would name."""
    ids, other_ids = ({stored.verdict_id for stored in each.broken} for each in (changed, other))
    is_lesser = (changed.reference, other.reference) == ("base", "last_week")
    return is_lesser and other.is_worse and ids <= other_ids


def _content(judge: JudgeSettings, reference: ShadowKind, week: str) -> WorseningContent:
    return WorseningContent(judge=judge.name, reference=reference, week=week)
