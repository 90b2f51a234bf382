"""What listeners work with."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.primitives import SlackMessage
from bot.config import Settings
from bot.forgetting.access import ForgetAccess
from bot.forgetting.service import ForgetService
from bot.learning.worker import LearningWorker
from bot.reports.status import StatusReport
from bot.slack.channel_members import ChannelMembers
from bot.slack.errors import CONNECTION_ERRORS
from bot.slack.users import People
from memalign.judge_memory import JudgeMemory
from memalign.records import Json
from storage.database import Database

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerContext:
    """Everything a listener may reach; built once by `bot.app`."""

    settings: Settings
    database: Database
    memories: Mapping[str, JudgeMemory]
    learning: LearningWorker
    forgetting: ForgetService
    forget_access: ForgetAccess
    members: ChannelMembers
    people: People
    status: StatusReport
    client: AsyncWebClient
    tasks: asyncio.TaskGroup
    in_hand: set[asyncio.Task[None]] = field(default_factory=set)
    """Work that goes on after its listener's ack."""

    def run_after_ack(self, work: Coroutine[None, None, None]) -> None:
        """Do the work after the ack; a failure is logged and stops nothing else."""
        task = self.tasks.create_task(_guarded(work))
        self.in_hand.add(task)
        task.add_done_callback(self.in_hand.discard)

    async def finish(self, seconds: float) -> None:
        """Let the work in hand come to its end, for so long at most."""
        if self.in_hand:
            _, unfinished = await asyncio.wait(self.in_hand, timeout=seconds)
            for task in unfinished:
                task.cancel()

    async def open_view(self, trigger_id: str, view: Json) -> None:
        """Open a modal; where Slack refuses, what was clicked stands all the same."""
        try:
            await self.client.views_open(trigger_id=trigger_id, view=view)
        except (SlackApiError, *CONNECTION_ERRORS) as error:
            log.warning("a modal could not be opened: %s", error)

    async def post_ephemeral(self, channel: str, user: str, message: SlackMessage) -> None:
        """Tell one person something in a channel; nothing rests on it."""
        try:
            await self.client.chat_postEphemeral(
                channel=channel, user=user, text=message.text, blocks=list(message.blocks)
            )
        except (SlackApiError, *CONNECTION_ERRORS) as error:
            log.warning("%s could not be told something: %s", user, error)


async def _guarded(work: Coroutine[None, None, None]) -> None:
    try:
        await work
    except Exception:  # one person's command must not stop the app
        log.exception("work after an acknowledgement failed")
