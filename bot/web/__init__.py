"""The bot's one HTTP server."""

from collections.abc import Awaitable, Callable, Sequence

from bot.forgetting.service import ForgetService
from bot.learning.guideline_service import GuidelineService
from bot.learning.rollback_service import RollbackService
from bot.records import ReceiverFigures
from bot.reports.recent_agreement import RecentAgreementReader
from bot.reports.status import StatusReport
from bot.resources import Resources
from bot.slack.signature_health import SignatureHealth
from bot.slack.slack_time import SlackTime
from bot.web.connections import ConnectionTable
from bot.web.intakes import Intakes
from bot.web.local_control import LocalControl
from bot.web.request_body import BodyReader
from bot.web.routes import Routes
from bot.web.server import Server
from bot.web.slack_events import SlackEvents

__all__ = ["Intakes", "build"]


def build(
    resources: Resources,
    intakes: Intakes,
    forgetting: ForgetService,
    guidelines: GuidelineService,
    rollbacks: RollbackService,
    status: StatusReport,
    receivers: Callable[[], Awaitable[Sequence[ReceiverFigures]]],
) -> Server:
    """Build the server. Raises `SettingsError` if others could reach it without a token."""
    settings, secrets, slack = resources.settings, resources.secrets, resources.slack
    dispatcher = slack.dispatcher
    control = LocalControl(settings.data, forgetting, guidelines, rollbacks)
    signatures = SignatureHealth(resources.health)
    events = SlackEvents(dispatcher, secrets.signing_secret, signatures, SlackTime(slack.client))
    routes = Routes(
        intakes=intakes,
        trace_bodies=BodyReader(settings.ingest.max_body),
        status=status,
        agreements=RecentAgreementReader(settings, resources.database),
        forget=control.forget,
        guideline=control.guideline,
        memory=control.memory,
        token=secrets.ingest_token,
        slack=None if secrets.app_token else events.post,
        refusals=dispatcher.refusals,
        receivers=receivers,
    )
    return Server(settings.ingest, routes, control, ConnectionTable())
