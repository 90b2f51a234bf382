"""Makes the messages of weekly digests when they are sent, from what is so then."""

from collections.abc import Mapping
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
from storage.records import DigestContent, DigestReplyContent


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

    async def render_post(self, content: DigestContent | DigestReplyContent) -> SlackMessage | None:
        """Return a digest or a reply of it; None where there is nothing to tell, or the judge is there no more."""
        judge = next((each for each in self._settings.judges if each.name == content.judge), None)
        if judge is None:
            return None
        report = await self._read(judge, content.week)
        if isinstance(content, DigestContent):
            return weekly_digest_message(report, await self._week_after(judge, report))
        if report.is_quiet:
            return None
        return digest_figures_message(report) if content.part == "figures" else digest_rows_message(report)

    async def render(self, judge: JudgeSettings, week: str) -> SlackMessage:
        """Return a judge's week for one person who asks. Raises `StorageError`."""
        return digest_message(await self._read(judge, week))

    async def _read(self, judge: JudgeSettings, week: str) -> WeeklyReport:
        return await self._reader.read(judge, week, self._memories[judge.name].guidelines)

    async def _week_after(self, judge: JudgeSettings, report: WeeklyReport) -> Digest:
        week = week_of(report.last_day + timedelta(days=1))
        values = value_type_of(judge.feedback_value_type, judge.range)
        return await read_digest(self._database, judge.name, values, week, self._settings.digest.zone)
