"""The posting worker: channels do not wait for each other, and what an earlier run left is settled first."""

import asyncio

import pytest

from bot.blocks.primitives import SlackMessage
from bot.posting.sending import PostSender, arguments
from bot.posting.worker import PostingWorker
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry
from bot.slack.chart_support import ChartSupport
from storage.database import Database
from storage.records import Post
from tests.bot.fakes import CUT, Answer, FakeSlack, Lost, refusal, running, until
from tests.storage.records import note


class Posting:
    """A worker on a store and a fake Slack."""

    def __init__(self, database: Database, pace_seconds: float = 0.0, settle_seconds: float = 0.0) -> None:
        self.database = database
        self.slack = FakeSlack()
        self.health = HealthRegistry()
        self.broken: set[str] = set()
        """Ids of posts whose rendering has a bug."""
        sender = PostSender(self.slack, database, self._render, self.health, ChartSupport())
        self.worker = PostingWorker(
            database, sender, self.health, pace_seconds=pace_seconds, settle_seconds=settle_seconds
        )

    async def _render(self, post: Post) -> SlackMessage | None:
        if post.post_id in self.broken:
            raise KeyError("a bug")
        return SlackMessage(text=post.post_id, blocks=())

    async def add(self, *posts: Post) -> None:
        for post in posts:
            await self.database.outbox.add(post)

    def texts(self) -> list[str]:
        """The messages in Slack, oldest first."""
        return [message["text"] for message in self.slack.messages]

    async def run_until_posted(self, number: int) -> None:
        async with running(self.worker.run) as part:
            await until(lambda: self._has(number), part)

    async def has_settled(self) -> bool:
        return not await self.database.outbox.waiting()

    async def _has(self, number: int) -> bool:
        return len(self.slack.messages) >= number and not await self.database.outbox.in_flight()


@pytest.fixture
def posting(database: Database) -> Posting:
    return Posting(database)


async def test_posts_of_a_channel_come_in_the_order_they_were_added(posting: Posting) -> None:
    await posting.add(*(note(f"n-{number}") for number in range(5)))
    await posting.run_until_posted(5)
    assert posting.texts() == [f"n-{number}" for number in range(5)]


async def test_a_channel_that_is_refused_holds_up_no_other(posting: Posting) -> None:
    posting.slack.answers["chat.postMessage"].append(refusal("is_archived"))
    await posting.add(note("first", "C1"), note("second", "C2"))
    await posting.run_until_posted(1)
    assert posting.texts() == ["second"]
    assert posting.health.subjects("posting") == {"C1"}


async def test_a_bug_in_one_post_holds_up_no_other_and_is_reported(posting: Posting) -> None:
    posting.broken.add("n-1")
    await posting.add(note("n-1"), note("n-2"))
    await posting.run_until_posted(1)
    assert posting.texts() == ["n-2"]
    assert await posting.database.outbox.waiting() == 1


async def test_two_posts_of_a_channel_keep_the_pace(database: Database) -> None:
    posting = Posting(database, pace_seconds=0.05)
    await posting.add(note("n-1"), note("n-2"))
    clock = asyncio.get_running_loop().time
    began = clock()
    await posting.run_until_posted(2)
    assert clock() - began >= 0.05


async def test_what_an_earlier_run_left_on_its_way_is_not_posted_twice(posting: Posting) -> None:
    await posting.add(note("n-1"))
    posting.slack.answers["chat.postMessage"].append(Lost())
    sender = PostSender(posting.slack, posting.database, _same_text, posting.health, ChartSupport())
    [post] = await posting.database.outbox.next_due(now_ms())
    message = await sender.begin(post)
    assert message is not None
    assert await sender.deliver(post, message) is not None  # and the bot is stopped here
    async with running(posting.worker.run) as part:
        await until(lambda: _settled(posting), part)
    assert posting.texts() == ["n-1"]


async def _same_text(post: Post) -> SlackMessage:
    return SlackMessage(text=post.post_id, blocks=())


@pytest.mark.parametrize(
    "failure", [CUT, Answer(data=["oops"]), Answer(data={"ok": True}), refusal("fatal_error")]
)
async def test_a_lost_post_is_looked_for_until_slack_says(
    posting: Posting, failure: Answer | Exception
) -> None:
    posting.slack.answers["chat.postMessage"].append(Lost())
    posting.slack.answers["conversations.history"].append(failure)
    await posting.add(note("n-1"))
    async with running(posting.worker.run) as part:
        await until(lambda: _settled(posting), part)
    assert posting.texts() == ["n-1"]
    assert len(posting.slack.of("conversations.history")) == 2
    assert posting.health.problems() == ()


async def _settled(posting: Posting) -> bool:
    return not await posting.database.outbox.waiting()


async def test_a_channel_is_well_again_when_what_waited_there_is_gone(posting: Posting) -> None:
    posting.slack.answers["chat.postMessage"].append(refusal("is_archived"))
    await posting.add(note("n-1"))
    async with running(posting.worker.run) as part:
        await until(lambda: _is_troubled(posting), part)
        await posting.database.outbox.drop("n-1")
        posting.worker.wake()
        await until(lambda: _is_well(posting), part)
    assert posting.texts() == []


async def _is_troubled(posting: Posting) -> bool:
    return posting.health.problems() != ()


async def _is_well(posting: Posting) -> bool:
    return posting.health.problems() == ()


async def test_what_a_process_that_has_just_died_was_sending_is_looked_for_once_slack_has_taken_it_in(
    database: Database,
) -> None:
    posting = Posting(database, settle_seconds=3.0)
    await posting.add(note("n-1"), note("elsewhere", channel="C2"))
    await database.outbox.start("n-1")
    [post] = await database.outbox.in_flight()
    async with running(posting.worker.run) as part:
        await until(lambda: posting.texts() == ["elsewhere"], part)
        searches = len(posting.slack.messages)
        # it arrives after its sender has died, and before it is looked for
        await posting.slack.chat_postMessage(**arguments(post, SlackMessage(text="n-1", blocks=())))
        await until(posting.has_settled, part)
    assert searches == 1
    assert sorted(posting.texts()) == ["elsewhere", "n-1"]
