"""Words the warnings that a judge has got worse when they are sent, from what is so then."""

from collections.abc import Mapping

from bot.blocks.primitives import SlackMessage
from bot.blocks.worsening import worsening_message
from bot.config import JudgeSettings, Settings
from bot.records import Worsening
from bot.reports.weekly_report_reader import LinksTo
from bot.reports.worsening import ChangedVerdicts, read_changed_verdicts
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from storage.records import WorseningContent

MAX_LINKS = 3


class WorseningRenderer:
    """Makes warnings for judges' channels."""

    def __init__(
        self, settings: Settings, database: Database, memories: Mapping[str, JudgeMemory], links_to: LinksTo
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._links_to = links_to

    async def render_post(self, content: WorseningContent) -> SlackMessage | None:
        """Return a warning; None where the votes do not bear it out any more, or the judge is there no more."""
        judge = self._settings.find_judge(content.judge)
        if judge is None:
            return None
        values, zone = self._memories[judge.name].definition.value_type, self._settings.digest.zone
        changes = await read_changed_verdicts(
            self._database, judge.name, values, [content.reference], content.week, zone
        )
        if not changes or not changes[0].is_worse:
            return None
        return worsening_message(await self._worsening(judge, changes[0]))

    async def _worsening(self, judge: JudgeSettings, changed: ChangedVerdicts) -> Worsening:
        shown = changed.broken[:MAX_LINKS]
        links = await self._links_to(shown)
        return Worsening(
            judge=judge.name,
            title=judge.title,
            reference=changed.reference,
            version=changed.version,
            fixed=changed.fixed,
            broken=len(changed.broken),
            links=tuple(links[each.verdict_id] for each in shown if each.verdict_id in links),
        )
