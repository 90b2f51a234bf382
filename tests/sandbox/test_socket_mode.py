from typing import Any

from slack_bolt.app.async_app import AsyncApp

from bot.sandbox.records import Payload
from tests.sandbox.scene import Scene, bolt_app, connected, recording_app


async def test_a_message_reaches_the_app_once_with_what_slack_sends(scene: Scene) -> None:
    app, heard = recording_app(scene)
    async with connected(scene, app):
        ts = scene.workspace.post(scene.ana.id, scene.channel.id, "tom & <jerry>")
        await scene.server.settled()
    (event,) = heard.of("message")
    assert event["text"] == "tom &amp; &lt;jerry&gt;"
    assert (event["user"], event["ts"], event["channel_type"]) == (scene.ana.id, ts, "channel")
    assert [delivery.attempts for delivery in scene.server.deliveries] == [1]


async def test_a_command_is_answered_ephemerally(scene: Scene) -> None:
    app = bolt_app(scene)

    @app.command("/memalign")
    async def answer(ack: Any, command: Payload, respond: Any) -> None:
        await ack()
        await respond(f"you said {command['text']}")

    async with connected(scene, app):
        assert await scene.server.command(scene.ana.id, scene.channel.id, "/memalign", "help") == {}
        await _until_answered(scene, app)
    (told,) = scene.server.ephemerals
    assert (told.user, told.channel, told.text) == (scene.ana.id, scene.channel.id, "you said help")


async def _until_answered(scene: Scene, app: AsyncApp) -> None:
    del app
    import asyncio

    while not scene.server.ephemerals:
        await asyncio.sleep(0.001)
