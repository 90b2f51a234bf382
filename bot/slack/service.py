"""Everything the bot needs of Slack, opened and closed together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from slack_bolt.app.async_app import AsyncApp

from bot.config import Secrets
from bot.runtime.metrics import Metrics
from bot.runtime.reference_clock import ReferenceClock
from bot.slack.channel_members import ChannelMembers
from bot.slack.chart_support import ChartSupport
from bot.slack.client import SlackClient, patient_client, single_try_client
from bot.slack.connection import Connection, build_app, check_tokens
from bot.slack.dispatch import SlackDispatcher
from bot.slack.identity import IdentityLookup
from bot.slack.request_metrics import request_counts
from bot.slack.users import People
from storage.deliveries import DeliveryLog


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackService:
    """The Bolt app, two clients, the connection, the bot's identity, people, and who is in a channel."""

    app: AsyncApp
    client: SlackClient
    """Repeats calls after a lost connection."""
    posting_client: SlackClient
    """Never repeats a call by itself."""
    dispatcher: SlackDispatcher
    connection: Connection
    identity: IdentityLookup
    people: People
    members: ChannelMembers
    charts: ChartSupport

    @property
    def clock(self) -> ReferenceClock:
        """Slack's clock, as its answers tell it."""
        return self.client.clock


@asynccontextmanager
async def open_slack(
    secrets: Secrets, deliveries: DeliveryLog, metrics: Metrics
) -> AsyncIterator[SlackService]:
    """Check the tokens, and close the connection in the end. Raises `SettingsError` for a refused token."""
    counts = (request_counts(metrics),)
    client = patient_client(secrets, trace_configs=counts)
    app = build_app(secrets, client)
    await check_tokens(app, secrets)
    identity = IdentityLookup(client)
    dispatcher = SlackDispatcher(app, deliveries, metrics, client.clock)
    connection = Connection(app, secrets, dispatcher, trace_configs=counts)
    try:
        yield SlackService(
            app=app,
            client=client,
            posting_client=single_try_client(secrets, trace_configs=counts),
            dispatcher=dispatcher,
            connection=connection,
            identity=identity,
            people=People(client, identity),
            members=ChannelMembers(client),
            charts=ChartSupport(),
        )
    finally:
        await connection.close()
