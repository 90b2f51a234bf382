"""Membership of channels, asked of the embedded Slack."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.config import Secrets
from bot.sandbox import Channel, SlackServer, Workspace
from bot.slack.channel_members import MEMBER_SECONDS, MEMBERS_PER_PAGE, NON_MEMBER_SECONDS, ChannelMembers
from bot.slack.client import patient_client
from tests.bot.fakes import Answer, FakeSlack, refusal


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with SlackServer(Workspace()) as ready:
        yield ready


def members_of(server: SlackServer) -> ChannelMembers:
    secrets = Secrets(
        bot_token=server.bot_token,
        app_token="",
        signing_secret="",
        ingest_token="",
        api_url=server.api_url,
    )
    return ChannelMembers(patient_client(secrets))


def crowded(server: SlackServer) -> tuple[Channel, list[str]]:
    people = [server.workspace.add_user(f"user{number}").id for number in range(MEMBERS_PER_PAGE + 1)]
    return server.workspace.add_channel("crowd", members=people), people


async def test_members_beyond_the_first_page_are_members(server: SlackServer) -> None:
    channel, people = crowded(server)
    stranger = server.workspace.add_user("stranger").id
    members = members_of(server)
    assert await members.includes(channel.id, people[0])
    assert await members.includes(channel.id, people[-1])
    assert not await members.includes(channel.id, stranger)


async def test_nobody_is_a_member_while_slack_does_not_say(server: SlackServer) -> None:
    channel, people = crowded(server)
    assert not await members_of(server).includes("C0UNKNOWN00", people[0])
    server.faults.fail_next("conversations.members", error="internal_error")
    assert not await members_of(server).includes(channel.id, people[0])


class Clock:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def listed(*people: str) -> Answer:
    return Answer(data={"ok": True, "members": list(people)})


async def test_a_member_is_taken_from_the_list_of_the_last_minute_and_no_longer() -> None:
    slack, clock = FakeSlack(), Clock()
    members = ChannelMembers(slack, clock)
    slack.answers["conversations.members"].extend([listed("ana"), listed()])
    assert await members.includes("C1", "ana")
    clock.seconds += MEMBER_SECONDS - 1
    assert await members.includes("C1", "ana")
    clock.seconds += 1
    assert not await members.includes("C1", "ana")


async def test_whoever_joins_is_a_member_within_seconds() -> None:
    slack, clock = FakeSlack(), Clock()
    members = ChannelMembers(slack, clock)
    slack.answers["conversations.members"].extend([listed("ana"), listed("ana", "ben")])
    assert not await members.includes("C1", "ben")
    clock.seconds += NON_MEMBER_SECONDS
    assert await members.includes("C1", "ben")


async def test_what_cannot_be_undone_is_not_decided_by_an_older_list() -> None:
    slack = FakeSlack()
    members = ChannelMembers(slack, Clock())
    slack.answers["conversations.members"].extend([listed("ana"), listed()])
    assert await members.includes("C1", "ana")
    assert not await members.includes_now("C1", "ana")


async def test_many_questions_at_once_are_one_call_a_channel() -> None:
    slack = FakeSlack()
    members = ChannelMembers(slack)
    slack.answers["conversations.members"].extend([listed("ana"), listed("ana")])
    questions = [members.includes(channel, "ana") for channel in ("C1", "C2") for _ in range(100)]
    assert all(await asyncio.gather(*questions))
    assert len(slack.of("conversations.members")) == 2


async def test_while_slack_does_not_say_nobody_is_in_a_channel_and_nobody_has_left_it() -> None:
    slack = FakeSlack()
    members = ChannelMembers(slack)
    slack.answers["conversations.members"].append(refusal("fatal_error"))
    assert not await members.includes("C1", "ana")
    assert not await members.excludes("C1", "ana")
