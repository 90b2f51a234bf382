"""The app's event subscriptions, and the callback around each event."""

from collections.abc import Iterator

from bot.sandbox.delivery.slack_events import events_of
from bot.sandbox.workspace.changes import WorkspaceChange
from bot.sandbox.workspace.records import Payload
from bot.sandbox.workspace.workspace import Workspace

VERIFICATION_TOKEN = "sandbox"  # noqa: S105 - Slack still sends this token, but requests are verified otherwise


class EventSubscriptions:
    """Turns changes into the event callbacks that the app is subscribed to and has the scopes for."""

    def __init__(self, workspace: Workspace, scopes: frozenset[str], subscribed: frozenset[str]) -> None:
        self._workspace = workspace
        self._scopes = scopes
        self._subscribed = subscribed
        self._sent = 0

    def callbacks(self, change: WorkspaceChange) -> Iterator[Payload]:
        """Render the event callbacks for a change."""
        for event in events_of(change, self._workspace):
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
