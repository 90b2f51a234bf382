from pathlib import Path

from storage.database import Database


async def test_calls_are_counted_up_to_the_limit_of_a_day(db: Database) -> None:
    assert await db.model_calls.take("trials", "2026-11-20", 6, total=100, limit=10) == 6
    assert await db.model_calls.take("trials", "2026-11-20", 6, total=100, limit=10) == 4
    assert await db.model_calls.take("trials", "2026-11-20", 6, total=100, limit=10) == 0
    assert (await db.model_calls.counts("2026-11-20"))["trials"] == 10


async def test_all_purposes_share_the_total_of_a_day(db: Database) -> None:
    assert await db.model_calls.take("candidates", "2026-11-20", 6, total=10) == 6
    assert await db.model_calls.take("trials", "2026-11-20", 6, total=10, limit=8) == 4
    assert await db.model_calls.take("shadow_verdicts", "2026-11-20", 1, total=10) == 0
    assert await db.model_calls.counts("2026-11-20") == {
        "trials": 4,
        "candidates": 6,
        "second_opinions": 0,
        "shadow_verdicts": 0,
        "labelled_traces": 0,
    }


async def test_each_day_counts_alone_and_those_that_are_over_are_dropped(db: Database) -> None:
    await db.model_calls.take("trials", "2026-11-20", 6, total=6)

    assert await db.model_calls.take("trials", "2026-11-21", 2, total=6) == 2

    assert (await db.model_calls.counts("2026-11-20"))["trials"] == 0
    assert (await db.model_calls.counts("2026-11-21"))["trials"] == 2


async def test_a_lower_limit_grants_nothing_more(db: Database) -> None:
    await db.model_calls.take("trials", "2026-11-20", 6, total=100, limit=6)
    assert await db.model_calls.take("trials", "2026-11-20", 1, total=100, limit=3) == 0
    assert await db.model_calls.take("trials", "2026-11-20", 1, total=3) == 0
    assert await db.model_calls.take("trials", "2026-11-21", 1, total=0) == 0


async def test_the_count_outlives_a_restart(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as db:
        await db.model_calls.take("trials", "2026-11-20", 6, total=10)
    async with await Database.open(tmp_path) as db:
        assert await db.model_calls.take("trials", "2026-11-20", 6, total=10) == 4
