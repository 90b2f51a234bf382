"""The bot's one HTTP server."""

from bot.config import Secrets, Settings
from bot.forgetting.service import ForgetService
from bot.reports.status import StatusReport
from bot.slack.service import SlackService
from bot.web.local_control import LocalControl
from bot.web.server import Routes, Server, TraceIntake


def build(
    settings: Settings,
    secrets: Secrets,
    slack: SlackService,
    traces: TraceIntake,
    forgetting: ForgetService,
    status: StatusReport,
) -> Server:
    """Build the server. Raises `SettingsError` if others could reach it without a token."""
    control = LocalControl(settings.data, forgetting)
    routes = Routes(
        traces=traces,
        status=status,
        forget=control.forget,
        token=secrets.ingest_token,
        slack=None if secrets.app_token else slack.app,
    )
    return Server(settings.ingest, routes, control)
