"""Makes the messages of weekly digests when they are sent, from what is so then."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot.blocks.digest import digest_message, weekly_digest_message
from bot.blocks.digest_details import digest_figures_message, digest_rows_message
from bot.blocks.primitives import SlackMessage
from bot.config import JudgeSettings, Settings
from bot.records import Digest
from bot.reports.digest import read_digest
from bot.reports.weekly_report_reader import WeeklyReportReader
from bot.runtime.clock import week_of
from bot.weekly_report import WeeklyReport
from memalign.judge_memory import JudgeMemory
from memalign.value_types import value_type_of
from storage.database import Database
from storage.records import DigestContent, DigestMessage, DigestPart, DigestReplyContent, Post

MAX_TRIES = 5
"""Times that a digest is made while what it tells of is being forgotten."""


class DigestRenderer:
    """Makes the digest of any week, for a channel or for one person, and the replies in its thread."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        reader: WeeklyReportReader,
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._reader = reader

    async def render_post(self, post: Post) -> SlackMessage | None:
        """Return a digest or a reply of it; None where there is nothing to tell, or the judge is there no more."""
        content = post.content
        if not isinstance(content, DigestContent | DigestReplyContent):
            return None
        part = content.part if isinstance(content, DigestReplyContent) else None
        return await self._render(
            DigestMessage(
                post_id=post.post_id, channel=post.channel, judge=content.judge, week=content.week, part=part
            )
        )

    async def render_again(self, channel: str, ts: str) -> SlackMessage | None:
        """Return a digest that Slack shows, without what was forgotten since; None for any other message."""
        shown = await self._database.digest_messages.by_message(channel, ts)
        return None if shown is None else await self._render(shown)

    async def _render(self, digest: DigestMessage) -> SlackMessage | None:
        judge = self._settings.find_judge(digest.judge)
        if judge is None:
            return None
        for _ in range(MAX_TRIES):
            report = await self._read(judge, digest.week)
            message = await self._message(judge, report, digest.part)
            shown = replace(
                digest, trace_ids=tuple(report.all_trace_ids), people=tuple(report.all_person_ids)
            )
            # something may have been forgotten while it was made
            if message is None or await self._database.digest_messages.note_shown(shown):
                return message
        raise RuntimeError(f"what post {digest.post_id} tells of stays forgotten")

    async def _message(
        self, judge: JudgeSettings, report: WeeklyReport, part: DigestPart | None
    ) -> SlackMessage | None:
        if part is None:
            return weekly_digest_message(report, await self._week_after(judge, report))
        if report.is_quiet:
            return None
        return digest_figures_message(report) if part == "figures" else digest_rows_message(report)

    async def render(self, judge: JudgeSettings, week: str) -> SlackMessage:
        """Return a judge's week for one person who asks. Raises `StorageError`."""
        return digest_message(await self._read(judge, week))

    async def _read(self, judge: JudgeSettings, week: str) -> WeeklyReport:
        return await self._reader.read(judge, week, self._memories[judge.name].guidelines)

    async def _week_after(self, judge: JudgeSettings, report: WeeklyReport) -> Digest:
        week = week_of(report.last_day + timedelta(days=1))
        values = value_type_of(judge.feedback_value_type, judge.range)
        return await read_digest(self._database, judge.name, values, week, self._settings.digest.zone)
