"""Changes of the workspace, as its listeners get them: the bot's event subscriptions and people's pages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bot.sandbox.workspace.records import Channel, Message, User

ChannelChangeKind: TypeAlias = Literal["created", "joined", "left", "renamed", "archived", "unarchived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePosted:
    """A message appeared."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChanged:
    """A message changed: edited, updated, unfurled, or made a tombstone. `ts` is the time of the change."""

    message: Message
    previous: Message
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted:
    """A message was deleted without a tombstone. `ts` is the time of the deletion."""

    previous: Message
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionChanged:
    """Somebody added a reaction to a message, or (`added` is False) took it away."""

    added: bool
    user: str
    name: str
    message: Message
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAdded:
    """Somebody joined the workspace."""

    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelChanged:
    """A channel was created, joined, left, renamed, archived or unarchived by `user`."""

    channel: Channel
    kind: ChannelChangeKind
    user: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeOpened:
    """Somebody opened the app's home tab, in the direct message `channel`."""

    user: str
    channel: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePublished:
    """The app published a home tab for `user`."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewsChanged:
    """The stack of modals on the screen of `user` changed."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralShown:
    """A message for one person appeared or was replaced."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralRemoved:
    """A message for one person went away."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeShown:
    """Slack itself showed a person a notice, such as that a command timed out."""

    user: str
    text: str


WorkspaceChange: TypeAlias = (
    MessagePosted
    | MessageChanged
    | MessageDeleted
    | ReactionChanged
    | UserAdded
    | ChannelChanged
    | HomeOpened
    | HomePublished
    | ViewsChanged
    | EphemeralShown
    | EphemeralRemoved
    | NoticeShown
)
Listener: TypeAlias = Callable[[WorkspaceChange], None]
