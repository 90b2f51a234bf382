"""The workspace and the actions of people in it.

Synchronous and without I/O: every action changes the state at once and notifies the listeners.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Self

from bot.sandbox.workspace import snapshot
from bot.sandbox.workspace.changes import HomeOpened, NoticeShown, ReactionChanged
from bot.sandbox.workspace.conversation import Conversation
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.mrkdwn import escape_typed
from bot.sandbox.workspace.person_views import PersonViews
from bot.sandbox.workspace.reactions import with_reaction, without_reaction
from bot.sandbox.workspace.records import Edit, Message, Payload


class Workspace(Conversation):
    """One Slack workspace. `now` gives the time in seconds since the epoch.

    Actions of people raise SlackError where Slack would refuse them.
    """

    def __init__(
        self,
        name: str = "Memalign demo",
        team_id: str = "T0000DEMO",
        *,
        bot_name: str = "memalign",
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name=name, team_id=team_id, bot_name=bot_name, now=now)
        self.person_views = PersonViews(self.notify)
        self._blocks = 0

    def next_block_id(self, wanted: int) -> int:
        """Reserve numbers for the ids of `wanted` blocks; returns the first."""
        first = self._blocks + 1
        self._blocks += wanted
        return first

    def join(self, user_id: str, channel_id: str) -> None:
        """Add a person to a channel."""
        channel = self.channel(channel_id)
        if self.user(user_id).id not in channel.members:
            self.update_channel(replace(channel, members=(*channel.members, user_id)), "joined", user_id)
            self._post_system_line(
                user_id, channel_id, "channel_join", f"<@{user_id}> has joined the channel"
            )

    def leave(self, user_id: str, channel_id: str) -> None:
        """Remove a person from a channel."""
        channel = self.channel(channel_id)
        members = tuple(member for member in channel.members if member != user_id)
        self.update_channel(replace(channel, members=members), "left", user_id)

    def rename(self, user_id: str, channel_id: str, name: str) -> None:
        """Give a channel another name."""
        before = self.member_channel(user_id, channel_id)
        self.update_channel(replace(before, name=name), "renamed", user_id)
        text = f'<@{user_id}> has renamed the channel from "{before.name}" to "{name}"'
        self._post_system_line(user_id, channel_id, "channel_name", text)

    def archive(self, user_id: str, channel_id: str) -> None:
        """Close a channel: nobody can write in it any more."""
        channel = self.member_channel(user_id, channel_id)
        self._post_system_line(user_id, channel_id, "channel_archive", f"<@{user_id}> archived the channel")
        self.update_channel(replace(channel, archived=True), "archived", user_id)

    def unarchive(self, user_id: str, channel_id: str) -> None:
        """Open an archived channel again."""
        self.update_channel(
            replace(self.member_channel(user_id, channel_id), archived=False), "unarchived", user_id
        )

    def open_home(self, user_id: str) -> None:
        """Let a person look at the app's home tab."""
        channel = self.direct_message(user_id)
        self.notify(HomeOpened(user=user_id, channel=channel.id, ts=self.clock.mint()))

    def post(self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None) -> str:
        """Write a message as a person, in a channel or under a message; returns its time."""
        self.writable_channel(user_id, channel_id)
        if not text.strip():
            raise SlackError("no_text", "The message is empty.")
        if thread_ts is not None:
            self.parent(channel_id, thread_ts)
        ts = self.clock.mint()
        return self.add_message(
            Message(
                ts=ts,
                channel=channel_id,
                user=user_id,
                text=escape_typed(text),
                thread_ts=thread_ts,
                client_msg_id=f"00000000-0000-4000-8000-{ts.replace('.', '')[-12:]}",
            )
        ).ts

    def edit(self, user_id: str, channel_id: str, ts: str, text: str) -> None:
        """Change the text of one's own message."""
        message = self._own_message(user_id, channel_id, ts, "cant_update_message")
        self.update_message(
            replace(message, text=escape_typed(text), edited=Edit(user=user_id, ts=self.clock.mint()))
        )

    def delete(self, user_id: str, channel_id: str, ts: str) -> None:
        """Delete one's own message; with replies under it a tombstone stays."""
        self.delete_message(self._own_message(user_id, channel_id, ts, "cant_delete_message"))

    def react(self, user_id: str, channel_id: str, ts: str, name: str) -> None:
        """Add a reaction; refuses with `already_reacted` or `invalid_name`."""
        self.writable_channel(user_id, channel_id)
        message = with_reaction(self.message(channel_id, ts), user_id, name)
        self.log.put(message)
        self.notify(
            ReactionChanged(added=True, user=user_id, name=name, message=message, ts=self.clock.mint())
        )

    def unreact(self, user_id: str, channel_id: str, ts: str, name: str) -> None:
        """Take one's reaction away; refuses with `no_reaction`."""
        self.writable_channel(user_id, channel_id)
        message = without_reaction(self.message(channel_id, ts), user_id, name)
        self.log.put(message)
        self.notify(
            ReactionChanged(added=False, user=user_id, name=name, message=message, ts=self.clock.mint())
        )

    def unfurl(self, channel_id: str, ts: str) -> None:
        """Attach a link preview: Slack changes the message though nobody edited it."""
        message = self.message(channel_id, ts)
        preview: Payload = {
            "id": 1,
            "title": "Preview",
            "fallback": "Preview",
            "from_url": "https://example.com/",
        }
        self.update_message(replace(message, attachments=[*(message.attachments or []), preview]))

    def notice(self, user_id: str, text: str) -> None:
        """Show a person a notice of Slack itself."""
        self.notify(NoticeShown(user=user_id, text=text))

    def _post_system_line(self, user_id: str, channel_id: str, subtype: str, text: str) -> None:
        """Post the line Slack itself writes about a change of the channel."""
        line = Message(ts=self.clock.mint(), channel=channel_id, user=user_id, text=text, subtype=subtype)
        self.add_message(line)

    def _own_message(self, user_id: str, channel_id: str, ts: str, code: str) -> Message:
        self.writable_channel(user_id, channel_id)
        message = self.message(channel_id, ts)
        if message.user != user_id or message.subtype is not None:
            raise SlackError(code, "Only its author can change or delete a message.")
        return message

    def dump(self) -> Payload:
        """Return a snapshot as JSON of all that Slack would store, so without modals and ephemeral messages."""
        return {
            "version": snapshot.SNAPSHOT_VERSION,
            "name": self.name,
            "team_id": self.team_id,
            "bot_name": self.bot.name,
            "last_ts": self.clock.mint(),
            "blocks": self._blocks,
            "views": self.person_views.views_created,
            "users": snapshot.to_json(user for user in self.users.values() if user != self.bot),
            "channels": snapshot.to_json(self.channels.values()),
            "messages": snapshot.to_json(self.log.all()),
            "files": snapshot.to_json(self.files.all()),
            "homes": snapshot.to_json(self.person_views.homes()),
        }

    @classmethod
    def load(cls, document: Payload, *, now: Callable[[], float] = time.time) -> Self:
        """Return the workspace of a snapshot; raises ValueError for one of another version."""
        if document.get("version") != snapshot.SNAPSHOT_VERSION:
            raise ValueError(
                f"the workspace was saved by another version ({document.get('version')}); start a new one"
            )
        workspace = cls(document["name"], document["team_id"], bot_name=document["bot_name"], now=now)
        workspace.clock.after(document["last_ts"])
        workspace._blocks = document["blocks"]
        workspace.users |= {user.id: user for user in map(snapshot.user_from_json, document["users"])}
        workspace.channels |= {
            channel.id: channel for channel in map(snapshot.channel_from_json, document["channels"])
        }
        for message in map(snapshot.message_from_json, document["messages"]):
            workspace.log.put(message)
        for file in map(snapshot.file_from_json, document["files"]):
            workspace.files.put(file)
        workspace.person_views.restore(
            [snapshot.view_from_json(home) for home in document["homes"]], document["views"]
        )
        return workspace
