import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox import SlackServer, Workspace
from tests.sandbox.bolt_app import Scene, opened, refusal


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


async def test_a_rate_limit_on_demand_says_when_to_come_back_and_takes_no_effect(scene: Scene) -> None:
    scene.server.fail_next("chat.postMessage", status=429, retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        await scene.client.chat_postMessage(channel=scene.channel.id, text="x")
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "7")
    assert scene.workspace.messages(scene.channel.id) == []
    await scene.client.chat_postMessage(channel=scene.channel.id, text="x")
    assert [(call.status, call.error) for call in scene.server.calls] == [(429, "ratelimited"), (200, None)]


async def test_errors_on_demand_come_as_often_as_asked(scene: Scene) -> None:
    scene.server.fail_next("auth.test", error="account_inactive", times=2)
    assert await refusal(scene.client.auth_test()) == "account_inactive"
    assert await refusal(scene.client.auth_test()) == "account_inactive"
    assert (await scene.client.auth_test())["ok"]


async def test_a_server_error_is_no_json(scene: Scene) -> None:
    scene.server.fail_next("auth.test", status=503)
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {scene.server.bot_token}"}
        async with session.post(f"{scene.server.api_url}auth.test", headers=headers) as answer:
            assert (answer.status, answer.content_type) == (503, "text/html")


async def test_a_lost_call_takes_effect_and_the_clients_repetition_doubles_it(scene: Scene) -> None:
    scene.server.fail_next("chat.postMessage", lost=True)
    await scene.client.chat_postMessage(channel=scene.channel.id, text="x")
    assert [call.error for call in scene.server.calls] == ["lost", None]
    assert [message.text for message in scene.workspace.messages(scene.channel.id)] == ["x", "x"]


async def test_an_answer_held_back_comes_after_what_people_did_meanwhile(scene: Scene) -> None:
    hold = scene.server.hold("chat.postMessage")
    posting = asyncio.create_task(scene.client.chat_postMessage(channel=scene.channel.id, text="card"))
    await hold.reached.wait()
    (message,) = scene.workspace.messages(scene.channel.id)
    scene.workspace.react(scene.ana.id, scene.channel.id, message.ts, "+1")
    assert not posting.done()
    hold.release()
    assert (await posting)["ts"] == message.ts


async def test_posting_too_fast_in_one_channel_is_limited() -> None:
    clock = Clock()
    async with opened(SlackServer(Workspace(now=clock), pace=1.0)) as scene:
        other = scene.workspace.add_channel("other")
        await scene.client.chat_postMessage(channel=scene.channel.id, text="1")
        await scene.client.chat_postMessage(channel=other.id, text="1")
        with pytest.raises(SlackApiError) as caught:
            await scene.client.chat_postMessage(channel=scene.channel.id, text="2")
        assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "2")
        clock.seconds += 2
        await scene.client.chat_postMessage(channel=scene.channel.id, text="2")
    assert [message.text for message in scene.workspace.messages(scene.channel.id)] == ["1", "2"]
