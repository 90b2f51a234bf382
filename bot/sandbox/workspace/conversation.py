"""The messages of the workspace: adding, changing and deleting them, and the people they mention."""

from collections.abc import Callable

from bot.sandbox.workspace.changes import MessageChanged, MessageDeleted, MessagePosted
from bot.sandbox.workspace.directory import Directory
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.files import Files
from bot.sandbox.workspace.message_log import MessageLog
from bot.sandbox.workspace.mrkdwn import mentioned_targets
from bot.sandbox.workspace.records import Mention, Message

TOMBSTONE_TEXT = "This message was deleted."


class Conversation(Directory):
    """A directory whose channels hold messages. `mentions` lists everyone the bot's messages mentioned."""

    def __init__(self, *, name: str, team_id: str, bot_name: str, now: Callable[[], float]) -> None:
        super().__init__(name=name, team_id=team_id, bot_name=bot_name, now=now)
        self.log = MessageLog()
        self.files = Files()
        self.mentions: list[Mention] = []

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
            raise SlackError("message_not_found", "That message is not there any more.")
        return message

    def parent(self, channel_id: str, thread_ts: str) -> Message:
        """Return the message a reply goes under.

        Raises:
            SlackError: `thread_not_found` or `cannot_reply_to_message`.

        """
        parent = self.log.get(channel_id, thread_ts)
        if parent is None:
            raise SlackError("thread_not_found", "The message to reply to is not there any more.")
        if parent.thread_ts is not None:
            raise SlackError("cannot_reply_to_message", "A reply cannot have replies; reply to its parent.")
        return parent

    def add_message(self, message: Message) -> Message:
        """Add a new message."""
        self.log.put(message)
        self._record_mentions(message, [])
        self.notify(MessagePosted(message=message))
        return message

    def update_message(self, message: Message) -> Message:
        """Replace a message by its changed self."""
        previous = self.message(message.channel, message.ts)
        self.log.put(message)
        self._record_mentions(
            message, mentioned_targets(previous.text, previous.blocks, previous.attachments)
        )
        self.notify(MessageChanged(message=message, previous=previous, ts=self.clock.mint()))
        return message

    def delete_message(self, message: Message) -> None:
        """Delete a message; a tombstone stays while it has replies."""
        ts = self.clock.mint()
        if self.log.replies(message.channel, message.ts):
            tombstone = Message(
                ts=message.ts, channel=message.channel, user="USLACKBOT", text=TOMBSTONE_TEXT, tombstone=True
            )
            self.log.put(tombstone)
            self.notify(MessageChanged(message=tombstone, previous=message, ts=ts))
            return
        self.log.delete(message)
        self.notify(MessageDeleted(previous=message, ts=ts))
        self._delete_bare_tombstone(message)

    def _delete_bare_tombstone(self, reply: Message) -> None:
        tombstone = self.log.get(reply.channel, reply.thread_ts) if reply.thread_ts else None
        if (
            tombstone is not None
            and tombstone.tombstone
            and not self.log.replies(tombstone.channel, tombstone.ts)
        ):
            self.log.delete(tombstone)
            self.notify(MessageDeleted(previous=tombstone, ts=self.clock.mint()))

    def _record_mentions(self, message: Message, before: list[str]) -> None:
        if message.user == self.bot.id:
            for target in mentioned_targets(message.text, message.blocks, message.attachments):
                if target not in before:
                    self.mentions.append(Mention(channel=message.channel, ts=message.ts, target=target))
