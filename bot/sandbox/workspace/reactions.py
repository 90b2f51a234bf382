"""Reactions under a message: pure changes of the message record."""

import re
from dataclasses import replace

from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Message, Reaction

_NAME = re.compile(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?")


def with_reaction(message: Message, user_id: str, name: str) -> Message:
    """Return the message with one more reaction; refuses with `invalid_name` or `already_reacted`."""
    if not _NAME.fullmatch(name):
        raise SlackError("invalid_name", f"“{name}” is no emoji name.")
    users = users_of(message, name)
    if user_id in users:
        raise SlackError("already_reacted", f"You already reacted with :{name}:.")
    if users:
        grown = tuple(
            replace(reaction, users=(*users, user_id)) if reaction.name == name else reaction
            for reaction in message.reactions
        )
    else:
        grown = (*message.reactions, Reaction(name=name, users=(user_id,)))
    return replace(message, reactions=grown)


def without_reaction(message: Message, user_id: str, name: str) -> Message:
    """Return the message without that person's reaction; refuses with `no_reaction`."""
    if user_id not in users_of(message, name):
        raise SlackError("no_reaction", f"You did not react with :{name}:.")
    fewer = (
        replace(reaction, users=tuple(user for user in reaction.users if user != user_id))
        if reaction.name == name
        else reaction
        for reaction in message.reactions
    )
    return replace(message, reactions=tuple(reaction for reaction in fewer if reaction.users))


def users_of(message: Message, name: str) -> tuple[str, ...]:
    """List who put that reaction under the message."""
    return next((reaction.users for reaction in message.reactions if reaction.name == name), ())
