"""The people and channels of the workspace, and the listeners to its changes."""

from collections.abc import Callable
from typing import Any

from bot.sandbox.workspace.changes import (
    ChannelChanged,
    ChannelChangeKind,
    Listener,
    UserAdded,
    WorkspaceChange,
)
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Channel, User
from bot.sandbox.workspace.timestamps import Timestamps


class Directory:
    """The people and channels of one workspace with one app, the bot, in it."""

    def __init__(self, *, name: str, team_id: str, bot_name: str, now: Callable[[], float]) -> None:
        self.name = name
        self.team_id = team_id
        self.domain = name.lower().replace(" ", "-")
        self.app_id = "A0000000APP"
        self.bot_id = "B0000000BOT"
        self.bot = User(
            id="U0000000BOT",
            name=bot_name,
            real_name=bot_name,
            is_bot=True,
            bot_id=self.bot_id,
            app_id=self.app_id,
        )
        self.users: dict[str, User] = {self.bot.id: self.bot}
        self.channels: dict[str, Channel] = {}
        self.clock = Timestamps(now)
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every change from now on; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def notify(self, change: WorkspaceChange) -> None:
        """Call the listeners with a change."""
        for listener in list(self._listeners):
            listener(change)

    def add_user(self, name: str, *, real_name: str = "", **standing: Any) -> User:
        """Add a person to the workspace; for `standing` see `User`."""
        user = User(id=f"U{len(self.users):010d}", name=name, real_name=real_name or name, **standing)
        self.users[user.id] = user
        self.notify(UserAdded(user=user))
        return user

    def add_channel(
        self,
        name: str,
        *,
        members: list[str] | None = None,
        private: bool = False,
        bot_is_member: bool = True,
    ) -> Channel:
        """Add a channel with these members, the first of whom is its creator."""
        people = [self.user(user_id).id for user_id in members or []]
        everyone = dict.fromkeys([*people, *([self.bot.id] if bot_is_member else [])])
        number = sum(channel.partner is None for channel in self.channels.values()) + 1
        return self._create(
            Channel(
                id=f"C{number:010d}",
                name=name,
                creator=people[0] if people else self.bot.id,
                created=int(self.clock.now()),
                members=tuple(everyone),
                private=private,
            )
        )

    def direct_message(self, user_id: str) -> Channel:
        """Return the direct message between a person and the bot, created on first use."""
        user = self.user(user_id)
        known = [channel for channel in self.channels.values() if channel.partner == user.id]
        if known:
            return known[0]
        return self._create(
            Channel(
                id="D" + user.id[1:],
                name=self.bot.name,
                creator=user.id,
                created=int(self.clock.now()),
                members=(user.id, self.bot.id),
                private=True,
                partner=user.id,
            )
        )

    def user(self, user_id: str) -> User:
        """Return a person or the bot; refuses unknown ids with `user_not_found`."""
        if user_id not in self.users:
            raise SlackError("user_not_found", f"There is nobody with the id {user_id} in this workspace.")
        return self.users[user_id]

    def channel(self, channel_id: str) -> Channel:
        """Return a channel; refuses unknown ids with `channel_not_found`."""
        if channel_id not in self.channels:
            raise SlackError("channel_not_found", f"There is no channel {channel_id} in this workspace.")
        return self.channels[channel_id]

    def member_channel(self, user_id: str, channel_id: str) -> Channel:
        """Return a channel the person is a member of; refuses with `not_in_channel`."""
        channel = self.channel(channel_id)
        if self.user(user_id).id not in channel.members:
            raise SlackError("not_in_channel", f"You are not in #{channel.name}; join it first.")
        return channel

    def writable_channel(self, user_id: str, channel_id: str) -> Channel:
        """Return a channel the person can write in; refuses with `not_in_channel` or `is_archived`."""
        channel = self.member_channel(user_id, channel_id)
        if channel.archived:
            raise SlackError("is_archived", f"#{channel.name} is archived; nobody can write in it.")
        return channel

    def update_channel(self, channel: Channel, kind: ChannelChangeKind, user_id: str) -> None:
        """Replace a channel by its changed self, on behalf of `user_id`."""
        self.channels[channel.id] = channel
        self.notify(ChannelChanged(channel=channel, kind=kind, user=user_id, ts=self.clock.mint()))

    def _create(self, channel: Channel) -> Channel:
        self.update_channel(channel, "created", channel.creator)
        return channel
