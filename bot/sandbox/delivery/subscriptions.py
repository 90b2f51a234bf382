"""Which events the app gets, and the frame each one comes in."""

from collections.abc import Iterator

from bot.sandbox.delivery.slack_events import events_of
from bot.sandbox.workspace.changes import FeedbackEvent
from bot.sandbox.workspace.records import Payload
from bot.sandbox.workspace.workspace import Workspace

VERIFICATION_TOKEN = "sandbox"  # noqa: S105 - Slack's outdated token, sent but of no use


class EventStream:
    """Turns facts into event callbacks, as far as the app is subscribed to them and has the scopes."""

    def __init__(self, workspace: Workspace, scopes: frozenset[str], subscribed: frozenset[str]) -> None:
        self._workspace = workspace
        self._scopes = scopes
        self._subscribed = subscribed
        self._sent = 0

    def callbacks(self, fact: FeedbackEvent) -> Iterator[Payload]:
        """Render the event callbacks a fact makes."""
        for event in events_of(fact, self._workspace):
            granted = event.scope is None or event.scope in self._scopes
            if event.subscription in self._subscribed and granted:
                yield self._callback(event.body)

    def _callback(self, body: Payload) -> Payload:
        self._sent += 1
        workspace = self._workspace
        authorization = {
            "enterprise_id": None,
            "team_id": workspace.team_id,
            "user_id": workspace.bot.id,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        return {
            "type": "event_callback",
            "token": VERIFICATION_TOKEN,
            "team_id": workspace.team_id,
            "context_team_id": workspace.team_id,
            "context_enterprise_id": None,
            "api_app_id": workspace.app_id,
            "event": body,
            "event_id": f"Ev{int(workspace.clock.now()):X}{self._sent:06d}",
            "event_time": int(float(body["event_ts"])),
            "authorizations": [authorization],
            "is_ext_shared_channel": False,
            "event_context": f"4-{self._sent}",
        }
