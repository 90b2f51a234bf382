"""Records as JSON and back, to save a workspace and load it again."""

import base64
from collections.abc import Iterable
from dataclasses import asdict

from bot.sandbox.workspace.records import Channel, Edit, File, Message, Payload, Reaction, User, View

SNAPSHOT_VERSION = 1


def to_json(records: Iterable[User | Channel | Message | File | View]) -> list[Payload]:
    """Render records as JSON objects."""
    return [{key: _plain(value) for key, value in asdict(record).items()} for record in records]


def user_from_json(document: Payload) -> User:
    """Return the user of a snapshot."""
    return User(**document)


def channel_from_json(document: Payload) -> Channel:
    """Return the channel of a snapshot."""
    return Channel(**{**document, "members": tuple(document["members"])})


def message_from_json(document: Payload) -> Message:
    """Return the message of a snapshot."""
    reactions = (
        Reaction(name=reaction["name"], users=tuple(reaction["users"])) for reaction in document["reactions"]
    )
    edited = Edit(**document["edited"]) if document["edited"] else None
    return Message(
        **{**document, "reactions": tuple(reactions), "files": tuple(document["files"]), "edited": edited}
    )


def file_from_json(document: Payload) -> File:
    """Return the file of a snapshot."""
    content = None if document["content"] is None else base64.b64decode(document["content"])
    return File(**{**document, "content": content, "shared": tuple(document["shared"])})


def view_from_json(document: Payload) -> View:
    """Return the view of a snapshot."""
    return View(**document)


def _plain(value: object) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
