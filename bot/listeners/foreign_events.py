"""Events of another app or another workspace: acknowledged, and nothing follows from them."""

import logging
from collections.abc import Awaitable, Callable

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from bot.slack.identity import BotIdentity, IdentityLookup
from memalign.records import Json

log = logging.getLogger(__name__)


def listen(app: AsyncApp, identity: IdentityLookup) -> None:
    """Register the check before all listeners."""

    @app.middleware
    async def ignore_foreign(
        body: dict[str, Json], next_: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        # by the signature or the socket Slack vouches for the app; while it does not say more, nothing is lost
        ours = await identity.read_soon()
        if ours is not None and is_foreign(body, ours):
            log.debug("ignored a %s of another app or workspace", body.get("type") or "command")
            return BoltResponse(status=200, body="")
        return await next_()


def is_foreign(body: dict[str, Json], ours: BotIdentity) -> bool:
    """Return whether a payload is for another app, or for our app in another workspace.

    The `team` of a click or a modal may be that of the person, who may be of a connected workspace; so only events
    and commands are asked for it. Of an event in a shared channel the `authorizations` tell where the app is
    installed (https://docs.slack.dev/apis/events-api, "Event authorizations").
    """
    app_id = body.get("api_app_id")
    if app_id and ours.app_id and app_id != ours.app_id:
        return True
    teams = {each.get("team_id") for each in body.get("authorizations") or []} - {None}
    teams = teams or {body.get("context_team_id") or body.get("team_id")} - {None}
    return bool(teams) and ours.team_id not in teams
