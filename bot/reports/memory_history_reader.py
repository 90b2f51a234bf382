"""The newest versions of judges' memories, for the list that people go back in."""

from collections.abc import Mapping
from datetime import tzinfo

from bot.blocks.memory_history import MAX_VERSIONS_SHOWN, HistoryPage
from bot.slack.users import People
from storage.database import Database


class MemoryHistoryReader:
    """Reads versions from the store, with the names of their people."""

    def __init__(self, database: Database, titles: Mapping[str, str], people: People, zone: tzinfo) -> None:
        """`titles` are by judge; times are told in `zone`."""
        self._database = database
        self._titles = titles
        self._people = people
        self._zone = zone

    async def page(self, judge: str, *, may_go_back: bool) -> HistoryPage:
        """Return the newest versions. Raises `StorageError`."""
        entries = await self._database.memory_history.log(judge, MAX_VERSIONS_SHOWN)
        people = dict.fromkeys(person for entry in entries for person in entry.version.people)
        return HistoryPage(
            judge=judge,
            title=self._titles[judge],
            entries=entries,
            zone=self._zone,
            names=await self._people.names(people),
            may_go_back=may_go_back,
        )
