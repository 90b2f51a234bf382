"""What happened in the workspace, told to whoever listens: the bot's event stream and the people's pages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bot.sandbox.workspace.records import Channel, Message, User

ChannelChange: TypeAlias = Literal["created", "joined", "left", "renamed", "archived", "unarchived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message appeared."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A message changed: edited, updated, unfurled, or made a tombstone. `ts` is the time of the change."""

    message: Message
    previous: Message
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A message is gone for good. `ts` is the time of the removal."""

    previous: Message
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reacted:
    """Somebody added a reaction to a message, or took it away again."""

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
    """A channel was made, joined, left, renamed, archived or brought back; `user` did it."""

    channel: Channel
    change: ChannelChange
    user: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeOpened:
    """Somebody looked at the app's home, in the direct message `channel`."""

    user: str
    channel: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePublished:
    """The app gave somebody a new home."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewsChanged:
    """Somebody's stack of modals changed."""

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
class Noticed:
    """Slack itself told a person something, such as that a command timed out."""

    user: str
    text: str


FeedbackEvent: TypeAlias = (
    Posted
    | Changed
    | Removed
    | Reacted
    | UserAdded
    | ChannelChanged
    | HomeOpened
    | HomePublished
    | ViewsChanged
    | EphemeralShown
    | EphemeralRemoved
    | Noticed
)
Listener: TypeAlias = Callable[[FeedbackEvent], None]
