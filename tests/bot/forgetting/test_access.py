"""Permission to forget."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.forgetting.access import ForgetAccess
from bot.forgetting.scope import ForgetScope
from bot.slack.channel_members import ChannelMembers
from bot.slack.errors import SlackRefusedError
from bot.slack.identity import IdentityLookup
from bot.slack.users import People
from memalign.records import ForgetTarget, PersonTarget, TraceTarget, Verdict
from storage.records import StoredVerdict
from tests.bot.bot_in_workspace import settings_for

TRACE, BEN = TraceTarget(trace_id="tr-1"), PersonTarget(person="ben")

STANDINGS = {
    "guest": {"is_restricted": True},
    "guest of one channel": {"is_restricted": True, "is_ultra_restricted": True},
    "stranger": {"is_stranger": True},
}


class Pages:
    """Slack's answer to `conversations.members`, page by page."""

    def __init__(self, *pages: list[str]) -> None:
        self._pages = pages

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        for members in self._pages:
            yield {"members": members}


class FakeClient:
    """Knows the members of channels; remembers the channels it was asked about."""

    def __init__(self, channels: Mapping[str, list[str]]) -> None:
        self._channels = channels
        self.asked: list[str] = []

    async def conversations_members(self, *, channel: str, limit: int) -> Pages:
        assert limit > 0
        self.asked.append(channel)
        if channel not in self._channels:
            raise SlackRefusedError("channel_not_found")
        return Pages([], *([person] for person in self._channels[channel]))

    async def users_info(self, *, user: str) -> dict[str, Any]:
        return {"user": {"id": user, **STANDINGS.get(user, {})}}


def scope(target: ForgetTarget, *channels: str) -> ForgetScope:
    verdicts = tuple(
        StoredVerdict(
            verdict_id=f"v-{channel}",
            verdict=Verdict(judge="politeness", trace_id="tr-1", value=True, rationale=""),
            judged_ms=0,
            channel=channel,
        )
        for channel in channels
    )
    return ForgetScope(target=target, verdicts=verdicts)


def access(fake: FakeClient, *named: str, teach: str = "members") -> ForgetAccess:
    settings = settings_for(Path(), "C1", access={"forget": list(named), "teach": teach})
    client = cast("AsyncWebClient", fake)
    return ForgetAccess(settings, ChannelMembers(client), People(client, IdentityLookup(client)))


@pytest.mark.parametrize(
    ("target", "channels", "allowed"),
    [
        (TRACE, ["C1"], True),
        (TRACE, ["C2"], False),
        (TRACE, ["C1", "C2"], False),
        (TRACE, ["C1", "C3"], True),
        (TRACE, ["C1", "C8"], False),
        (TRACE, [], True),
        (BEN, ["C1"], False),
        (BEN, [], False),
        (PersonTarget(person="ana"), ["C2", "C8"], True),
    ],
)
async def test_a_trace_takes_membership_of_every_channel_that_shows_it_and_words_are_ones_own(
    target: ForgetTarget, channels: list[str], allowed: bool
) -> None:
    client = FakeClient({"C1": ["ben", "ana"], "C2": ["ben"], "C3": ["ana"]})
    assert await access(client).allows("ana", scope(target, *channels)) is allowed


@pytest.mark.parametrize("target", [TRACE, BEN])
async def test_who_is_named_may_forget_everything_and_nobody_else(target: ForgetTarget) -> None:
    client = FakeClient({"C1": ["ana", "ben", "cem"]})
    allowed = [
        person for person in ("ana", "cem") if await access(client, "ana").allows(person, scope(target, "C1"))
    ]
    assert allowed == ["ana"]
    assert await access(client, "ana").allows("ben", scope(BEN, "C1"))
    assert client.asked == []


@pytest.mark.parametrize("person", STANDINGS)
async def test_whoever_does_not_belong_to_the_workspace_forgets_only_where_everybody_teaches(
    person: str,
) -> None:
    client = FakeClient({"C1": [person]})
    assert not await access(client).allows(person, scope(TRACE, "C1"))
    assert await access(client, teach="everybody").allows(person, scope(TRACE, "C1"))
    assert await access(client).allows(person, scope(PersonTarget(person=person), "C1"))


async def test_who_may_know_of_a_trace_is_in_a_channel_that_shows_it() -> None:
    client = FakeClient({"C1": ["ana"], "C2": ["ben"]})
    assert await access(client).may_know("ana", scope(TRACE, "C1", "C2"))
    assert not await access(client).may_know("ana", scope(TRACE, "C2"))
    assert await access(client, "ana").may_know("ana", scope(TRACE, "C2"))
    assert await access(client).may_know_all("ana")
    assert not await access(client).may_know_all("ben")
