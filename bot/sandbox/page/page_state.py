"""The workspace as one person's page shows it: the whole state, and what changes."""

from collections.abc import Mapping

from bot.sandbox.web_api.objects import view_object
from bot.sandbox.workspace.changes import (
    Changed,
    ChannelChanged,
    EphemeralRemoved,
    EphemeralShown,
    FeedbackEvent,
    HomePublished,
    Noticed,
    Posted,
    Reacted,
    Removed,
    UserAdded,
    ViewsChanged,
)
from bot.sandbox.workspace.records import Channel, Command, Message, Payload, User
from bot.sandbox.workspace.workspace import Workspace


def can_see(user_id: str, channel: Channel) -> bool:
    """Tell whether a person may read a channel."""
    return user_id in channel.members or not channel.private


class PageState:
    """Renders the workspace for the page. `demo` is what the demo shows besides it, or None."""

    def __init__(
        self, workspace: Workspace, commands: Mapping[str, Command], shortcuts: Mapping[str, str]
    ) -> None:
        self.demo: Payload | None = None
        self._workspace = workspace
        self._commands = commands
        self._shortcuts = shortcuts

    def state(self, user_id: str) -> Payload:
        """Render everything one person sees."""
        workspace = self._workspace
        channels = [channel for channel in workspace.channels.values() if self._lists(user_id, channel)]
        surfaces = workspace.surfaces
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
            "ephemerals": [self._message(message) for message in surfaces.ephemerals(user_id)],
            "home": self._home(user_id),
            "views": self._views(user_id),
            "commands": [
                {"command": known.command, "description": known.description, "usage_hint": known.usage_hint}
                for known in self._commands.values()
            ],
            "shortcuts": [{"callback_id": name, "name": label} for name, label in self._shortcuts.items()],
            "demo": self.demo,
        }

    def pushes(self, fact: FeedbackEvent, user_id: str) -> list[Payload]:
        """Render what a fact changes on one person's page."""
        match fact:
            case Posted() | Changed() | Reacted():
                return self._about_message(fact.message, user_id)
            case Removed():
                return self._about_removal(fact.previous, user_id)
            case ChannelChanged() if self._lists(user_id, fact.channel):
                return [{"type": "channel", "channel": _channel(fact.channel)}]
            case UserAdded():
                return [{"type": "user", "user": _user(fact.user)}]
            case _:
                return self._about_me(fact, user_id)

    def _about_me(self, fact: FeedbackEvent, user_id: str) -> list[Payload]:
        match fact:
            case EphemeralShown() if fact.message.only_for == user_id:
                return [{"type": "ephemeral", "message": self._message(fact.message)}]
            case EphemeralRemoved() if fact.message.only_for == user_id:
                gone = fact.message
                return [{"type": "ephemeral_removed", "channel": gone.channel, "ts": gone.ts}]
            case ViewsChanged() if fact.user == user_id:
                return [{"type": "views", "views": self._views(user_id)}]
            case HomePublished() if fact.user == user_id:
                return [{"type": "home", "view": self._home(user_id)}]
            case Noticed() if fact.user == user_id:
                return [{"type": "notice", "text": fact.text}]
            case _:
                return []

    def _lists(self, user_id: str, channel: Channel) -> bool:
        """Whether a person's sidebar names it; a direct message appears with its first words, as in Slack."""
        return can_see(user_id, channel) and (
            channel.partner is None or bool(self._workspace.log.channel(channel.id))
        )

    def _about_message(self, message: Message, user_id: str) -> list[Payload]:
        channel = self._workspace.channel(message.channel)
        if not can_see(user_id, channel):
            return []
        listed = [] if channel.partner is None else [{"type": "channel", "channel": _channel(channel)}]
        said = {"type": "message", "message": self._message(message)}
        return [*listed, said, *self._about_parent(message)]

    def _about_removal(self, message: Message, user_id: str) -> list[Payload]:
        if not can_see(user_id, self._workspace.channel(message.channel)):
            return []
        gone = {"type": "removed", "channel": message.channel, "ts": message.ts}
        return [gone, *self._about_parent(message)]

    def _about_parent(self, reply: Message) -> list[Payload]:
        """Render the parent again: its number of replies may have changed."""
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
            "reactions": [{"name": known.name, "users": list(known.users)} for known in message.reactions],
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
        home = self._workspace.surfaces.home(user_id)
        return None if home is None else view_object(self._workspace, home)

    def _views(self, user_id: str) -> list[Payload]:
        return [view_object(self._workspace, view) for view in self._workspace.surfaces.stack(user_id)]


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
