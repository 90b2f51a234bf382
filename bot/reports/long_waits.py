"""Work that has waited for long in the store, and of which no part of the bot has said why."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from bot.runtime.health import Problem
from bot.runtime.reference_clock import ReferenceClock
from bot.runtime.supervisor import COMPONENT as BACKGROUND
from bot.runtime.work_in_hand import LONG_SECONDS
from storage.database import Database
from storage.records import CardContent


@dataclass(frozen=True, slots=True, kw_only=True)
class _LongWait:
    component: str
    subject: str
    since_ms: int
    """By this machine's clock; 0 where that is not known."""
    reason: str | None = None
    """Reason of the last failure, as stored; None before the first."""
    what: str

    def problem(self, now_ms: int) -> Problem | None:
        """Return the problem; None where the work has not failed and has not waited for long."""
        seconds = (now_ms - self.since_ms) / 1000 if self.since_ms else 0.0
        if self.reason is None and seconds <= LONG_SECONDS:
            return None
        reason = self.reason or f"{self.what} has waited {seconds:.0f} s for its turn"
        return Problem(component=self.component, subject=self.subject, reason=reason)


class LongWaits:
    """Looks at the oldest piece of work of each judge and channel, postponed or not."""

    def __init__(self, database: Database, slack_clock: ReferenceClock, own_ms: Callable[[], int]) -> None:
        self._database = database
        self._slack_clock = slack_clock
        self._own_ms = own_ms

    async def problems(self, known: Collection[tuple[str, str]]) -> list[Problem]:
        """Return what has waited for long, or failed before a restart.

        Args:
            known: components and subjects of which a reason is known; they are left out.

        Raises:
            StorageError: the store does not answer.
        """
        waits = [
            *await self._traces(),
            *await self._windows(),
            *await self._feedback(),
            *await self._posts(),
            *await self._redactions(),
            *await self._requests(),
        ]
        now_ms = self._own_ms()
        unexplained = (wait for wait in waits if (wait.component, wait.subject) not in known)
        return [problem for wait in unexplained if (problem := wait.problem(now_ms)) is not None]

    async def oldest_seconds(self) -> dict[str, float]:
        """Return how long the oldest trace, feedback and post have waited, in seconds; 0 where none waits.

        Raises:
            StorageError: the store does not answer.
        """
        waits = {
            "traces": await self._traces(),
            "feedback": await self._feedback(),
            "posts": await self._posts(),
        }
        now_ms = self._own_ms()
        return {
            name: max([0.0, *((now_ms - each.since_ms) / 1000 for each in group if each.since_ms)])
            for name, group in waits.items()
        }

    async def _traces(self) -> list[_LongWait]:
        paused = await self._database.preferences.pauses()
        return [
            _LongWait(
                component="judging",
                subject=job.judge,
                since_ms=job.received_ms,
                reason=job.reason,
                what="a trace",
            )
            for job in await self._database.traces.oldest_jobs()
            if job.judge not in paused
        ]

    async def _windows(self) -> list[_LongWait]:
        """Return the windows that have ended and got no card yet; the traces of an open one wait for its end."""
        paused = await self._database.preferences.pauses()
        return [
            _LongWait(
                component="judging",
                subject=window.judge,
                since_ms=window.end_ms,
                reason=window.reason,
                what="the choice of a card",
            )
            for window in await self._database.candidates.oldest_ended(self._own_ms())
            if window.judge not in paused
        ]

    async def _feedback(self) -> list[_LongWait]:
        ahead_ms = self._own_ms() - self._slack_clock.now_ms()
        return [
            _LongWait(
                component="learning", subject=each.judge, since_ms=each.since_ms + ahead_ms, what="feedback"
            )
            for each in await self._database.feedback.oldest()
        ]

    async def _posts(self) -> list[_LongWait]:
        paused = await self._database.preferences.pauses()
        return [
            _LongWait(
                component="posting",
                subject=post.channel,
                since_ms=post.created_ms,
                reason=post.reason,
                what="a message",
            )
            for post in await self._database.outbox.oldest()
            if not (isinstance(post.content, CardContent) and post.content.judge in paused)
        ]

    async def _redactions(self) -> list[_LongWait]:
        return [
            _LongWait(
                component="redacting messages",
                subject=each.channel,
                since_ms=each.created_ms,
                reason=each.reason,
                what="a message that shows what was forgotten",
            )
            for each in await self._database.forgetting.oldest_redactions()
        ]

    async def _requests(self) -> list[_LongWait]:
        return [
            _LongWait(
                component=BACKGROUND, subject="forgetting", since_ms=note.at_ms, what="a request to forget"
            )
            for request in await self._database.forgetting.requests()
            for note in request.notes[:1]
        ]
