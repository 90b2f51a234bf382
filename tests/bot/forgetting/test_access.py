"""Who may forget what."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.forgetting.access import ForgetAccess
from bot.forgetting.scope import ForgetScope
from bot.slack.channel_members import ChannelMembers
from memalign.records import ForgetTarget, PersonTarget, TraceTarget, Verdict
from storage.records import StoredVerdict
from tests.bot.bot_in_workspace import settings_for

TRACE, BEN = TraceTarget(trace_id="tr-1"), PersonTarget(person="ben")


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
            raise SlackApiError("no", {"error": "channel_not_found"})  # type: ignore[no-untyped-call] # slack_sdk gives no types here
        return Pages([], *([person] for person in self._channels[channel]))


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


def access(client: FakeClient, *named: str) -> ForgetAccess:
    settings = settings_for(Path(), "C1", access={"forget": list(named)})
    return ForgetAccess(settings, ChannelMembers(cast("AsyncWebClient", client)))


@pytest.mark.parametrize(
    ("target", "channels", "asked_in", "allowed"),
    [
        (TRACE, ["C1"], "C1", True),
        (TRACE, ["C1"], "C9", True),
        (TRACE, ["C2"], "C9", False),
        (TRACE, ["C1", "C2"], "C9", True),
        (TRACE, ["C8"], "C9", False),
        (TRACE, [], "C9", True),
        (BEN, ["C1"], "C9", True),
        (BEN, ["C1", "C2"], "C1", False),
        (BEN, ["C1", "C3"], "C9", True),
        (BEN, ["C1", "C8"], "C1", False),
        (BEN, [], "C9", True),
        (PersonTarget(person="ana"), ["C2", "C8"], "C9", True),
    ],
)
async def test_where_nobody_is_named_membership_decides(
    target: ForgetTarget, channels: list[str], asked_in: str, allowed: bool
) -> None:
    client = FakeClient({"C1": ["ben", "ana"], "C2": ["ben"], "C3": ["ana"]})
    assert await access(client).allows("ana", asked_in, scope(target, *channels)) is allowed


@pytest.mark.parametrize("target", [TRACE, BEN])
async def test_who_is_named_may_forget_everything_and_nobody_else(target: ForgetTarget) -> None:
    client = FakeClient({"C1": ["ana", "ben", "cem"]})
    allowed = [
        person
        for person in ("ana", "cem")
        if await access(client, "ana").allows(person, "C1", scope(target, "C1"))
    ]
    assert allowed == ["ana"]
    assert await access(client, "ana").allows("ben", "C1", scope(BEN, "C1"))
    assert client.asked == []


async def test_slack_is_not_asked_about_the_channel_one_asks_in() -> None:
    client = FakeClient({})
    assert await access(client).allows("ana", "C1", scope(TRACE, "C1", "C2"))
    assert client.asked == []
