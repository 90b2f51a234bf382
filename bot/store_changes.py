"""Changes that other replicas make in the store: they wake the parts that wait for such work here."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from storage.database import Database

Wake = Callable[[], None]


class StoreChanges:
    """Hears of tables that were changed. Each part that is woken so looks by itself once a second, too."""

    def __init__(
        self,
        database: Database,
        wakes: Mapping[str, Sequence[Wake]],
        read_forget_requests: Callable[[], Awaitable[None]],
    ) -> None:
        """Take the parts to wake by the tables that their work comes in.

        `read_forget_requests` lets this replica learn no more of what another one was asked to forget.
        """
        self._database = database
        self._wakes = wakes
        self._read_forget_requests = read_forget_requests

    async def run(self) -> None:
        """Wake parts until cancelled. Raises `StorageError`."""
        async for tables in self._database.replica.changes():
            if tables is None or "forget_requests" in tables:
                await self._read_forget_requests()
            for wake in self._wakes_for(self._wakes.keys() if tables is None else tables):
                wake()

    def _wakes_for(self, tables: Collection[str]) -> set[Wake]:
        return {wake for table in tables for wake in self._wakes.get(table, ())}
