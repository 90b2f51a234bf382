"""Payloads of slash commands and interactions, as Slack sends them to the app."""

from bot.sandbox.delivery.subscriptions import VERIFICATION_TOKEN
from bot.sandbox.web_api.context import ApiContext
from bot.sandbox.web_api.objects import message_object, view_object
from bot.sandbox.workspace.mrkdwn import escape_command
from bot.sandbox.workspace.records import Channel, Message, Payload, View

_PRIVATE_NAMES = {"group": "privategroup", "im": "directmessage"}
"""Slack hides the names of private conversations, by the kind of channel."""


def slash_command(
    context: ApiContext, user_id: str, channel: Channel, command: str, text: str, secret: str
) -> Payload:
    """Render a typed slash command; `secret` names its response URL."""
    workspace = context.workspace
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.team_id,
        "team_domain": workspace.domain,
        "channel_id": channel.id,
        "channel_name": _channel_name(channel),
        "user_id": user_id,
        "user_name": workspace.user(user_id).name,
        "command": command,
        "text": escape_command(text.strip(), _names(context)),
        "api_app_id": workspace.app_id,
        "is_enterprise_install": "false",
        "response_url": _response_url(context, secret),
        "trigger_id": context.credentials.issue_trigger(user_id),
    }


def _names(context: ApiContext) -> dict[str, str]:
    """Return the names of people and channels, by id."""
    workspace = context.workspace
    people = {user.id: user.name for user in workspace.users.values()}
    return people | {channel.id: channel.name for channel in workspace.channels.values()}


def message_block_actions(
    context: ApiContext, user_id: str, message: Message, action: Payload, state: Payload
) -> Payload:
    """Render a press or a choice in a message, `state` being what the person entered in it so far."""
    ephemeral = message.only_for is not None
    secret = context.credentials.issue_response_url(
        user_id, message.channel, ts=message.ts, ephemeral=ephemeral
    )
    container: Payload = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = {
        **_common(context, "block_actions", user_id),
        "container": container,
        "channel": _channel_label(context.workspace.channel(message.channel)),
        "state": {"values": state},
        "response_url": _response_url(context, secret),
        "actions": [action],
    }
    if not ephemeral:  # Slack does not store ephemeral messages and cannot send them
        payload["message"] = message_object(context.workspace, message)
    return payload


def view_block_actions(context: ApiContext, view: View, action: Payload) -> Payload:
    """Render a press or a choice in a modal or the home tab."""
    modal_id = view.id if view.content["type"] == "modal" else None
    return {
        **_common(context, "block_actions", view.user, modal_id),
        "container": {"type": "view", "view_id": view.id},
        "view": view_object(context.workspace, view),
        "state": {"values": view.state},
        "actions": [action],
    }


def message_shortcut(context: ApiContext, user_id: str, message: Message, callback_id: str) -> Payload:
    """Render the use of a message shortcut."""
    secret = context.credentials.issue_response_url(user_id, message.channel, ts=message.ts)
    return {
        **_common(context, "message_action", user_id),
        "callback_id": callback_id,
        "action_ts": context.workspace.clock.mint(),
        "message_ts": message.ts,
        "channel": _channel_label(context.workspace.channel(message.channel)),
        "message": message_object(context.workspace, message),
        "response_url": _response_url(context, secret),
    }


def view_submission(context: ApiContext, view: View) -> Payload:
    """Render the submission of a modal."""
    return {
        **_common(context, "view_submission", view.user, view.id),
        "view": view_object(context.workspace, view),
        "response_urls": [],
    }


def view_closed(context: ApiContext, view: View, *, cleared: bool) -> Payload:
    """Render the closing of a modal; `cleared`: all modals below it were closed too."""
    payload = {
        **_common(context, "view_closed", view.user),
        "view": view_object(context.workspace, view),
        "is_cleared": cleared,
    }
    del payload["trigger_id"]  # closing a modal does not entitle the app to open another
    return payload


def _common(context: ApiContext, kind: str, user_id: str, view_id: str | None = None) -> Payload:
    workspace = context.workspace
    user = workspace.user(user_id)
    return {
        "type": kind,
        "token": VERIFICATION_TOKEN,
        "team": {"id": workspace.team_id, "domain": workspace.domain},
        "user": {
            "id": user.id,
            "username": user.name,
            "name": user.name,
            "team_id": user.team_id or workspace.team_id,
        },
        "api_app_id": workspace.app_id,
        "enterprise": None,
        "is_enterprise_install": False,
        "trigger_id": context.credentials.issue_trigger(user_id, view_id),
    }


def _channel_name(channel: Channel) -> str:
    return _PRIVATE_NAMES.get(channel.kind, channel.name)


def _channel_label(channel: Channel) -> Payload:
    return {"id": channel.id, "name": _channel_name(channel)}


def _response_url(context: ApiContext, secret: str) -> str:
    return f"{context.base_url()}/response/{secret}"
