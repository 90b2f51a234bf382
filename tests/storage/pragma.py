"""Settings of a store's open SQLite connection: the one place where tests look behind the repositories."""

from memalign.records import Json
from storage.database import Database
from storage.engines import Engine
from storage.engines.sqlite import SqliteEngine


async def pragma(db: Database, words: str) -> Json:
    """Run a PRAGMA on the connection; its answer."""

    def ask(engine: Engine) -> Json:
        assert isinstance(engine, SqliteEngine)
        answer: Json = engine.connection.execute(f"PRAGMA {words}").fetchone()[0]
        return answer

    return await db.store.run(ask)


async def limit_pages(db: Database, pages: int) -> None:
    """Let the store grow to so many pages only: what SQLite meets on a full disk; 1: no more than it is now."""
    await pragma(db, f"max_page_count = {pages}")
