import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.blocks.chart import line_chart
from bot.sandbox import SlackServer, Workspace
from tests.sandbox.bolt_app import Sandbox, opened, refusal


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


async def test_a_rate_limit_on_demand_says_when_to_come_back_and_takes_no_effect(sandbox: Sandbox) -> None:
    sandbox.server.faults.fail_next("chat.postMessage", status=429, retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="x")
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "7")
    assert sandbox.workspace.messages(sandbox.channel.id) == []
    await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="x")
    assert [(call.status, call.error) for call in sandbox.server.calls] == [(429, "ratelimited"), (200, None)]


async def test_errors_on_demand_come_as_often_as_asked(sandbox: Sandbox) -> None:
    sandbox.server.faults.fail_next("auth.test", error="account_inactive", times=2)
    assert await refusal(sandbox.client.auth_test()) == "account_inactive"
    assert await refusal(sandbox.client.auth_test()) == "account_inactive"
    assert (await sandbox.client.auth_test())["ok"]


async def test_a_server_error_is_no_json(sandbox: Sandbox) -> None:
    sandbox.server.faults.fail_next("auth.test", status=503)
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {sandbox.server.bot_token}"}
        async with session.post(f"{sandbox.server.api_url}auth.test", headers=headers) as answer:
            assert (answer.status, answer.content_type) == (503, "text/html")


async def test_a_lost_call_takes_effect_and_the_clients_repetition_doubles_it(sandbox: Sandbox) -> None:
    sandbox.server.faults.fail_next("chat.postMessage", lost=True)
    await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="x")
    assert [call.error for call in sandbox.server.calls] == ["lost", None]
    assert [message.text for message in sandbox.workspace.messages(sandbox.channel.id)] == ["x", "x"]


async def test_an_answer_held_back_comes_after_what_people_did_meanwhile(sandbox: Sandbox) -> None:
    hold = sandbox.server.faults.hold("chat.postMessage")
    posting = asyncio.create_task(sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="card"))
    await hold.reached.wait()
    (message,) = sandbox.workspace.messages(sandbox.channel.id)
    sandbox.workspace.react(sandbox.ana.id, sandbox.channel.id, message.ts, "+1")
    assert not posting.done()
    hold.release()
    assert (await posting)["ts"] == message.ts


async def test_posting_too_fast_in_one_channel_is_limited() -> None:
    clock = Clock()
    async with opened(SlackServer(Workspace(now=clock), pace=1.0)) as sandbox:
        other = sandbox.workspace.add_channel("other")
        await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="1")
        await sandbox.client.chat_postMessage(channel=other.id, text="1")
        with pytest.raises(SlackApiError) as caught:
            await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="2")
        assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "2")
        clock.seconds += 2
        await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="2")
    assert [message.text for message in sandbox.workspace.messages(sandbox.channel.id)] == ["1", "2"]


async def test_a_workspace_may_not_know_a_block_yet(sandbox: Sandbox) -> None:
    sandbox.server.faults.refuse_blocks("data_visualization")
    chart = line_chart("Agreement", "Week", "percent", ["a", "b"], {"Judge": [50, 62]})
    posting = sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="x", blocks=[chart])
    assert await refusal(posting) == "invalid_blocks"
    divider = {"type": "divider"}
    assert (await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="x", blocks=[divider]))[
        "ok"
    ]
    assert [len(message.blocks or ()) for message in sandbox.workspace.messages(sandbox.channel.id)] == [1]
