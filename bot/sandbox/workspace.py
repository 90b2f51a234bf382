"""The workspace: its people, channels and messages, and what people do there.

Pure and synchronous: every act changes the state at once and tells the listeners what happened.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from bot.sandbox.errors import Refused
from bot.sandbox.facts import (
    Changed,
    ChannelChanged,
    Fact,
    HomeOpened,
    Listener,
    Noticed,
    Posted,
    Reacted,
    Removed,
    UserAdded,
)
from bot.sandbox.files import Files
from bot.sandbox.message_log import MessageLog
from bot.sandbox.reactions import added, removed
from bot.sandbox.records import Channel, Edit, Message, Payload, Ping, User
from bot.sandbox.surfaces import Surfaces
from bot.sandbox.texts import notified, typed
from bot.sandbox.timestamps import Timestamps

TOMBSTONE_TEXT = "This message was deleted."


class Workspace:
    """One Slack workspace with one app, the bot, in it.

    `pings` lists everyone the bot's messages notified. `now` gives the time in seconds since the epoch.
    """

    def __init__(
        self,
        name: str = "Memalign demo",
        team_id: str = "T0000DEMO",
        *,
        bot_name: str = "memalign",
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.team_id = team_id
        self.domain = name.lower().replace(" ", "-")
        self.app_id = "A0000000APP"
        self.bot_id = "B0000000BOT"
        self.bot = User(id="U0000000BOT", name=bot_name, real_name=bot_name, is_bot=True)
        self.users: dict[str, User] = {self.bot.id: self.bot}
        self.channels: dict[str, Channel] = {}
        self.log = MessageLog()
        self.files = Files()
        self.clock = Timestamps(now)
        self.surfaces = Surfaces(self.tell)
        self.pings: list[Ping] = []
        self._listeners: list[Listener] = []
        self._blocks = 0

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` every fact from now on; the returned function stops it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, fact: Fact) -> None:
        """Tell the listeners what happened."""
        for listener in list(self._listeners):
            listener(fact)

    def next_block_id(self, wanted: int) -> int:
        """Reserve numbers for the ids of `wanted` blocks; returns the first."""
        first = self._blocks + 1
        self._blocks += wanted
        return first

    # --- people and channels

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

    def join(self, user_id: str, channel_id: str) -> None:
        """Make somebody a member of a channel."""
        channel = self.channel(channel_id)
        if self.user(user_id).id not in channel.members:
            self._adjust(replace(channel, members=(*channel.members, user_id)), "joined", user_id)

    def leave(self, user_id: str, channel_id: str) -> None:
        """Take somebody out of a channel."""
        channel = self.channel(channel_id)
        members = tuple(member for member in channel.members if member != user_id)
        self._adjust(replace(channel, members=members), "left", user_id)

    def rename(self, user_id: str, channel_id: str, name: str) -> None:
        """Give a channel another name."""
        self._adjust(replace(self._joined(user_id, channel_id), name=name), "renamed", user_id)

    def archive(self, user_id: str, channel_id: str) -> None:
        """Close a channel: nobody can write in it any more."""
        self._adjust(replace(self._joined(user_id, channel_id), archived=True), "archived", user_id)

    def unarchive(self, user_id: str, channel_id: str) -> None:
        """Open an archived channel again."""
        self._adjust(replace(self._joined(user_id, channel_id), archived=False), "unarchived", user_id)

    def open_home(self, user_id: str) -> None:
        """Let a person look at the app's home tab."""
        channel = self.direct_message(user_id)
        self.tell(HomeOpened(user=user_id, channel=channel.id, ts=self.clock.mint()))

    # --- what people do with messages

    def post(self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None) -> str:
        """Write a message as a person, in a channel or under a message; returns its time."""
        self._open(user_id, channel_id)
        if not text.strip():
            raise Refused("no_text", "The message is empty.")
        if thread_ts is not None:
            self.parent(channel_id, thread_ts)
        ts = self.clock.mint()
        return self.publish(
            Message(
                ts=ts,
                channel=channel_id,
                user=user_id,
                text=typed(text),
                thread_ts=thread_ts,
                client_msg_id=f"00000000-0000-4000-8000-{ts.replace('.', '')[-12:]}",
            )
        ).ts

    def edit(self, user_id: str, channel_id: str, ts: str, text: str) -> None:
        """Change the text of one's own message."""
        message = self._own(user_id, channel_id, ts, "cant_update_message")
        self.amend(replace(message, text=typed(text), edited=Edit(user=user_id, ts=self.clock.mint())))

    def delete(self, user_id: str, channel_id: str, ts: str) -> None:
        """Delete one's own message; with replies under it a tombstone stays."""
        self.withdraw(self._own(user_id, channel_id, ts, "cant_delete_message"))

    def react(self, user_id: str, channel_id: str, ts: str, name: str) -> None:
        """Add a reaction; refuses with `already_reacted` or `invalid_name`."""
        self._open(user_id, channel_id)
        message = added(self.message(channel_id, ts), user_id, name)
        self.log.put(message)
        self.tell(Reacted(added=True, user=user_id, name=name, message=message, ts=self.clock.mint()))

    def unreact(self, user_id: str, channel_id: str, ts: str, name: str) -> None:
        """Take one's reaction away; refuses with `no_reaction`."""
        self._open(user_id, channel_id)
        message = removed(self.message(channel_id, ts), user_id, name)
        self.log.put(message)
        self.tell(Reacted(added=False, user=user_id, name=name, message=message, ts=self.clock.mint()))

    def unfurl(self, channel_id: str, ts: str) -> None:
        """Attach a link preview: Slack changes the message though nobody edited it."""
        message = self.message(channel_id, ts)
        preview: Payload = {
            "id": 1,
            "title": "Preview",
            "fallback": "Preview",
            "from_url": "https://example.com/",
        }
        self.amend(replace(message, attachments=[*(message.attachments or []), preview]))

    def notice(self, user_id: str, text: str) -> None:
        """Let Slack itself tell one person something."""
        self.tell(Noticed(user=user_id, text=text))

    # --- messages themselves

    def messages(self, channel_id: str) -> list[Message]:
        """List all messages of a channel, replies included, oldest first."""
        return self.log.channel(self.channel(channel_id).id)

    def thread(self, channel_id: str, ts: str) -> list[Message]:
        """List a message and the replies under it, oldest first."""
        return self.log.thread(self.channel(channel_id).id, ts)

    def message(self, channel_id: str, ts: str) -> Message:
        """Return a message that people can see; refuses with `message_not_found`."""
        message = self.log.get(self.channel(channel_id).id, ts)
        if message is None or message.tombstone:
            raise Refused("message_not_found", "That message is not there any more.")
        return message

    def parent(self, channel_id: str, thread_ts: str) -> Message:
        """Return the message a reply goes under; refuses with `thread_not_found` or `cannot_reply_to_message`."""
        parent = self.log.get(channel_id, thread_ts)
        if parent is None:
            raise Refused("thread_not_found", "The message to reply to is not there any more.")
        if parent.thread_ts is not None:
            raise Refused("cannot_reply_to_message", "A reply cannot have replies; reply to its parent.")
        return parent

    def publish(self, message: Message) -> Message:
        """Make a new message appear."""
        self.log.put(message)
        self._note_pings(message, [])
        self.tell(Posted(message=message))
        return message

    def amend(self, message: Message) -> Message:
        """Replace a message by its changed self."""
        previous = self.message(message.channel, message.ts)
        self.log.put(message)
        self._note_pings(message, notified(previous.text, previous.blocks, previous.attachments))
        self.tell(Changed(message=message, previous=previous, ts=self.clock.mint()))
        return message

    def withdraw(self, message: Message) -> None:
        """Delete a message: for good, or down to a tombstone while replies are under it."""
        ts = self.clock.mint()
        if self.log.replies(message.channel, message.ts):
            stone = Message(
                ts=message.ts, channel=message.channel, user="USLACKBOT", text=TOMBSTONE_TEXT, tombstone=True
            )
            self.log.put(stone)
            self.tell(Changed(message=stone, previous=message, ts=ts))
            return
        self.log.drop(message)
        self.tell(Removed(previous=message, ts=ts))
        self._drop_bare_tombstone(message)

    def _drop_bare_tombstone(self, reply: Message) -> None:
        stone = self.log.get(reply.channel, reply.thread_ts) if reply.thread_ts else None
        if stone is not None and stone.tombstone and not self.log.replies(stone.channel, stone.ts):
            self.log.drop(stone)
            self.tell(Removed(previous=stone, ts=self.clock.mint()))

    def _note_pings(self, message: Message, before: list[str]) -> None:
        if message.user == self.bot.id:
            for who in notified(message.text, message.blocks, message.attachments):
                if who not in before:
                    self.pings.append(Ping(channel=message.channel, ts=message.ts, who=who))

    def _make(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        self.tell(
            ChannelChanged(channel=channel, change="created", user=channel.creator, ts=self.clock.mint())
        )
        return channel

    def _adjust(self, channel: Channel, change: str, user_id: str) -> None:
        self.channels[channel.id] = channel
        fact = ChannelChanged(channel=channel, change=change, user=user_id, ts=self.clock.mint())  # type: ignore[arg-type]
        self.tell(fact)

    def _joined(self, user_id: str, channel_id: str) -> Channel:
        channel = self.channel(channel_id)
        if self.user(user_id).id not in channel.members:
            raise Refused("not_in_channel", f"You are not in #{channel.name}; join it first.")
        return channel

    def _open(self, user_id: str, channel_id: str) -> Channel:
        channel = self._joined(user_id, channel_id)
        if channel.archived:
            raise Refused("is_archived", f"#{channel.name} is archived; nobody can write in it.")
        return channel

    def _own(self, user_id: str, channel_id: str, ts: str, code: str) -> Message:
        self._open(user_id, channel_id)
        message = self.message(channel_id, ts)
        if message.user != user_id:
            raise Refused(code, "Only its author can change or delete a message.")
        return message
