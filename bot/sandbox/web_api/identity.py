"""The methods about the app, its users and its team: `auth`, `api`, `apps`, `bots`, `users` and `team`."""

from collections.abc import Mapping
from urllib.parse import quote

from bot.sandbox.web_api.arguments import Arguments
from bot.sandbox.web_api.context import ApiContext, Method
from bot.sandbox.web_api.conversations import page
from bot.sandbox.web_api.objects import user_object
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Payload


def _api_test(context: ApiContext, arguments: Arguments) -> Payload:
    del context
    error = arguments.text("error")
    if error:
        raise SlackError(error)
    return {}


def _auth_test(context: ApiContext, arguments: Arguments) -> Payload:
    del arguments
    workspace = context.workspace
    return {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.name,
        "user": workspace.bot.name,
        "team_id": workspace.team_id,
        "user_id": workspace.bot.id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def _open_connection(context: ApiContext, arguments: Arguments) -> Payload:
    del arguments
    address = context.base_url().replace("http://", "ws://", 1)
    ticket = quote(context.issue_ticket())
    return {"url": f"{address}/link/?ticket={ticket}&app_id={context.workspace.app_id}"}


def _bot_info(context: ApiContext, arguments: Arguments) -> Payload:
    workspace = context.workspace
    if arguments.text("bot") not in {None, workspace.bot_id}:
        raise SlackError("bot_not_found")
    return {
        "bot": {
            "id": workspace.bot_id,
            "deleted": False,
            "name": workspace.bot.name,
            "updated": 0,
            "app_id": workspace.app_id,
            "user_id": workspace.bot.id,
        }
    }


def _user_info(context: ApiContext, arguments: Arguments) -> Payload:
    user = context.workspace.user(arguments.require("user", "user_not_found"))
    return {"user": user_object(context.workspace, user)}


def _user_list(context: ApiContext, arguments: Arguments) -> Payload:
    cut, more = page(list(context.workspace.users.values()), arguments)
    return {"members": [user_object(context.workspace, user) for user in cut], "cache_ts": 0, **more}


def _team_info(context: ApiContext, arguments: Arguments) -> Payload:
    del arguments
    workspace = context.workspace
    return {"team": {"id": workspace.team_id, "name": workspace.name, "domain": workspace.domain}}


METHODS: Mapping[str, Method] = {
    "api.test": Method(handler=_api_test, token="none"),  # noqa: S106 - a kind of token, not one
    "auth.test": Method(handler=_auth_test),
    "apps.connections.open": Method(handler=_open_connection, token="app"),  # noqa: S106 - a kind of token, not one
    "bots.info": Method(handler=_bot_info, scopes=("users:read",)),
    "users.info": Method(handler=_user_info, scopes=("users:read",)),
    "users.list": Method(handler=_user_list, scopes=("users:read",)),
    "team.info": Method(handler=_team_info, scopes=("team:read",)),
}
