"""Socket Mode: what is malformed is acknowledged, ignored and counted; what failed here is sent again."""

import logging
from collections.abc import AsyncIterator

import pytest
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.config import Secrets
from bot.runtime.metrics import Metrics
from bot.slack.client import patient_client
from bot.slack.connection import build_app
from bot.slack.dispatch import SlackDispatcher
from bot.slack.socket_mode import SocketModeReceiver
from memalign.records import Json
from storage.database import Database


class RecordingClient:
    """Records acknowledgements."""

    logger = logging.getLogger(__name__)

    def __init__(self) -> None:
        self.acknowledged: list[str] = []

    async def send_socket_mode_response(self, response: SocketModeResponse) -> None:
        self.acknowledged.append(response.envelope_id)


class Receiver:
    """A receiver whose listener counts home tabs, and fails as it is told."""

    def __init__(self, database: Database) -> None:
        secrets = Secrets(bot_token="xoxb-1", app_token="xapp-1", signing_secret="")
        slack = patient_client(secrets)
        app = build_app(secrets, slack)
        self.dispatcher = SlackDispatcher(app, database.deliveries, Metrics(), slack.clock)
        self.receiver = SocketModeReceiver(app, "xapp-1", app.client, self.dispatcher)
        self.client = RecordingClient()
        self.opened = 0
        self.failures = 0

        @app.event("app_home_opened")
        async def opened() -> None:
            self.opened += 1
            if self.opened <= self.failures:
                raise OSError("no store")

    async def close(self) -> None:
        await self.receiver.close_async()  # type: ignore[no-untyped-call] # slack_sdk gives no types here

    async def receive(self, payload: Json, envelope_id: str = "e") -> None:
        request = SocketModeRequest(type="events_api", envelope_id=envelope_id, payload=payload)
        await self.receiver.handle(self.client, request)  # type: ignore[arg-type] # as far as it is used

    async def receive_message(self, message: Json) -> None:
        """Hand the whole message to the listeners that see it before it is a request."""
        for listener in self.receiver.client.message_listeners:
            await listener(self.client, message, "")  # type: ignore[call-arg, arg-type, misc] # typed as a class


@pytest.fixture
async def receiver(database: Database) -> AsyncIterator[Receiver]:
    ready = Receiver(database)
    yield ready
    await ready.close()


HOME: Json = {"type": "event_callback", "event_id": "E1", "event": {"type": "app_home_opened", "user": "U1"}}


@pytest.mark.parametrize(
    "payload",
    [
        "text",
        {},
        {"type": "event_callback", "event": None},
        {"type": "block_actions", "user": 5},
        {"type": [1]},
    ],
)
async def test_a_malformed_payload_is_acknowledged_and_counted(receiver: Receiver, payload: Json) -> None:
    await receiver.receive(payload)
    assert receiver.client.acknowledged == ["e"]
    assert receiver.dispatcher.refusals["payload"] == 1
    await receiver.receive(HOME)
    assert receiver.opened == 1


@pytest.mark.parametrize("payload", [None, 5, [], True])
async def test_an_envelope_without_a_payload_is_acknowledged_and_counted(
    receiver: Receiver, payload: Json
) -> None:
    await receiver.receive_message({"type": "events_api", "envelope_id": "e", "payload": payload})
    await receiver.receive_message({"type": "hello"})
    assert receiver.client.acknowledged == ["e"]
    assert receiver.dispatcher.refusals["payload"] == 1


async def test_what_nobody_listens_to_is_acknowledged(receiver: Receiver) -> None:
    await receiver.receive({"type": "shortcut", "callback_id": "unknown", "user": {"id": "U1"}})
    assert receiver.client.acknowledged == ["e"]


async def test_a_failure_is_not_acknowledged_and_its_repetition_is_handled_once(receiver: Receiver) -> None:
    receiver.failures = 1
    for envelope_id in ("e1", "e2", "e3"):
        await receiver.receive(HOME, envelope_id)
    assert receiver.client.acknowledged == ["e2", "e3"]
    assert receiver.opened == 2
