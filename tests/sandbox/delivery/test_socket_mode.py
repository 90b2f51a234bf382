from typing import Any

import aiohttp
import pytest

from bot.sandbox import SlackServer, Workspace
from tests.sandbox.bolt_app import Scene, bolt_app, connected, opened, recording_app, until


async def test_a_message_reaches_the_app_once_with_what_slack_sends(scene: Scene) -> None:
    app, heard = recording_app(scene)
    async with connected(scene, app):
        ts = scene.workspace.post(scene.ana.id, scene.channel.id, "tom & <jerry> https://a.b/?c=1&d=2")
        await scene.server.settled()
    (event,) = heard.of("message")
    assert event["text"] == "tom &amp; &lt;jerry&gt; <https://a.b/?c=1&amp;d=2>"
    assert (event["user"], event["ts"], event["channel_type"]) == (scene.ana.id, ts, "channel")
    assert [(delivery.attempts, delivery.acked) for delivery in scene.server.deliveries] == [(1, True)]


async def test_every_way_to_change_a_thread_makes_its_event(scene: Scene) -> None:
    app, heard = recording_app(scene)
    ana, channel, workspace = scene.ana.id, scene.channel.id, scene.workspace
    async with connected(scene, app):
        parent = workspace.post(ana, channel, "card")
        reply = workspace.post(ana, channel, "curt", parent)
        workspace.edit(ana, channel, reply, "too curt")
        workspace.unfurl(channel, reply)
        workspace.delete(ana, channel, parent)
        workspace.delete(ana, channel, reply)
        await scene.server.settled()
    events = heard.of("message")
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


async def test_reactions_name_the_message_and_its_author(scene: Scene) -> None:
    app, heard = recording_app(scene)
    posted = await scene.client.chat_postMessage(channel=scene.channel.id, text="card")
    async with connected(scene, app):
        scene.workspace.react(scene.ana.id, scene.channel.id, posted["ts"], "+1::skin-tone-3")
        scene.workspace.unreact(scene.ana.id, scene.channel.id, posted["ts"], "+1::skin-tone-3")
        await scene.server.settled()
    (added,) = heard.of("reaction_added")
    (removed,) = heard.of("reaction_removed")
    assert added["item"] == {"type": "message", "channel": scene.channel.id, "ts": posted["ts"]}
    assert added["item_user"] == scene.workspace.bot.id
    assert (added["reaction"], removed["reaction"]) == ("+1::skin-tone-3", "+1::skin-tone-3")


async def test_the_bots_own_messages_come_back_as_events_marked_as_its_own(scene: Scene) -> None:
    posted = await scene.client.chat_postMessage(channel=scene.channel.id, text="card")
    await scene.client.chat_update(channel=scene.channel.id, ts=posted["ts"], text="other card")
    await scene.client.chat_delete(channel=scene.channel.id, ts=posted["ts"])
    first, second, third = (delivery.payload["event"] for delivery in scene.server.deliveries)
    assert (first["bot_id"], first["user"]) == (scene.workspace.bot_id, scene.workspace.bot.id)
    assert second["message"]["bot_id"] == scene.workspace.bot_id
    assert (third["subtype"], third["deleted_ts"]) == ("message_deleted", posted["ts"])


async def test_nothing_is_sent_from_channels_without_the_bot(scene: Scene) -> None:
    hidden = scene.workspace.add_channel("hidden", members=[scene.ana.id], bot_is_member=False)
    ts = scene.workspace.post(scene.ana.id, hidden.id, "secret")
    scene.workspace.react(scene.ana.id, hidden.id, ts, "+1")
    assert scene.server.deliveries == []


@pytest.mark.parametrize(
    "server",
    [
        SlackServer(Workspace(), subscribed={"message.channels"}),
        SlackServer(Workspace(), scopes={"channels:history"}),
    ],
    ids=["not subscribed", "scope missing"],
)
async def test_only_events_with_subscription_and_scope_are_sent(server: SlackServer) -> None:
    async with opened(server) as scene:
        ts = scene.workspace.post(scene.ana.id, scene.channel.id, "hi")
        scene.workspace.react(scene.ana.id, scene.channel.id, ts, "+1")
        assert [delivery.payload["event"]["type"] for delivery in server.deliveries] == ["message"]


async def test_an_event_nobody_listens_to_is_sent_again_and_given_up() -> None:
    server = SlackServer(Workspace(), retries=(0.0, 0.01, 0.02), ack_timeout=0.1)
    async with opened(server) as scene, connected(scene, bolt_app(scene)):
        scene.workspace.post(scene.ana.id, scene.channel.id, "hi")
        await server.settled()
    (delivery,) = server.deliveries
    assert (delivery.attempts, delivery.acked, delivery.failure) == (4, False, "timeout")


async def test_a_lost_acknowledgement_brings_the_same_event_again(scene: Scene) -> None:
    app = bolt_app(scene)
    seen: list[tuple[str, list[str] | None]] = []

    @app.event("message")
    async def note(body: dict[str, Any], request: Any) -> None:
        seen.append((body["event_id"], request.headers.get("x-slack-retry-num")))

    async with connected(scene, app):
        scene.server.drop_acks(1)
        scene.workspace.post(scene.ana.id, scene.channel.id, "hi")
        await scene.server.settled()
        scene.server.redeliver_last()
        await scene.server.settled()
        await until(lambda: len(seen) == 3)
    assert len({event_id for event_id, _ in seen}) == 1
    assert [retry for _, retry in seen] == [["0"], ["1"], ["2"]]


async def test_events_wait_for_a_connection(scene: Scene) -> None:
    app, heard = recording_app(scene)
    scene.workspace.post(scene.ana.id, scene.channel.id, "while it was away")
    async with connected(scene, app):
        await scene.server.settled()
    assert len(heard.of("message")) == 1


async def test_the_app_comes_back_after_a_disconnect(scene: Scene) -> None:
    app, heard = recording_app(scene)
    async with connected(scene, app):
        for announce in (True, False):
            await scene.server.disconnect(announce=announce)
            await scene.server.connected()
            scene.workspace.post(scene.ana.id, scene.channel.id, f"after it, announced: {announce}")
            await scene.server.settled()
    assert all(delivery.acked for delivery in scene.server.deliveries)
    assert {event["text"] for event in heard.of("message")} == {
        "after it, announced: True",
        "after it, announced: False",
    }


async def test_a_ticket_opens_one_socket_and_an_eleventh_socket_is_refused(scene: Scene) -> None:
    async with aiohttp.ClientSession() as session:
        address = await _address(scene)
        first = await session.ws_connect(address)
        assert (await first.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(address)
        others = [await session.ws_connect(await _address(scene)) for _ in range(9)]
        assert [(await other.receive_json())["num_connections"] for other in others][-1] == 10
        eleventh = await session.ws_connect(await _address(scene))
        assert (await eleventh.receive_json())["reason"] == "too_many_websockets"


async def test_each_payload_goes_to_one_of_the_sockets(scene: Scene) -> None:
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(await _address(scene)) for _ in range(2)]
        for socket in sockets:
            await socket.receive_json()
        for number in range(2):
            scene.workspace.post(scene.ana.id, scene.channel.id, str(number))
        envelopes = [await socket.receive_json() for socket in sockets]
        for socket, envelope in zip(sockets, envelopes, strict=True):
            await socket.send_json({"envelope_id": envelope["envelope_id"]})
        await scene.server.settled()
    assert {envelope["payload"]["event"]["text"] for envelope in envelopes} == {"0", "1"}
    assert all(delivery.attempts == 1 for delivery in scene.server.deliveries)


async def test_settled_says_when_something_is_still_under_way(scene: Scene) -> None:
    scene.workspace.post(scene.ana.id, scene.channel.id, "nobody is there")
    with pytest.raises(TimeoutError):
        await scene.server.settled(timeout=0.01)


async def _address(scene: Scene) -> str:
    opened = await scene.client.apps_connections_open(app_token=scene.server.app_token)
    return str(opened["url"])
