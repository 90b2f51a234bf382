"""Facts of the workspace as the events Slack sends the app."""

from dataclasses import dataclass

from bot.sandbox.web_api.objects import message_object, view_object
from bot.sandbox.workspace.changes import (
    Changed,
    ChannelChanged,
    FeedbackEvent,
    HomeOpened,
    Posted,
    Reacted,
    Removed,
)
from bot.sandbox.workspace.records import Channel, ChannelKind, Message, Payload
from bot.sandbox.workspace.workspace import Workspace

DEFAULT_EVENTS = frozenset(
    {
        "app_home_opened",
        "channel_archive",
        "channel_rename",
        "group_archive",
        "group_rename",
        "member_joined_channel",
        "message.channels",
        "message.groups",
        "message.im",
        "reaction_added",
        "reaction_removed",
    }
)
_MESSAGES: dict[ChannelKind, tuple[str, str]] = {
    "channel": ("message.channels", "channels:history"),
    "group": ("message.groups", "groups:history"),
    "im": ("message.im", "im:history"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event for the app: the subscription and the scope it needs, and its body."""

    subscription: str
    scope: str | None
    body: Payload


def events_of(fact: FeedbackEvent, workspace: Workspace) -> list[Event]:
    """Tell which events a fact makes for an app that is in the channel."""
    match fact:
        case Posted() | Changed() | Removed():
            return _of_message(fact, workspace)
        case Reacted():
            return _of_reaction(fact, workspace)
        case ChannelChanged():
            return _of_channel(fact, workspace)
        case HomeOpened():
            return [_home_opened(fact, workspace)]
        case _:
            return []


def _of_message(fact: Posted | Changed | Removed, workspace: Workspace) -> list[Event]:
    message = fact.previous if isinstance(fact, Removed) else fact.message
    channel = workspace.channel(message.channel)
    if workspace.bot.id not in channel.members:
        return []
    subscription, scope = _MESSAGES[channel.kind]
    return [Event(subscription=subscription, scope=scope, body=_message_body(fact, workspace, channel))]


def _message_body(fact: Posted | Changed | Removed, workspace: Workspace, channel: Channel) -> Payload:
    if isinstance(fact, Posted):
        ts = fact.message.ts
        body = _posted(fact.message, workspace)
    elif isinstance(fact, Changed):
        ts = fact.ts
        body = {
            "subtype": "message_changed",
            "message": message_object(workspace, fact.message),
            "previous_message": message_object(workspace, fact.previous),
            "hidden": True,
        }
    else:
        ts = fact.ts
        body = {
            "subtype": "message_deleted",
            "deleted_ts": fact.previous.ts,
            "previous_message": message_object(workspace, fact.previous),
            "hidden": True,
        }
    return {
        "type": "message",
        **body,
        "channel": channel.id,
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel.kind,
    }


def _posted(message: Message, workspace: Workspace) -> Payload:
    body = message_object(workspace, message, thread=False)
    if message.files:
        body |= {"subtype": "file_share", "upload": False}
    return body


def _of_reaction(fact: Reacted, workspace: Workspace) -> list[Event]:
    channel = workspace.channel(fact.message.channel)
    if workspace.bot.id not in channel.members:
        return []
    name = "reaction_added" if fact.added else "reaction_removed"
    body: Payload = {
        "type": name,
        "user": fact.user,
        "reaction": fact.name,
        "item": {"type": "message", "channel": channel.id, "ts": fact.message.ts},
        "item_user": fact.message.user,
        "event_ts": fact.ts,
    }
    return [Event(subscription=name, scope="reactions:read", body=body)]


def _of_channel(fact: ChannelChanged, workspace: Workspace) -> list[Event]:
    channel = fact.channel
    if workspace.bot.id not in channel.members or channel.kind == "im":
        return []
    family = "group" if channel.private else "channel"
    scope = f"{family}s:read"
    if fact.change == "joined":
        body: Payload = {
            "type": "member_joined_channel",
            "user": fact.user,
            "channel": channel.id,
            "channel_type": "G" if channel.private else "C",
            "team": workspace.team_id,
            "event_ts": fact.ts,
        }
    elif fact.change == "renamed":
        named = {"id": channel.id, "name": channel.name, "created": channel.created}
        body = {"type": f"{family}_rename", "channel": named, "event_ts": fact.ts}
    elif fact.change == "archived":
        body = {"type": f"{family}_archive", "channel": channel.id, "user": fact.user, "event_ts": fact.ts}
    else:
        return []
    return [Event(subscription=body["type"], scope=scope, body=body)]


def _home_opened(fact: HomeOpened, workspace: Workspace) -> Event:
    home = workspace.surfaces.home(fact.user)
    body: Payload = {
        "type": "app_home_opened",
        "user": fact.user,
        "channel": fact.channel,
        "tab": "home",
        "event_ts": fact.ts,
    }
    if home is not None:
        body["view"] = view_object(workspace, home)
    return Event(subscription="app_home_opened", scope=None, body=body)
