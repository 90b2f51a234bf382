"""The context of a Web API call: the workspace, the app's scopes and credentials, its posting pace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bot.sandbox.web_api.arguments import Arguments
from bot.sandbox.web_api.credentials import Credentials
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Channel, ChannelKind, Payload
from bot.sandbox.workspace.workspace import Workspace

DEFAULT_SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:join",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "reactions:read",
        "reactions:write",
        "team:read",
        "users:read",
    }
)
_FAMILIES: Mapping[ChannelKind, str] = {"channel": "channels", "group": "groups", "im": "im"}


@dataclass(slots=True, kw_only=True)
class ApiContext:
    """The context of a Web API call.

    Attributes:
        workspace: the state that calls read and change.
        credentials: triggers and response URLs issued to the app.
        scopes: the bot token's scopes.
        base_url: returns the server's own address.
        issue_ticket: returns a ticket for one socket.
        pace: least seconds between two posts of the app in a channel; None is no limit.
        unknown_blocks: types of blocks that the workspace does not know yet.

    """

    workspace: Workspace
    credentials: Credentials
    scopes: frozenset[str]
    base_url: Callable[[], str]
    issue_ticket: Callable[[], str]
    pace: float | None = None
    unknown_blocks: set[str] = field(default_factory=set)
    _next_post: dict[str, float] = field(default_factory=dict)

    def require_scope(self, *any_of: str) -> None:
        """Refuse with `missing_scope` unless the app has one of these scopes."""
        if any_of and not self.scopes & set(any_of):
            raise SlackError(
                "missing_scope",
                f"The app lacks the scope {any_of[0]}.",
                needed=",".join(any_of),
                provided=",".join(sorted(self.scopes)),
            )

    def visible_channel(self, channel_id: str) -> Channel:
        """Return a channel the bot can see: a public one, or one it is a member of."""
        channel = self.workspace.channel(channel_id)
        if channel.private and self.workspace.bot.id not in channel.members:
            raise SlackError("channel_not_found")
        return channel

    def channel_with_read_scope(self, channel_id: str) -> Channel:
        """Return a channel whose properties the app may read; refuses with `missing_scope`."""
        channel = self.visible_channel(channel_id)
        self.require_scope(f"{_FAMILIES[channel.kind]}:read")
        return channel

    def readable_channel(self, channel_id: str) -> Channel:
        """Return a channel whose messages the app may read; refuses with `not_in_channel` or `missing_scope`."""
        channel = self.visible_channel(channel_id)
        self.require_scope(f"{_FAMILIES[channel.kind]}:history")
        self.require_member(channel)
        return channel

    def writable_channel(self, channel_id: str) -> Channel:
        """Return the channel to write in; a person's id means the direct message with them."""
        if channel_id in self.workspace.users:
            return self.workspace.direct_message(channel_id)
        channel = self.visible_channel(channel_id)
        if channel.archived:
            raise SlackError("is_archived")
        if "chat:write.public" not in self.scopes:
            self.require_member(channel)
        return channel

    def require_member(self, channel: Channel) -> None:
        """Refuse with `not_in_channel` when the bot is no member."""
        if self.workspace.bot.id not in channel.members:
            raise SlackError("not_in_channel")

    def require_pace(self, channel: Channel) -> None:
        """Refuse a post too soon after the last one in the channel, with `ratelimited`."""
        if self.pace is None:
            return
        now = self.workspace.clock.now()
        free = self._next_post.get(channel.id, 0.0)
        if now < free:
            raise SlackError("ratelimited", retry_after=max(1, round(free - now + 0.5)))
        self._next_post[channel.id] = now + self.pace


Handler: TypeAlias = Callable[[ApiContext, Arguments], Payload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A Web API method: its handler, the scopes of which it needs any one, and the kind of token it takes."""

    handler: Handler
    scopes: tuple[str, ...] = ()
    token: Literal["bot", "app", "none"] = "bot"  # noqa: S105 - a kind of token, not one
