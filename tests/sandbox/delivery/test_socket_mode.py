from typing import Any

import aiohttp
import pytest

from bot.sandbox import SlackServer, Workspace
from tests.sandbox.bolt_app import Sandbox, bolt_app, connected, opened, recording_app, until


async def test_a_message_reaches_the_app_once_with_what_slack_sends(sandbox: Sandbox) -> None:
    app, recorded = recording_app(sandbox)
    async with connected(sandbox, app):
        ts = sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "tom & <jerry> https://a.b/?c=1&d=2")
        await sandbox.server.settled()
    (event,) = recorded.of("message")
    assert event["text"] == "tom &amp; &lt;jerry&gt; <https://a.b/?c=1&amp;d=2>"
    assert (event["user"], event["ts"], event["channel_type"]) == (sandbox.ana.id, ts, "channel")
    assert [(delivery.attempts, delivery.acked) for delivery in sandbox.server.deliveries] == [(1, True)]


async def test_every_way_to_change_a_thread_makes_its_event(sandbox: Sandbox) -> None:
    app, recorded = recording_app(sandbox)
    ana, channel, workspace = sandbox.ana.id, sandbox.channel.id, sandbox.workspace
    async with connected(sandbox, app):
        parent = workspace.post(ana, channel, "card")
        reply = workspace.post(ana, channel, "curt", parent)
        workspace.edit(ana, channel, reply, "too curt")
        workspace.unfurl(channel, reply)
        workspace.delete(ana, channel, parent)
        workspace.delete(ana, channel, reply)
        await sandbox.server.settled()
    events = recorded.of("message")
    assert [event.get("subtype") for event in events] == [
        None,
        None,
        "message_changed",
        "message_changed",
        "message_changed",
        "message_deleted",
        "message_deleted",
    ]
    assert (events[1]["thread_ts"], events[1]["parent_user_id"]) == (parent, ana)
    assert events[2]["message"]["edited"]["user"] == ana
    assert events[2]["previous_message"]["text"] == "curt"
    assert events[3]["message"]["text"] == events[3]["previous_message"]["text"]
    assert events[4]["message"]["subtype"] == "tombstone"
    assert [event["deleted_ts"] for event in events[5:]] == [reply, parent]


async def test_reactions_name_the_message_and_its_author(sandbox: Sandbox) -> None:
    app, recorded = recording_app(sandbox)
    posted = await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="card")
    async with connected(sandbox, app):
        sandbox.workspace.react(sandbox.ana.id, sandbox.channel.id, posted["ts"], "+1::skin-tone-3")
        sandbox.workspace.unreact(sandbox.ana.id, sandbox.channel.id, posted["ts"], "+1::skin-tone-3")
        await sandbox.server.settled()
    (added,) = recorded.of("reaction_added")
    (removed,) = recorded.of("reaction_removed")
    assert added["item"] == {"type": "message", "channel": sandbox.channel.id, "ts": posted["ts"]}
    assert added["item_user"] == sandbox.workspace.bot.id
    assert (added["reaction"], removed["reaction"]) == ("+1::skin-tone-3", "+1::skin-tone-3")


async def test_the_bots_own_messages_come_back_as_events_marked_as_its_own(sandbox: Sandbox) -> None:
    posted = await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="card")
    await sandbox.client.chat_update(channel=sandbox.channel.id, ts=posted["ts"], text="other card")
    await sandbox.client.chat_delete(channel=sandbox.channel.id, ts=posted["ts"])
    first, second, third = (delivery.payload["event"] for delivery in sandbox.server.deliveries)
    assert (first["bot_id"], first["user"]) == (sandbox.workspace.bot_id, sandbox.workspace.bot.id)
    assert second["message"]["bot_id"] == sandbox.workspace.bot_id
    assert (third["subtype"], third["deleted_ts"]) == ("message_deleted", posted["ts"])


async def test_nothing_is_sent_from_channels_without_the_bot(sandbox: Sandbox) -> None:
    hidden = sandbox.workspace.add_channel("hidden", members=[sandbox.ana.id], bot_is_member=False)
    ts = sandbox.workspace.post(sandbox.ana.id, hidden.id, "secret")
    sandbox.workspace.react(sandbox.ana.id, hidden.id, ts, "+1")
    assert sandbox.server.deliveries == []


@pytest.mark.parametrize(
    "server",
    [
        SlackServer(Workspace(), subscribed={"message.channels"}),
        SlackServer(Workspace(), scopes={"channels:history"}),
    ],
    ids=["not subscribed", "scope missing"],
)
async def test_only_events_with_subscription_and_scope_are_sent(server: SlackServer) -> None:
    async with opened(server) as sandbox:
        ts = sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "hi")
        sandbox.workspace.react(sandbox.ana.id, sandbox.channel.id, ts, "+1")
        assert [delivery.payload["event"]["type"] for delivery in server.deliveries] == ["message"]


async def test_an_event_nobody_listens_to_is_sent_again_and_given_up() -> None:
    server = SlackServer(Workspace(), retries=(0.0, 0.01, 0.02), ack_timeout=0.1)
    async with opened(server) as sandbox, connected(sandbox, bolt_app(sandbox)):
        sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "hi")
        await server.settled()
    (delivery,) = server.deliveries
    assert (delivery.attempts, delivery.acked, delivery.failure) == (4, False, "timeout")


async def test_a_lost_acknowledgement_brings_the_same_event_again(sandbox: Sandbox) -> None:
    app = bolt_app(sandbox)
    seen: list[tuple[str, list[str] | None]] = []

    @app.event("message")
    async def note(body: dict[str, Any], request: Any) -> None:
        seen.append((body["event_id"], request.headers.get("x-slack-retry-num")))

    async with connected(sandbox, app):
        sandbox.server.faults.drop_acks(1)
        sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "hi")
        await sandbox.server.settled()
        sandbox.server.faults.redeliver_last()
        await sandbox.server.settled()
        await until(lambda: len(seen) == 3)
    assert len({event_id for event_id, _ in seen}) == 1
    assert [retry for _, retry in seen] == [["0"], ["1"], ["2"]]


async def test_events_wait_for_a_connection(sandbox: Sandbox) -> None:
    app, recorded = recording_app(sandbox)
    sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "while it was away")
    async with connected(sandbox, app):
        await sandbox.server.settled()
    assert len(recorded.of("message")) == 1


async def test_the_app_comes_back_after_a_disconnect(sandbox: Sandbox) -> None:
    app, recorded = recording_app(sandbox)
    async with connected(sandbox, app):
        for announce in (True, False):
            await sandbox.server.faults.disconnect(announce=announce)
            await sandbox.server.connected()
            sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, f"after it, announced: {announce}")
            await sandbox.server.settled()
    assert all(delivery.acked for delivery in sandbox.server.deliveries)
    assert {event["text"] for event in recorded.of("message")} == {
        "after it, announced: True",
        "after it, announced: False",
    }


async def test_a_ticket_opens_one_socket_and_an_eleventh_socket_is_refused(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as session:
        address = await _address(sandbox)
        first = await session.ws_connect(address)
        assert (await first.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(address)
        others = [await session.ws_connect(await _address(sandbox)) for _ in range(9)]
        assert [(await other.receive_json())["num_connections"] for other in others][-1] == 10
        eleventh = await session.ws_connect(await _address(sandbox))
        assert (await eleventh.receive_json())["reason"] == "too_many_websockets"


async def test_each_payload_goes_to_one_of_the_sockets(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(await _address(sandbox)) for _ in range(2)]
        for socket in sockets:
            await socket.receive_json()
        for number in range(2):
            sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, str(number))
        envelopes = [await socket.receive_json() for socket in sockets]
        for socket, envelope in zip(sockets, envelopes, strict=True):
            await socket.send_json({"envelope_id": envelope["envelope_id"]})
        await sandbox.server.settled()
    assert {envelope["payload"]["event"]["text"] for envelope in envelopes} == {"0", "1"}
    assert all(delivery.attempts == 1 for delivery in sandbox.server.deliveries)


async def test_settled_says_when_something_is_still_under_way(sandbox: Sandbox) -> None:
    sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "nobody is there")
    with pytest.raises(TimeoutError):
        await sandbox.server.settled(timeout=0.01)


async def _address(sandbox: Sandbox) -> str:
    opened = await sandbox.client.apps_connections_open(app_token=sandbox.server.app_token)
    return str(opened["url"])
