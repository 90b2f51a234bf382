"""Events of another app, or of our app in another workspace: acknowledged and ignored."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.listeners.foreign_events import is_foreign
from bot.sandbox import Message
from bot.slack.identity import BotIdentity
from memalign.records import Json
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.bot.slack.signed_requests import post_command, post_event, post_interaction

OURS = BotIdentity(team_id="TOURS", bot_id="BOURS", app_id="AOURS")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, False),
        ({"team_id": "TOURS", "api_app_id": "AOURS"}, False),
        ({"team_id": "TOTHER"}, True),
        ({"api_app_id": "AOTHER"}, True),
        ({"team_id": "TOURS", "api_app_id": "AOTHER"}, True),
        ({"team_id": "TOTHER", "authorizations": [{"team_id": "TOURS"}]}, False),
        ({"team_id": "TOURS", "authorizations": [{"team_id": "TOTHER"}]}, True),
        ({"team_id": "TOTHER", "context_team_id": "TOURS"}, False),
        ({"team": {"id": "TOTHER"}, "api_app_id": "AOURS", "type": "view_submission"}, False),
    ],
)
def test_an_event_is_ours_by_its_app_and_by_where_the_app_is_installed(body: Json, expected: bool) -> None:
    assert is_foreign(body, OURS) is expected


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path, http=True) as ready:
        yield ready


def thumb(harness: BotInWorkspace, card: Message) -> Json:
    item = {"type": "message", "channel": card.channel, "ts": card.ts}
    at = f"{time.time():.6f}"
    return {"type": "reaction_added", "user": harness.ana.id, "reaction": "-1", "item": item, "event_ts": at}


@pytest.mark.parametrize("origin", [{"team_id": "T0OTHER"}, {"api_app_id": "A0OTHER"}])
async def test_a_signed_event_of_another_team_or_app_counts_nothing(
    harness: BotInWorkspace, origin: dict[str, str]
) -> None:
    card = await harness.show()
    ours = {"team_id": harness.workspace.team_id, "api_app_id": harness.workspace.app_id}
    assert await post_event(harness, thumb(harness, card), **{**ours, **origin}) == 200
    assert await harness.feedback(card) == {}
    assert await post_event(harness, thumb(harness, card), **ours, event_id="Ev2") == 200
    assert (await harness.feedback(card))["ana"].vote == "down"


async def test_a_command_and_a_press_of_another_app_are_not_answered(harness: BotInWorkspace) -> None:
    card = await harness.show()
    other = {"api_app_id": "A0OTHER"}
    command = {"command": "/memalign", "text": "guidelines", "user_id": harness.ana.id}
    place = {"channel_id": harness.channel.id, "team_id": harness.workspace.team_id}
    url = f"{harness.slack.url}/response/none"
    assert await post_command(harness, **command, **place, **other, response_url=url, trigger_id="t") == 200
    press = {
        "type": "block_actions",
        "user": {"id": harness.ana.id},
        "team": {"id": harness.workspace.team_id},
        "channel": {"id": card.channel},
        "container": {"message_ts": card.ts, "channel_id": card.channel},
        "trigger_id": "t",
        "response_url": url,
        "actions": [
            {"type": "button", "block_id": "b", "action_id": "vote_down", "value": "x", "action_ts": "1.1"}
        ],
        **other,
    }
    assert await post_interaction(harness, press) == 200
    assert await harness.feedback(card) == {}
    assert harness.slack.ephemerals == []


async def test_a_press_after_leaving_the_channel_is_taken_back(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.workspace.leave(harness.ben.id, harness.channel.id)
    press = {
        "type": "block_actions",
        "user": {"id": harness.ben.id},
        "team": {"id": harness.workspace.team_id},
        "api_app_id": harness.workspace.app_id,
        "channel": {"id": card.channel},
        "container": {"message_ts": card.ts, "channel_id": card.channel},
        "trigger_id": "t",
        "response_url": f"{harness.slack.url}/response/none",
        "actions": [
            {
                "type": "button",
                "block_id": "b",
                "action_id": "vote_down",
                "value": "x",
                "action_ts": f"{time.time():.6f}",
            }
        ],
    }
    assert await post_interaction(harness, press) == 200
    await harness.learned()
    feedback = await harness.feedback(card)
    assert "ben" not in feedback or feedback["ben"].vote is None
    assert harness.labels() == {}
