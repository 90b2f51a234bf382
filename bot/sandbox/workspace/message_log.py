"""The messages of all channels, with an index of threads."""

from bot.sandbox.workspace.records import Message


class MessageLog:
    """Messages by channel, in the order they were added; permissions are checked by its callers."""

    def __init__(self) -> None:
        self._channels: dict[str, dict[str, Message]] = {}
        self._threads: dict[tuple[str, str], dict[str, Message]] = {}

    def put(self, message: Message) -> None:
        """Add the message, or replace the one at its time."""
        self._channels.setdefault(message.channel, {})[message.ts] = message
        if message.thread_ts is not None:
            self._threads.setdefault((message.channel, message.thread_ts), {})[message.ts] = message

    def delete(self, message: Message) -> None:
        """Delete the message."""
        del self._channels[message.channel][message.ts]
        if message.thread_ts is not None:
            del self._threads[message.channel, message.thread_ts][message.ts]

    def get(self, channel_id: str, ts: str) -> Message | None:
        """Return the message at that time, or None."""
        return self._channels.get(channel_id, {}).get(ts)

    def channel(self, channel_id: str) -> list[Message]:
        """List every message of a channel, replies included, oldest first."""
        return list(self._channels.get(channel_id, {}).values())

    def replies(self, channel_id: str, ts: str) -> list[Message]:
        """List the replies under a message, oldest first."""
        return list(self._threads.get((channel_id, ts), {}).values())

    def thread(self, channel_id: str, ts: str) -> list[Message]:
        """List a message and its replies; empty when there is no such message."""
        parent = self.get(channel_id, ts)
        return [] if parent is None else [parent, *self.replies(channel_id, ts)]

    def all(self) -> list[Message]:
        """List all messages of all channels."""
        return [message for channel in self._channels.values() for message in channel.values()]
