from pathlib import Path

from storage.database import Database


async def test_calls_are_counted_up_to_the_limit_of_a_day(db: Database) -> None:
    assert await db.model_calls.take("trials", "2026-11-20", 6, 10) == 6
    assert await db.model_calls.take("trials", "2026-11-20", 6, 10) == 4
    assert await db.model_calls.take("trials", "2026-11-20", 6, 10) == 0
    assert await db.model_calls.count("trials", "2026-11-20") == 10


async def test_each_day_counts_alone_and_those_that_are_over_are_dropped(db: Database) -> None:
    await db.model_calls.take("trials", "2026-11-20", 6, 6)

    assert await db.model_calls.take("trials", "2026-11-21", 2, 6) == 2

    assert await db.model_calls.count("trials", "2026-11-20") == 0
    assert await db.model_calls.count("trials", "2026-11-21") == 2


async def test_a_lower_limit_grants_nothing_more(db: Database) -> None:
    await db.model_calls.take("trials", "2026-11-20", 6, 6)
    assert await db.model_calls.take("trials", "2026-11-20", 1, 3) == 0
    assert await db.model_calls.take("trials", "2026-11-21", 1, 0) == 0


async def test_the_count_outlives_a_restart(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as db:
        await db.model_calls.take("trials", "2026-11-20", 6, 10)
    async with await Database.open(tmp_path) as db:
        assert await db.model_calls.take("trials", "2026-11-20", 6, 10) == 4
