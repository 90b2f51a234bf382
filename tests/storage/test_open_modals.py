"""Modals that are open: until they are closed, or for five minutes; also for another replica."""

from storage.database import Database
from storage.engines import Location

FIVE_MINUTES_MS = 5 * 60_000


async def test_a_modal_is_open_until_it_is_closed(location: Location) -> None:
    async with await Database.open(location) as db:
        await db.open_modals.opened("ana", "v-1", 1000)
    async with await Database.open(location) as db:
        assert await db.open_modals.open_until_ms("v-1", 2000) == {"ana": 1000 + FIVE_MINUTES_MS}
        assert await db.open_modals.open_until_ms("v-2", 2000) == {}
        assert await db.open_modals.closed("ana", "v-1")
        assert not await db.open_modals.closed("ana", "v-1")
        assert await db.open_modals.open_until_ms("v-1", 2000) == {}


async def test_a_modal_counts_as_left_after_five_minutes(db: Database) -> None:
    await db.open_modals.opened("ana", "v-1", 1000)
    assert await db.open_modals.open_until_ms("v-1", 1000 + FIVE_MINUTES_MS - 1)
    assert await db.open_modals.open_until_ms("v-1", 1000 + FIVE_MINUTES_MS) == {}
    await db.open_modals.opened("ben", "v-2", 2000 + FIVE_MINUTES_MS)
    assert not await db.open_modals.closed("ana", "v-1")


async def test_a_person_who_is_forgotten_leaves_no_modal(db: Database) -> None:
    await db.open_modals.opened("ana", "v-1", 1000)
    await db.open_modals.opened("ben", "v-1", 1000)
    await db.forgetting.delete_person("ana", 2000)
    assert await db.open_modals.open_until_ms("v-1", 2000) == {"ben": 1000 + FIVE_MINUTES_MS}
