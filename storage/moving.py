"""Carrying a whole store over to another place, be it of another engine; the origin stays as it is."""

from collections.abc import Callable
from dataclasses import dataclass

from memalign.errors import StorageError
from storage import engines
from storage.database import Database
from storage.engines import Engine, Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The size of what was carried over."""

    tables: int
    documents: int


async def move(
    source: Location,
    target: Location,
    *,
    begin: Callable[[int], None] = lambda _: None,
    advance: Callable[[int], None] = lambda _: None,
) -> Move:
    """Copy a store to an empty place, and compare both, table by table.

    A move that is broken off leaves no store there, and starts again.

    Args:
        source: the store.
        target: where to; no store with documents may be there.
        begin: is told the number of documents; called from another thread, as `advance` is.
        advance: is told how many further documents were copied.

    Raises:
        StorageError: a bot runs on either, there is a store at the target, or a copy came out different.
    """
    if source == target:
        raise StorageError(f"The store is in {source} already: name another place.")

    def copying(engine: Engine) -> Move:
        with engines.hold(source), engine.snapshot():
            numbers = [engine.count(table) for table in engine.table_names()]
            begin(sum(numbers))
            engines.fill(engine, target, advance)
            return Move(tables=len(numbers), documents=sum(numbers))

    async with await Database.open(source, read_only=True) as database:
        return await database.store.run(copying)
