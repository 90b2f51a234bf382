"""Changes of the workspace as the events Slack sends the app."""

from dataclasses import dataclass

from bot.sandbox.web_api.objects import message_object, view_object
from bot.sandbox.workspace.changes import (
    ChannelChanged,
    HomeOpened,
    MessageChanged,
    MessageDeleted,
    MessagePosted,
    ReactionChanged,
    WorkspaceChange,
)
from bot.sandbox.workspace.records import Channel, ChannelKind, Message, Payload
from bot.sandbox.workspace.workspace import Workspace

DEFAULT_EVENTS = frozenset(
    {
        "app_home_opened",
        "app_mention",
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


def events_of(change: WorkspaceChange, workspace: Workspace) -> list[Event]:
    """List the events a change causes for the app; none where the bot is no member of the channel."""
    match change:
        case MessagePosted() | MessageChanged() | MessageDeleted():
            return _of_message(change, workspace)
        case ReactionChanged():
            return _of_reaction(change, workspace)
        case ChannelChanged():
            return _of_channel(change, workspace)
        case HomeOpened():
            return [_home_opened(change, workspace)]
        case _:
            return []


def _of_message(change: MessagePosted | MessageChanged | MessageDeleted, workspace: Workspace) -> list[Event]:
    message = change.previous if isinstance(change, MessageDeleted) else change.message
    channel = workspace.channel(message.channel)
    if workspace.bot.id not in channel.members:
        return []
    subscription, scope = _MESSAGES[channel.kind]
    body = _message_body(change, workspace, channel)
    event = Event(subscription=subscription, scope=scope, body=body)
    if not _mentions_bot(change, workspace, channel):
        return [event]
    mention = {name: value for name, value in body.items() if name != "channel_type"}
    return [
        event,
        Event(
            subscription="app_mention",
            scope="app_mentions:read",
            body={**mention, "type": "app_mention"},
        ),
    ]


def _mentions_bot(
    change: MessagePosted | MessageChanged | MessageDeleted, workspace: Workspace, channel: Channel
) -> bool:
    """Return whether a person mentions the bot in a channel; in a direct message Slack sends no such event."""
    return (
        isinstance(change, MessagePosted)
        and channel.kind != "im"
        and change.message.user != workspace.bot.id
        and change.message.subtype is None
        and f"<@{workspace.bot.id}>" in change.message.text
    )


def _message_body(
    change: MessagePosted | MessageChanged | MessageDeleted, workspace: Workspace, channel: Channel
) -> Payload:
    if isinstance(change, MessagePosted):
        ts = change.message.ts
        body = _posted(change.message, workspace)
    elif isinstance(change, MessageChanged):
        ts = change.ts
        body = {
            "subtype": "message_changed",
            "message": message_object(workspace, change.message),
            "previous_message": message_object(workspace, change.previous),
            "hidden": True,
        }
    else:
        ts = change.ts
        body = {
            "subtype": "message_deleted",
            "deleted_ts": change.previous.ts,
            "previous_message": message_object(workspace, change.previous),
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


def _of_reaction(change: ReactionChanged, workspace: Workspace) -> list[Event]:
    channel = workspace.channel(change.message.channel)
    if workspace.bot.id not in channel.members:
        return []
    name = "reaction_added" if change.added else "reaction_removed"
    body: Payload = {
        "type": name,
        "user": change.user,
        "reaction": change.name,
        "item": {"type": "message", "channel": channel.id, "ts": change.message.ts},
        "item_user": change.message.user,
        "event_ts": change.ts,
    }
    return [Event(subscription=name, scope="reactions:read", body=body)]


def _of_channel(change: ChannelChanged, workspace: Workspace) -> list[Event]:
    channel = change.channel
    if workspace.bot.id not in channel.members or channel.kind == "im":
        return []
    family = "group" if channel.private else "channel"
    scope = f"{family}s:read"
    if change.kind == "joined":
        body: Payload = {
            "type": "member_joined_channel",
            "user": change.user,
            "channel": channel.id,
            "channel_type": "G" if channel.private else "C",
            "team": workspace.team_id,
            "event_ts": change.ts,
        }
    elif change.kind == "renamed":
        named = {"id": channel.id, "name": channel.name, "created": channel.created}
        body = {"type": f"{family}_rename", "channel": named, "event_ts": change.ts}
    elif change.kind == "archived":
        body = {
            "type": f"{family}_archive",
            "channel": channel.id,
            "user": change.user,
            "event_ts": change.ts,
        }
    else:
        return []
    return [Event(subscription=body["type"], scope=scope, body=body)]


def _home_opened(change: HomeOpened, workspace: Workspace) -> Event:
    home = workspace.person_views.home(change.user)
    body: Payload = {
        "type": "app_home_opened",
        "user": change.user,
        "channel": change.channel,
        "tab": "home",
        "event_ts": change.ts,
    }
    if home is not None:
        body["view"] = view_object(workspace, home)
    return Event(subscription="app_home_opened", scope=None, body=body)
