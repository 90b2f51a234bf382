"""A judge's guidelines with authors and uses, for the list that people search and turn."""

from collections.abc import Mapping

from bot.guideline_page import GuidelineEntry, GuidelinePage, GuidelineQuery, page_of
from bot.reports.guideline_numbers import number_guidelines
from bot.reports.guideline_order import by_record
from bot.runtime.clock import now_ms
from bot.slack.users import People
from memalign.judge_memory import JudgeMemory
from memalign.memory.guideline_merge import merged_into
from memalign.records import FORGOTTEN_PERSON, Guideline
from storage.database import Database
from storage.guideline_uses import GuidelineUse


class GuidelineReader:
    """Reads guidelines from the memories, and their uses from the store."""

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        titles: Mapping[str, str],
        people: People,
    ) -> None:
        self._database = database
        self._memories = memories
        self._titles = titles
        self._people = people

    async def page(self, query: GuidelineQuery) -> GuidelinePage:
        """Return the page of a query. Raises `StorageError`."""
        title = self._titles[query.judge]
        return page_of(await self._entries(query.judge), query, now_ms(), title=title)

    async def _entries(self, judge: str) -> list[GuidelineEntry]:
        guidelines = self._memories[judge].guidelines
        numbers = number_guidelines(guidelines)
        uses = await self._database.guideline_uses.of_judge(judge)
        return [await self._entry(rule, numbers[rule.id], uses) for rule in by_record(guidelines)]

    async def _entry(self, rule: Guideline, number: int, uses: Mapping[str, GuidelineUse]) -> GuidelineEntry:
        ids = (rule.id, *(each.id for each in merged_into(rule)))
        own = [uses[each] for each in ids if each in uses]
        editor = rule.edited_by.person if rule.edited_by else FORGOTTEN_PERSON
        return GuidelineEntry(
            number=number,
            rule=rule,
            authors=tuple((await self._people.names(rule.people)).values()),
            editor="" if editor == FORGOTTEN_PERSON else await self._people.name(editor),
            verdicts=sum(use.verdicts for use in own),
            led=sum(use.led for use in own),
            last_ms=max((use.last_ms for use in own), default=0),
        )
