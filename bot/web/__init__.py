"""The bot's one HTTP server."""

from bot.forgetting.service import ForgetService
from bot.reports.status import StatusReport
from bot.resources import Resources
from bot.web.local_control import LocalControl
from bot.web.server import Routes, Server, TraceIntake


def build(
    resources: Resources,
    traces: TraceIntake,
    forgetting: ForgetService,
    status: StatusReport,
) -> Server:
    """Build the server. Raises `SettingsError` if others could reach it without a token."""
    control = LocalControl(resources.settings.data, forgetting)
    routes = Routes(
        traces=traces,
        status=status,
        forget=control.forget,
        token=resources.secrets.ingest_token,
        slack=None if resources.secrets.app_token else resources.slack.app,
    )
    return Server(resources.settings.ingest, routes, control)
