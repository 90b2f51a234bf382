"""Records as JSON and back, so that a workspace outlives its process."""

import base64
from collections.abc import Iterable
from dataclasses import asdict

from bot.sandbox.workspace.records import Channel, Edit, File, Message, Payload, Reaction, User, View

VERSION = 1


def dumped(records: Iterable[User | Channel | Message | File | View]) -> list[Payload]:
    """Render records as JSON objects."""
    return [{key: _plain(value) for key, value in asdict(record).items()} for record in records]


def user(kept: Payload) -> User:
    """Return the user that was dumped."""
    return User(**kept)


def channel(kept: Payload) -> Channel:
    """Return the channel that was dumped."""
    return Channel(**{**kept, "members": tuple(kept["members"])})


def message(kept: Payload) -> Message:
    """Return the message that was dumped."""
    reactions = (Reaction(name=one["name"], users=tuple(one["users"])) for one in kept["reactions"])
    edited = Edit(**kept["edited"]) if kept["edited"] else None
    return Message(**{**kept, "reactions": tuple(reactions), "files": tuple(kept["files"]), "edited": edited})


def file(kept: Payload) -> File:
    """Return the file that was dumped."""
    content = None if kept["content"] is None else base64.b64decode(kept["content"])
    return File(**{**kept, "content": content, "shared": tuple(kept["shared"])})


def view(kept: Payload) -> View:
    """Return the view that was dumped."""
    return View(**kept)


def _plain(value: object) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
