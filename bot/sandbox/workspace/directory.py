"""Who is in the workspace, which channels there are, and who listens to what happens."""

from collections.abc import Callable

from bot.sandbox.workspace.changes import ChannelChange, ChannelChanged, FeedbackEvent, Listener, UserAdded
from bot.sandbox.workspace.errors import Refused
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
        self.bot = User(id="U0000000BOT", name=bot_name, real_name=bot_name, is_bot=True)
        self.users: dict[str, User] = {self.bot.id: self.bot}
        self.channels: dict[str, Channel] = {}
        self.clock = Timestamps(now)
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` every fact from now on; the returned function stops it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, fact: FeedbackEvent) -> None:
        """Tell the listeners what happened."""
        for listener in list(self._listeners):
            listener(fact)

    def add_user(self, name: str, *, real_name: str = "") -> User:
        """Let a person join the workspace."""
        user = User(id=f"U{len(self.users):010d}", name=name, real_name=real_name or name)
        self.users[user.id] = user
        self.tell(UserAdded(user=user))
        return user

    def add_channel(
        self,
        name: str,
        *,
        members: list[str] | None = None,
        private: bool = False,
        bot_is_member: bool = True,
    ) -> Channel:
        """Make a channel with these members; the first of them made it."""
        people = [self.user(user_id).id for user_id in members or []]
        everyone = dict.fromkeys([*people, *([self.bot.id] if bot_is_member else [])])
        number = sum(channel.partner is None for channel in self.channels.values()) + 1
        return self._make(
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
        """Return the direct message between a person and the bot, made on first use."""
        user = self.user(user_id)
        known = [channel for channel in self.channels.values() if channel.partner == user.id]
        if known:
            return known[0]
        return self._make(
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
            raise Refused("user_not_found", f"There is nobody with the id {user_id} in this workspace.")
        return self.users[user_id]

    def channel(self, channel_id: str) -> Channel:
        """Return a channel; refuses unknown ids with `channel_not_found`."""
        if channel_id not in self.channels:
            raise Refused("channel_not_found", f"There is no channel {channel_id} in this workspace.")
        return self.channels[channel_id]

    def joined(self, user_id: str, channel_id: str) -> Channel:
        """Return a channel the person is in; refuses with `not_in_channel`."""
        channel = self.channel(channel_id)
        if self.user(user_id).id not in channel.members:
            raise Refused("not_in_channel", f"You are not in #{channel.name}; join it first.")
        return channel

    def open_channel(self, user_id: str, channel_id: str) -> Channel:
        """Return a channel the person can write in; refuses with `not_in_channel` or `is_archived`."""
        channel = self.joined(user_id, channel_id)
        if channel.archived:
            raise Refused("is_archived", f"#{channel.name} is archived; nobody can write in it.")
        return channel

    def adjust(self, channel: Channel, change: ChannelChange, user_id: str) -> None:
        """Replace a channel by its changed self; `user_id` did it."""
        self.channels[channel.id] = channel
        self.tell(ChannelChanged(channel=channel, change=change, user=user_id, ts=self.clock.mint()))

    def _make(self, channel: Channel) -> Channel:
        self.adjust(channel, "created", channel.creator)
        return channel
