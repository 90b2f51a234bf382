"""`/memalign pause`, `resume`, `mute` and `unmute`: stored before Slack gets its ack."""

import asyncio
from collections.abc import Callable, Sequence

from bot.blocks.commands import no_judges
from bot.blocks.pausing import (
    already_paused,
    may_not_pause,
    muted,
    not_paused,
    paused,
    resumed,
    slack_is_silent,
    unmuted,
    which_judge,
)
from bot.blocks.primitives import SlackMessage
from bot.config import JudgeSettings
from bot.listeners.guideline_access import GuidelineAccess
from bot.listeners.judge_access import JudgeAccess
from bot.runtime.clock import now_ms
from bot.slack.channel_members import ACK_SECONDS
from storage.database import Database
from storage.records import JudgePause, NoticeContent, NoticeKind, Post


class Pausing:
    """Pauses and resumes judges for those who may manage them, and mutes the bot for anybody."""

    def __init__(
        self,
        database: Database,
        judges: JudgeAccess,
        access: GuidelineAccess,
        wake: Callable[[], None],
    ) -> None:
        """`wake` lets judging and posting look at what changed."""
        self._database = database
        self._judges = judges
        self._access = access
        self._wake = wake

    async def pause(self, person: str, channel: str, name: str) -> list[SlackMessage]:
        """Pause the judge that is named, or the one of the channel. Raises `SettingsError` for an unknown name."""
        judge = await self._judge_in_time(person, channel, name)
        if isinstance(judge, SlackMessage):
            return [judge]
        pause = JudgePause(at_ms=now_ms(), person=person)
        notice = _notice("paused", judge, person)
        is_new = await self._database.preferences.pause(judge.name, pause, notice)
        self._wake()
        return [paused(judge.title, judge.name) if is_new else already_paused(judge.title, judge.name)]

    async def resume(self, person: str, channel: str, name: str) -> list[SlackMessage]:
        """End the pause of a judge, chosen as for `pause`."""
        judge = await self._judge_in_time(person, channel, name)
        if isinstance(judge, SlackMessage):
            return [judge]
        was_paused = await self._database.preferences.resume(judge.name, _notice("resumed", judge, person))
        self._wake()
        return [resumed(judge.title) if was_paused else not_paused(judge.title)]

    async def mute(self, person: str) -> list[SlackMessage]:
        """Ask a person nothing privately any more."""
        await self._database.preferences.mute(person, now_ms())
        return [muted()]

    async def unmute(self, person: str) -> list[SlackMessage]:
        """Ask a person privately again."""
        await self._database.preferences.unmute(person)
        return [unmuted()]

    async def _judge_in_time(self, person: str, channel: str, name: str) -> JudgeSettings | SlackMessage:
        """Return the judge meant, or an answer, before an acknowledgement is due, however slow Slack is."""
        try:
            async with asyncio.timeout(ACK_SECONDS):
                return await self._judge(person, channel, name)
        except TimeoutError:
            return slack_is_silent()

    async def _judge(self, person: str, channel: str, name: str) -> JudgeSettings | SlackMessage:
        """Return the judge meant, or the answer to somebody who means none, or may not."""
        judges = await self._judges.judges_named(name, person)
        here: Sequence[JudgeSettings] = [judge for judge in judges if judge.channel == channel]
        meant = here if len(here) == 1 else judges
        if len(meant) != 1:
            return which_judge([judge.title for judge in here or judges]) if judges else no_judges()
        [judge] = meant
        if await self._access.allows(person, judge.name):
            return judge
        return may_not_pause(judge.title, await self._access.named())


def _notice(kind: NoticeKind, judge: JudgeSettings, person: str) -> Post:
    content = NoticeContent(notice=kind, judge=judge.name, person=person)
    return Post(post_id=f"{kind}:{judge.name}:{now_ms()}", channel=judge.channel, content=content)
