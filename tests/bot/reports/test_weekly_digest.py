"""The weekly digest is put into the outbox once per judge and week, also after downtime."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.posting.sending import PostSender
from bot.reports.weekly_digest import WeeklyDigest
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry
from bot.slack.chart_support import ChartSupport
from storage.database import Database
from storage.records import DigestContent, DigestReplyContent, Post
from tests.bot.bot_in_workspace import settings_for
from tests.bot.fakes import FakeSlack, Wakes, running, until

MONDAY, NEXT_MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 30, 9, tzinfo=UTC)
LONG_AGO_MS = 1_000_000_000_000


class Digests:
    """The weekly digest on a store, for judges of which each has a channel of its own."""

    def __init__(self, database: Database, folder: Path, names: Sequence[str]) -> None:
        judges = [{"name": name, "channel": f"C-{name}"} for name in names]
        self.database = database
        self.health = HealthRegistry()
        self.posting = Wakes()
        settings = settings_for(folder, "C1", judges=judges)
        self.weekly = WeeklyDigest(settings, database, self.health, self.posting)

    async def posts(self) -> list[Post]:
        """The digests in the outbox."""
        posts = await self.database.outbox.next_due(now_ms())
        return [post for post in posts if isinstance(post.content, DigestContent)]

    async def weeks(self) -> list[tuple[str, str]]:
        """Judge and week of each."""
        contents = (post.content for post in await self.posts())
        return [(each.judge, each.week) for each in contents if isinstance(each, DigestContent)]

    async def send_all(self) -> int:
        """Let all digests and their replies arrive; how many digests there were."""
        count = 0
        while posts := await self.database.outbox.next_due(now_ms()):
            for post in posts:
                await self.database.outbox.start(post.post_id)
                await self.database.outbox.done(post.post_id, "1.1")
                count += isinstance(post.content, DigestContent)
        return count


def digests(database: Database, folder: Path, judges: Sequence[str] = ("politeness",)) -> Digests:
    return Digests(database, folder, judges)


async def test_each_judge_has_its_digest_of_the_week_before_once(database: Database, tmp_path: Path) -> None:
    week = digests(database, tmp_path, ["politeness", "wit"])
    await week.weekly.post(MONDAY)
    await week.weekly.post(MONDAY)
    assert await week.weeks() == [("politeness", "2026-W47"), ("wit", "2026-W47")]


async def test_a_restart_posts_no_second_digest_and_the_next_week_one_more(
    database: Database, tmp_path: Path
) -> None:
    await digests(database, tmp_path).weekly.post(MONDAY)
    again = digests(database, tmp_path)
    await again.weekly.post(MONDAY)
    assert await again.send_all() == 1
    await again.weekly.post(NEXT_MONDAY)
    assert await again.send_all() == 1


async def test_a_digest_missed_while_the_bot_was_away_is_posted_at_its_start(
    database: Database, tmp_path: Path
) -> None:
    await database.audit.first_start_ms(LONG_AGO_MS)
    week = digests(database, tmp_path)
    async with running(week.weekly.run) as part:
        await until(week.posts, part)
    assert len(await week.posts()) == 1
    assert week.posting.count == 1


async def test_a_new_bot_posts_no_digest_of_a_time_before_it(database: Database, tmp_path: Path) -> None:
    week = digests(database, tmp_path)
    async with running(week.weekly.run) as part:
        await until(lambda: database.audit.first_start_ms(LONG_AGO_MS), part)
    assert await week.posts() == []


async def test_a_digest_that_arrived_gets_its_replies_once(database: Database, tmp_path: Path) -> None:
    week = digests(database, tmp_path)
    await week.weekly.post(MONDAY)
    [digest] = await week.posts()
    await database.outbox.start(digest.post_id)
    await database.outbox.done(digest.post_id, "1.1")
    await database.outbox.done(digest.post_id, "1.1")
    parts = []
    while replies := await database.outbox.next_due(now_ms()):
        [reply] = replies
        assert isinstance(reply.content, DigestReplyContent)
        assert (reply.thread_ts, reply.content.judge, reply.content.week) == ("1.1", "politeness", "2026-W47")
        parts.append(reply.content.part)
        await database.outbox.start(reply.post_id)
        await database.outbox.done(reply.post_id, "1.2")
    assert parts == ["figures", "verdicts"]


async def test_a_digest_that_an_earlier_version_made_has_no_replies(
    database: Database, tmp_path: Path
) -> None:
    del tmp_path
    post = Post(post_id="d", channel="C1", content=DigestContent(text="*Polite* in week 47"))
    await database.outbox.add_digest("C1:polite", "2026-W47", post)
    await database.outbox.start("d")
    await database.outbox.done("d", "1.1")
    assert await database.outbox.waiting() == 0


async def test_a_lost_digest_is_searched_for_since_ten_minutes_before_it_was_due(
    database: Database, tmp_path: Path
) -> None:
    week = digests(database, tmp_path)
    await week.weekly.post(MONDAY)
    [post] = await week.posts()
    sender = PostSender(FakeSlack(), database, _nothing_to_show, week.health, ChartSupport())
    assert float((await sender.lost(post)).oldest) == pytest.approx(MONDAY.timestamp() - 600)


async def _nothing_to_show(_: Post) -> None:
    return None
