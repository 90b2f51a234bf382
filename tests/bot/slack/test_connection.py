"""The connection to Slack: tried again by the supervisor, and reported while it does not stand."""

from collections.abc import AsyncIterator

import pytest

from bot.config import Secrets
from bot.runtime.health import HealthRegistry
from bot.runtime.metrics import Metrics
from bot.runtime.supervisor import supervise
from bot.sandbox import SlackServer, Workspace
from bot.slack.client import patient_client
from bot.slack.connection import Connection, build_app
from bot.slack.dispatch import SlackDispatcher
from bot.slack.errors import SlackUnavailableError
from memalign.records import Json
from storage.database import Database


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with SlackServer(Workspace()) as ready:
        yield ready


def connection_to(slack: SlackServer, app_token: str, database: Database) -> Connection:
    secrets = Secrets(
        bot_token=slack.bot_token,
        app_token=app_token,
        signing_secret="" if app_token else slack.signing_secret,
        ingest_token="",
        api_url=slack.api_url,
    )
    client = patient_client(secrets)
    app = build_app(secrets, client)
    return Connection(app, secrets, SlackDispatcher(app, database.deliveries, Metrics(), client.clock))


@pytest.fixture
async def connection(slack: SlackServer, database: Database) -> AsyncIterator[Connection]:
    """A connection by Socket Mode."""
    ready = connection_to(slack, slack.app_token, database)
    yield ready
    await ready.close()


@pytest.fixture
def http_connection(slack: SlackServer, database: Database) -> Connection:
    """HTTP mode, where Slack only has to answer."""
    return connection_to(slack, "", database)


async def test_it_is_up_once_it_has_connected(connection: Connection) -> None:
    assert not await connection.is_up()
    assert await connection.session() is None
    await connection.connect()
    assert await connection.is_up()
    assert await connection.session() is not None


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"error": "internal_error"}, "Slack does not work at the moment; I'll try again by myself"),
        ({"body": "<html>oops"}, "Slack does not work at the moment; I'll try again by myself"),
        ({"body": "[]"}, "Slack does not work at the moment; I'll try again by myself"),
    ],
)
async def test_a_slack_that_does_not_let_it_in_is_told_in_words(
    slack: SlackServer, http_connection: Connection, fault: Json, reason: str
) -> None:
    slack.faults.fail_next("auth.test", **fault)
    with pytest.raises(SlackUnavailableError, match=reason):
        await http_connection.connect()
    assert not await http_connection.is_up()


async def test_it_is_tried_again_until_it_stands(slack: SlackServer, http_connection: Connection) -> None:
    slack.faults.fail_next("auth.test", error="internal_error", times=2)
    health, reasons = HealthRegistry(), []

    async def pause(_: float) -> None:
        reasons.append(health.reason("background", "connecting to Slack"))

    await supervise("connecting to Slack", http_connection.connect, health, pause=pause)
    assert await http_connection.is_up()
    assert len(reasons) == 2
    assert all("Slack" in (reason or "") for reason in reasons)
    assert health.problems() == ()


async def test_a_closed_connection_has_no_session(connection: Connection) -> None:
    await connection.connect()
    first = await connection.session()
    await connection.close()
    assert await connection.session() is None
    assert first is not None


async def test_closing_twice_does_nothing(connection: Connection) -> None:
    await connection.connect()
    await connection.close()
    await connection.close()
    assert not await connection.is_up()
