"""The bot's one HTTP server."""

from bot.config import Secrets, Settings
from bot.forgetting.service import ForgetService
from bot.reports.status import StatusReport
from bot.runtime.health import HealthRegistry
from bot.slack.service import SlackService
from bot.slack.signature_health import SignatureHealth
from bot.web.local_control import LocalControl
from bot.web.request_body import BodyReader
from bot.web.routes import Routes, TraceIntake
from bot.web.server import Server
from bot.web.slack_events import SlackEvents


def build(
    settings: Settings,
    secrets: Secrets,
    slack: SlackService,
    traces: TraceIntake,
    forgetting: ForgetService,
    status: StatusReport,
    health: HealthRegistry,
) -> Server:
    """Build the server. Raises `SettingsError` if others could reach it without a token."""
    control = LocalControl(settings.data, forgetting)
    events = SlackEvents(slack.dispatcher, secrets.signing_secret, SignatureHealth(health))
    routes = Routes(
        traces=traces,
        trace_bodies=BodyReader(settings.ingest.max_body),
        status=status,
        forget=control.forget,
        token=secrets.ingest_token,
        slack=None if secrets.app_token else events.post,
        refusals=slack.dispatcher.refusals,
    )
    return Server(settings.ingest, routes, control)
