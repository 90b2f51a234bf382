"""What every Web API method works with: the workspace, the app's rights, its grants and the posting pace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bot.sandbox.web_api.arguments import Arguments
from bot.sandbox.web_api.credentials import Credentials
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.records import Channel, ChannelKind, Payload
from bot.sandbox.workspace.workspace import Workspace

DEFAULT_SCOPES = frozenset(
    {
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
    """The counter the Web API serves at.

    `base_url` gives the server's own address, `issue_ticket` a one-use ticket for a socket. `pace` is the
    least time in seconds between two posts of the app in one channel; None is no limit.
    """

    workspace: Workspace
    grants: Credentials
    scopes: frozenset[str]
    base_url: Callable[[], str]
    issue_ticket: Callable[[], str]
    pace: float | None = None
    _next_post: dict[str, float] = field(default_factory=dict)

    def require_scope(self, *any_of: str) -> None:
        """Refuse with `missing_scope` unless the app has one of these scopes."""
        if any_of and not self.scopes & set(any_of):
            raise Refused(
                "missing_scope",
                f"The app lacks the scope {any_of[0]}.",
                needed=",".join(any_of),
                provided=",".join(sorted(self.scopes)),
            )

    def seen(self, channel_id: str) -> Channel:
        """Return a channel the bot can know of; private ones only when it is a member."""
        channel = self.workspace.channel(channel_id)
        if channel.private and self.workspace.bot.id not in channel.members:
            raise Refused("channel_not_found")
        return channel

    def described(self, channel_id: str) -> Channel:
        """Return a channel whose description the app may read."""
        channel = self.seen(channel_id)
        self.require_scope(f"{_FAMILIES[channel.kind]}:read")
        return channel

    def readable(self, channel_id: str) -> Channel:
        """Return a channel the app may read; refuses with `not_in_channel` or `missing_scope`."""
        channel = self.seen(channel_id)
        self.require_scope(f"{_FAMILIES[channel.kind]}:history")
        self.require_member(channel)
        return channel

    def writable(self, channel_id: str) -> Channel:
        """Return the channel to write in; a person's id means the direct message with them."""
        if channel_id in self.workspace.users:
            return self.workspace.direct_message(channel_id)
        channel = self.seen(channel_id)
        if channel.archived:
            raise Refused("is_archived")
        if "chat:write.public" not in self.scopes:
            self.require_member(channel)
        return channel

    def require_member(self, channel: Channel) -> None:
        """Refuse with `not_in_channel` when the bot is no member."""
        if self.workspace.bot.id not in channel.members:
            raise Refused("not_in_channel")

    def take_turn(self, channel: Channel) -> None:
        """Refuse a post that comes too soon after the last one in the channel, with `ratelimited`."""
        if self.pace is None:
            return
        now = self.workspace.clock.now()
        free = self._next_post.get(channel.id, 0.0)
        if now < free:
            raise Refused("ratelimited", retry_after=max(1, round(free - now + 0.5)))
        self._next_post[channel.id] = now + self.pace


Handler: TypeAlias = Callable[[ApiContext, Arguments], Payload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A Web API method: what it does, any one of the scopes it needs, and the kind of token it takes."""

    handler: Handler
    scopes: tuple[str, ...] = ()
    token: Literal["bot", "app", "none"] = "bot"  # noqa: S105 - a kind of token, not one
