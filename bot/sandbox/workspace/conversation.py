"""The messages of the workspace: how they appear, change and go, and whom they notify."""

from collections.abc import Callable

from bot.sandbox.workspace.changes import Changed, Posted, Removed
from bot.sandbox.workspace.directory import Directory
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.files import Files
from bot.sandbox.workspace.message_log import MessageLog
from bot.sandbox.workspace.mrkdwn import notified
from bot.sandbox.workspace.records import Message, Ping

TOMBSTONE_TEXT = "This message was deleted."


class Conversation(Directory):
    """A directory whose channels hold messages. `pings` lists everyone the bot's messages notified."""

    def __init__(self, *, name: str, team_id: str, bot_name: str, now: Callable[[], float]) -> None:
        super().__init__(name=name, team_id=team_id, bot_name=bot_name, now=now)
        self.log = MessageLog()
        self.files = Files()
        self.pings: list[Ping] = []

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
        """Return the message a reply goes under.

        Raises:
            Refused: `thread_not_found` or `cannot_reply_to_message`.

        """
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
