"""The workspace as one person's page shows it: its whole state, and the pushes for each change."""

from collections.abc import Mapping
from dataclasses import asdict

from bot.sandbox.web_api.objects import view_object
from bot.sandbox.workspace.changes import (
    ChannelChanged,
    EphemeralRemoved,
    EphemeralShown,
    HomePublished,
    MessageChanged,
    MessageDeleted,
    MessagePosted,
    NoticeShown,
    ReactionChanged,
    UserAdded,
    ViewsChanged,
    WorkspaceChange,
)
from bot.sandbox.workspace.records import Channel, Command, Message, Payload, User
from bot.sandbox.workspace.workspace import Workspace


def can_see(user_id: str, channel: Channel) -> bool:
    """Tell whether a person may read a channel."""
    return user_id in channel.members or not channel.private


class PageState:
    """Renders the workspace for the page. `demo` is the demo's own part, or None."""

    def __init__(
        self, workspace: Workspace, commands: Mapping[str, Command], shortcuts: Mapping[str, str]
    ) -> None:
        self.demo: Payload | None = None
        self._workspace = workspace
        self._commands = commands
        self._shortcuts = shortcuts

    def state(self, user_id: str) -> Payload:
        """Render the whole workspace as one person sees it."""
        workspace = self._workspace
        channels = [channel for channel in workspace.channels.values() if self._lists(user_id, channel)]
        person_views = workspace.person_views
        return {
            "team": {"name": workspace.name},
            "bot": {"id": workspace.bot.id, "name": workspace.bot.name},
            "me": user_id,
            "users": [_user(user) for user in workspace.users.values()],
            "channels": [_channel(channel) for channel in channels],
            "messages": {
                channel.id: [self._message(message) for message in workspace.log.channel(channel.id)]
                for channel in channels
            },
            "ephemerals": [self._message(message) for message in person_views.ephemerals(user_id)],
            "home": self._home(user_id),
            "views": self._views(user_id),
            "commands": [asdict(command) for command in self._commands.values()],
            "shortcuts": [{"callback_id": name, "name": label} for name, label in self._shortcuts.items()],
            "demo": self.demo,
        }

    def pushes(self, change: WorkspaceChange, user_id: str) -> list[Payload]:
        """Render the updates that a change causes on one person's page."""
        match change:
            case MessagePosted() | MessageChanged() | ReactionChanged():
                return self._message_pushes(change.message, user_id)
            case MessageDeleted():
                return self._deletion_pushes(change.previous, user_id)
            case ChannelChanged() if self._lists(user_id, change.channel):
                return [{"type": "channel", "channel": _channel(change.channel)}]
            case UserAdded():
                return [{"type": "user", "user": _user(change.user)}]
            case _:
                return self._personal_pushes(change, user_id)

    def _personal_pushes(self, change: WorkspaceChange, user_id: str) -> list[Payload]:
        match change:
            case EphemeralShown() if change.message.only_for == user_id:
                return [{"type": "ephemeral", "message": self._message(change.message)}]
            case EphemeralRemoved() if change.message.only_for == user_id:
                message = change.message
                return [{"type": "ephemeral_removed", "channel": message.channel, "ts": message.ts}]
            case ViewsChanged() if change.user == user_id:
                return [{"type": "views", "views": self._views(user_id)}]
            case HomePublished() if change.user == user_id:
                return [{"type": "home", "view": self._home(user_id)}]
            case NoticeShown() if change.user == user_id:
                return [{"type": "notice", "text": change.text}]
            case _:
                return []

    def _lists(self, user_id: str, channel: Channel) -> bool:
        """Tell whether a person's sidebar lists a channel; as in Slack, a direct message only once it has a message."""
        return can_see(user_id, channel) and (
            channel.partner is None or bool(self._workspace.log.channel(channel.id))
        )

    def _message_pushes(self, message: Message, user_id: str) -> list[Payload]:
        channel = self._workspace.channel(message.channel)
        if not can_see(user_id, channel):
            return []
        listed = [] if channel.partner is None else [{"type": "channel", "channel": _channel(channel)}]
        push = {"type": "message", "message": self._message(message)}
        return [*listed, push, *self._parent_pushes(message)]

    def _deletion_pushes(self, message: Message, user_id: str) -> list[Payload]:
        if not can_see(user_id, self._workspace.channel(message.channel)):
            return []
        push = {"type": "removed", "channel": message.channel, "ts": message.ts}
        return [push, *self._parent_pushes(message)]

    def _parent_pushes(self, reply: Message) -> list[Payload]:
        """Render the parent of a reply again, for its number of replies may have changed."""
        parent = self._workspace.log.get(reply.channel, reply.thread_ts) if reply.thread_ts else None
        return [{"type": "message", "message": self._message(parent)}] if parent else []

    def _message(self, message: Message) -> Payload:
        return {
            "ts": message.ts,
            "channel": message.channel,
            "user": message.user,
            "text": message.text,
            "blocks": message.blocks,
            "thread_ts": message.thread_ts,
            "reply_count": len(self._workspace.log.replies(message.channel, message.ts)),
            "edited": message.edited is not None,
            "deleted": message.tombstone,
            "reactions": [
                {"name": reaction.name, "users": list(reaction.users)} for reaction in message.reactions
            ],
            "files": [self._file(file_id) for file_id in message.files],
            "ephemeral": message.only_for is not None,
        }

    def _file(self, file_id: str) -> Payload:
        file = self._workspace.files.get(file_id)
        return {
            "id": file.id,
            "name": file.name,
            "url": f"/people/files/{file.id}",
            "mimetype": file.mimetype,
            "size": file.size,
        }

    def _home(self, user_id: str) -> Payload | None:
        home = self._workspace.person_views.home(user_id)
        return None if home is None else view_object(self._workspace, home)

    def _views(self, user_id: str) -> list[Payload]:
        return [view_object(self._workspace, view) for view in self._workspace.person_views.modals(user_id)]


def _user(user: User) -> Payload:
    return {"id": user.id, "name": user.name, "real_name": user.real_name, "is_bot": user.is_bot}


def _channel(channel: Channel) -> Payload:
    return {
        "id": channel.id,
        "name": channel.name,
        "private": channel.private,
        "archived": channel.archived,
        "members": list(channel.members),
    }
