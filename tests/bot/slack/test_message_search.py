"""Search of a channel for the message that a lost post became."""

from dataclasses import replace

import pytest

from bot.slack.identity import BotIdentity
from bot.slack.message_search import PostMark, find_message
from memalign.records import Json
from tests.bot.fakes import FakeSlack

MARK = PostMark(
    author=BotIdentity(team_id="TOURS", bot_id="BOURS", app_id="AOURS"), post_id="card:v-1", nonce="ab" * 16
)
OURS = {"bot_id": "BOURS", "app_id": "AOURS"}


def message(*, nonce: str | None = MARK.nonce, post_id: str = MARK.post_id, **author: str) -> Json:
    payload = {"post_id": post_id} | ({} if nonce is None else {"nonce": nonce})
    metadata = {"event_type": "memalign_verdict", "event_payload": payload}
    return {"channel": "C1", "ts": "1.1", "metadata": metadata, **author}


async def found(message: Json, mark: PostMark = MARK) -> bool:
    slack = FakeSlack()
    slack.messages.append(message)
    return await find_message(slack, mark, channel="C1", thread_ts=None, oldest="0") == "1.1"


async def test_our_own_message_with_the_posts_mark_is_the_post() -> None:
    assert await found(message(**OURS))


@pytest.mark.parametrize(
    "other",
    [
        message(user="UOTHER", bot_id="BOTHER", app_id="AOTHER"),
        message(user="UOTHER"),
        message(bot_id="BOTHER", app_id="AOURS"),
        message(bot_id="BOURS", app_id="AOTHER"),
        message(nonce="cd" * 16, **OURS),
        message(nonce=None, **OURS),
        message(post_id="card:v-2", **OURS),
        {**message(**OURS), "metadata": None},
    ],
)
async def test_a_message_of_another_app_or_with_another_mark_is_not(other: Json) -> None:
    assert not await found(other)


async def test_a_post_of_an_earlier_version_is_known_by_its_author_and_id() -> None:
    earlier = replace(MARK, nonce="")
    assert await found(message(nonce=None, **OURS), earlier)
    assert not await found(message(nonce=None, bot_id="BOTHER", app_id="AOTHER"), earlier)
