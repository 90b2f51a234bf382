"""The weekly digest is put into the outbox once per judge and week, also after downtime."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.posting.sending import PostSender
from bot.reports.weekly_digest import WeeklyDigest
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from storage.records import DigestContent, Post
from tests.bot.bot_in_workspace import settings_for
from tests.bot.fakes import FakeSlack, Wakes, running, until
from tests.factories import a_memory

MONDAY, NEXT_MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 30, 9, tzinfo=UTC)
LONG_AGO_MS = 1_000_000_000_000


class Digests:
    """The weekly digest on a store, for judges of which each has a channel of its own."""

    def __init__(self, database: Database, folder: Path, memories: dict[str, JudgeMemory]) -> None:
        judges = [{"name": name, "channel": f"C-{name}"} for name in memories]
        self.database = database
        self.memories = memories
        self.health = HealthRegistry()
        self.posting = Wakes()
        settings = settings_for(folder, "C1", judges=judges)
        self.weekly = WeeklyDigest(settings, database, memories, self.health, self.posting)

    async def posts(self) -> list[Post]:
        """The digests in the outbox."""
        posts = await self.database.outbox.next_due(now_ms())
        return [post for post in posts if isinstance(post.content, DigestContent)]

    async def texts(self) -> list[str]:
        return [post.content.text for post in await self.posts() if isinstance(post.content, DigestContent)]

    async def send_all(self) -> int:
        """Let all digests arrive; how many there were."""
        count = 0
        while posts := await self.posts():
            for post in posts:
                await self.database.outbox.start(post.post_id)
                await self.database.outbox.done(post.post_id, "1.1")
                count += 1
        return count


async def digests(database: Database, folder: Path, judges: Sequence[str] = ("politeness",)) -> Digests:
    return Digests(database, folder, {judge: await a_memory() for judge in judges})


async def test_each_judge_has_its_digest_of_the_week_before_once(database: Database, tmp_path: Path) -> None:
    week = await digests(database, tmp_path, ["politeness", "wit"])
    await week.weekly.post(MONDAY)
    await week.weekly.post(MONDAY)
    texts = await week.texts()
    assert [("Politeness" in text, "Wit" in text) for text in texts] == [(True, False), (False, True)]
    assert all("week 47" in text for text in texts)


async def test_a_restart_posts_no_second_digest_and_the_next_week_one_more(
    database: Database, tmp_path: Path
) -> None:
    await (await digests(database, tmp_path)).weekly.post(MONDAY)
    again = await digests(database, tmp_path)
    await again.weekly.post(MONDAY)
    assert await again.send_all() == 1
    await again.weekly.post(NEXT_MONDAY)
    assert await again.send_all() == 1


async def test_a_digest_missed_while_the_bot_was_away_is_posted_at_its_start(
    database: Database, tmp_path: Path
) -> None:
    await database.audit.first_start_ms(LONG_AGO_MS)
    week = await digests(database, tmp_path)
    async with running(week.weekly.run) as part:
        await until(week.posts, part)
    assert len(await week.posts()) == 1
    assert week.posting.count == 1


async def test_a_new_bot_posts_no_digest_of_a_time_before_it(database: Database, tmp_path: Path) -> None:
    week = await digests(database, tmp_path)
    async with running(week.weekly.run) as part:
        await until(lambda: database.audit.first_start_ms(LONG_AGO_MS), part)
    assert await week.posts() == []


async def test_a_bug_in_one_digest_stops_no_other_and_is_reported(database: Database, tmp_path: Path) -> None:
    week = await digests(database, tmp_path, ["politeness", "wit"])
    del week.memories["politeness"]
    await week.weekly.post(MONDAY)
    assert ["Wit" in text for text in await week.texts()] == [True]
    assert "unexpected error" in (week.health.reason("weekly digest", "politeness") or "")
    week.memories["politeness"] = await a_memory()
    await week.weekly.post(MONDAY)  # not at once: it is in back-off
    assert len(await week.posts()) == 1


async def test_a_lost_digest_is_searched_for_since_ten_minutes_before_it_was_due(
    database: Database, tmp_path: Path
) -> None:
    week = await digests(database, tmp_path)
    await week.weekly.post(MONDAY)
    [post] = await week.posts()
    sender = PostSender(FakeSlack(), database, _nothing_to_show, week.health)
    assert float((await sender.lost(post)).oldest) == pytest.approx(MONDAY.timestamp() - 600)


async def _nothing_to_show(_: Post) -> None:
    return None
