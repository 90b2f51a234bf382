"""Records of the workspace: people, channels, messages, files, open views.

All records are frozen; a change makes a new record, so a reader always holds a consistent snapshot. Times are Slack
timestamps (`ts`): seconds since the epoch with six decimals, as text, unique within the workspace.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeAlias

Payload: TypeAlias = dict[str, Any]
"""A JSON object as Slack sends or takes it: the sandbox lives at that edge."""

ChannelKind = Literal["channel", "group", "im"]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, or the user of an app.

    Attributes:
        team_id: a connected workspace; None for the workspace itself.
        bot_id: of an app's user, as its `app_id`.

    """

    id: str
    name: str
    real_name: str
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    team_id: str | None = None
    bot_id: str | None = None
    app_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A conversation; `partner` is the person of a direct message with the bot, else None."""

    id: str
    name: str
    creator: str
    created: int
    members: tuple[str, ...] = ()
    private: bool = False
    archived: bool = False
    partner: str | None = None

    @property
    def kind(self) -> ChannelKind:
        """Slack's `channel_type` of events in it."""
        if self.partner is not None:
            return "im"
        return "group" if self.private else "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """One emoji under a message and the people who added it, in order."""

    name: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The last edit of a message: its author and time."""

    user: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message; `text` and the texts in `blocks` are escaped as Slack keeps them.

    `only_for` names the one person who sees an ephemeral message. `thread_ts` is set on replies only.
    A tombstone is a deleted message that stays because of its replies. `subtype` marks lines that Slack
    itself wrote, such as `channel_join`.
    """

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Payload] | None = None
    attachments: list[Payload] | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    metadata: Payload | None = None
    reactions: tuple[Reaction, ...] = ()
    files: tuple[str, ...] = ()
    edited: Edit | None = None
    tombstone: bool = False
    only_for: str | None = None
    subtype: str | None = None
    client_msg_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ephemeral:
    """An ephemeral message as `user` saw it at one moment."""

    channel: str
    user: str
    ts: str
    text: str
    blocks: list[Payload] | None
    thread_ts: str | None

    @classmethod
    def of(cls, message: Message) -> Self:
        """Return the present state of an ephemeral message."""
        return cls(
            channel=message.channel,
            user=message.only_for or "",
            ts=message.ts,
            text=message.text,
            blocks=message.blocks,
            thread_ts=message.thread_ts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An uploaded file; it is visible once `shared`, as Slack's two-step upload asks. `size` is in bytes."""

    id: str
    name: str
    title: str
    user: str
    size: int
    mimetype: str
    created: int
    content: bytes | None = None
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A modal on somebody's screen, or a published home. `state`: what was entered, by block and action."""

    id: str
    user: str
    content: Payload
    hash: str
    root_id: str
    previous_id: str | None = None
    state: Payload = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A mention in a message of the bot; `target` is a user or group id, or channel, here, everyone."""

    channel: str
    ts: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash command of the app, as its manifest declares it."""

    command: str
    description: str = ""
    usage_hint: str = ""
