"""Turns of editing one message: of two edits at a time, the later one must be the last that Slack gets."""

import asyncio
from weakref import WeakValueDictionary


class MessageEdits:
    """Hands out a lock for each message that is being edited."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def turn(self, channel: str, ts: str) -> asyncio.Lock:
        """Return the lock of a message, to be held from the reading of what it is to show to Slack's answer."""
        return self._locks.setdefault((channel, ts), asyncio.Lock())
