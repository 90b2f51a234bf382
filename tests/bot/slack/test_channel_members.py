"""Membership of channels, asked of the embedded Slack."""

from collections.abc import AsyncIterator

import pytest

from bot.config import Secrets
from bot.sandbox import Channel, SlackServer, Workspace
from bot.slack.channel_members import MEMBERS_PER_PAGE, ChannelMembers
from bot.slack.client import patient_client


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
