"""Keeps the status message of each thread true: posted once through the outbox, and edited from then on."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence

from slack_sdk.web.async_client import AsyncWebClient

from bot.feedback import Feedback
from bot.learning.shown_rules import reason_hash
from bot.learning.thread_status_reader import RenderedStatus, ThreadStatusReader
from bot.runtime.clock import backoff_ms, now_ms
from bot.runtime.health import HealthRegistry, unexpected
from bot.runtime.wake_event import WakeEvent
from bot.slack.errors import SlackCallError, SlackRefusedError
from memalign.errors import StorageError
from memalign.records import Lesson
from storage.database import Database
from storage.records import Post, StatusContent, StoredThreadStatus, StoredVerdict, ThreadRefusal
from storage.thread_statuses import status_post_id_of

log = logging.getLogger(__name__)

COMPONENT = "updating threads"
UNCHANGEABLE = {"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"}
"""Codes after which a retry is of no use: the message is gone, or Slack lets nobody change it."""
LOOK_SECONDS = 1.0
"""Longest time between two looks for messages that are to be edited."""
UPDATE_NOW_SECONDS = 10.0
"""Time that a forget waits for Slack; messages not edited by then are edited later."""


class ThreadUpdater:
    """Posts statuses and edits them. What is to be edited is on disk until Slack has it."""

    def __init__(
        self,
        client: AsyncWebClient,
        database: Database,
        reader: ThreadStatusReader,
        health: HealthRegistry,
        wake_posting: Callable[[], None],
        *,
        pause_seconds: float = 0.0,
    ) -> None:
        """Let changes gather for `pause_seconds` before a message is edited: a lesson comes in several."""
        self._client = client
        self._database = database
        self._reader = reader
        self._health = health
        self._wake_posting = wake_posting
        self._pause_seconds = pause_seconds
        self._wake_event = WakeEvent()
        self._lock = asyncio.Lock()
        self._failing: dict[str, str] = {}
        """Verdict -> the channel, or the judge, under which its failure is reported."""

    def wake(self) -> None:
        """Look for messages to be edited now."""
        self._wake_event.set()

    async def tell(self, verdict: StoredVerdict, feedback: Sequence[Feedback], lesson: Lesson) -> None:
        """Let the thread tell what is so after a round of learning. Raises `StorageError`.

        Args:
            verdict: the verdict, with the revision of its feedback that has come to rest.
            feedback: what each person says of it.
            lesson: the report of the round.
        """
        if verdict.message_ts is None:
            return
        known = await self._database.thread_statuses.get(verdict.verdict_id)
        refusals = _refusals(() if known is None else known.refusals, feedback, verdict, lesson)
        is_declined = verdict.verdict.trace_id in lesson.declined
        status = await self._database.thread_statuses.tell(
            verdict, refusals, is_declined=is_declined, doubts=self._reader.doubts_on(verdict)
        )
        if status.message_ts is None and not verdict.is_hidden:  # else once the card shows its verdict
            await self._post(status, verdict)
        self.wake()

    async def note_settings(self, judges: Iterable[str]) -> None:
        """Let the judges' threads be told anew where settings that they show have changed since the last start."""
        for judge in judges:
            await self._database.thread_statuses.note_settings(judge, self._reader.fingerprint(judge))

    async def run(self, judges: Collection[str] = ()) -> None:
        """Edit until cancelled; begin with what an earlier version, or other settings, left in threads."""
        await self._database.outbox.take_over_thread_posts()
        await self.note_settings(judges)
        while True:
            await self.update_due()
            if await self._wake_event.wait(LOOK_SECONDS):
                await asyncio.sleep(self._pause_seconds)

    async def update_now(self) -> None:
        """Edit what is due, as far as Slack answers within `UPDATE_NOW_SECONDS`."""
        try:
            async with asyncio.timeout(UPDATE_NOW_SECONDS):
                await self.update_due()
        except TimeoutError:
            log.warning("Slack does not answer; threads that show forgotten content are edited later")

    async def update_due(self) -> None:
        """Edit what is due. Raises `StorageError`."""
        async with self._lock:
            for verdict_id in list(self._failing):
                if await self._database.thread_statuses.get(verdict_id) is None:
                    self._succeeded(verdict_id)
            down: set[str] = set()
            for status in await self._database.thread_statuses.due(now_ms()):
                await self._update_alone(status, down)

    async def _post(self, status: StoredThreadStatus, verdict: StoredVerdict) -> None:
        derived = await self._reader.read(status)
        if derived is None or not derived.status.is_worth_a_message:
            return
        await self._database.outbox.add(
            Post(
                post_id=status_post_id_of(verdict.verdict_id),
                channel=verdict.channel,
                thread_ts=verdict.message_ts,
                verdict_id=verdict.verdict_id,
                content=StatusContent(),
            )
        )
        self._wake_posting()

    async def _update_alone(self, status: StoredThreadStatus, down: set[str]) -> None:
        """Edit one message, unless its channel is among those where an edit has just failed."""
        try:
            rendered = await self._reader.render(status)
            if rendered is None:  # its verdict was forgotten, or its judge left the settings
                await self._database.thread_statuses.edited(status, status.content_hash)
                self._succeeded(status.verdict_id)
            elif rendered.verdict.channel not in down and await self._database.thread_statuses.note_rendering(
                status, rendered.derived.shown
            ):
                await self._edit(rendered, down)
        except StorageError:
            raise
        except Exception:  # a bug on one thread must not stop the others
            reason = unexpected(f"updating the thread of {status.verdict_id}")
            await self._postpone(status, status.judge, reason, 0)

    async def _edit(self, rendered: RenderedStatus, down: set[str]) -> None:
        status, channel = rendered.stored, rendered.verdict.channel
        if rendered.content_hash != status.content_hash:
            try:
                await self._client.chat_update(
                    channel=channel, ts=str(status.message_ts), **rendered.message.arguments()
                )
            except SlackRefusedError as error:
                if error.code not in UNCHANGEABLE:
                    down.add(channel)
                    await self._postpone(status, channel, str(error), error.pause_ms or 0)
                    return
                log.warning("the status at %s cannot be edited: %s", status.message_ts, error)
            except SlackCallError as error:
                down.add(channel)
                await self._postpone(status, channel, str(error), 0)
                return
        self._succeeded(status.verdict_id)
        await self._database.thread_statuses.edited(status, rendered.content_hash, rendered.modal_until_ms)

    async def _postpone(self, status: StoredThreadStatus, subject: str, reason: str, pause_ms: int) -> None:
        self._failing[status.verdict_id] = subject
        self._health.report(COMPONENT, subject, f"a thread does not tell what is so now: {reason}")
        log.warning("the status of %s cannot be edited yet: %s", status.verdict_id, reason)
        not_before_ms = now_ms() + max(pause_ms, backoff_ms(status.attempts))
        await self._database.thread_statuses.postpone(status.verdict_id, not_before_ms, reason)

    def _succeeded(self, verdict_id: str) -> None:
        """Note that a message is up to date or gone; its channel is well once that is so of all."""
        subject = self._failing.pop(verdict_id, None)
        if subject is not None and subject not in self._failing.values():
            self._health.report(COMPONENT, subject, None)


def _refusals(
    known: Sequence[ThreadRefusal], feedback: Sequence[Feedback], verdict: StoredVerdict, lesson: Lesson
) -> list[ThreadRefusal]:
    """Return the reasons that are no rules: those of this round, and of earlier ones as far as they still stand."""
    reasons = {each.person: reason_hash(each.rationale) for each in feedback if each.rationale}
    refused = {each.person: each for each in known}
    for rule in lesson.refused:
        for source in rule.sources:
            if source.trace_id == verdict.verdict.trace_id:
                refused[source.person] = ThreadRefusal(
                    person=source.person, reason=rule.reason, reason_hash=reason_hash(source.quote)
                )
    return [each for each in refused.values() if reasons.get(each.person) == each.reason_hash]
