"""The `reactions.*` methods."""

from collections.abc import Mapping

from bot.sandbox.web_api.arguments import Arguments
from bot.sandbox.web_api.context import Desk, Method
from bot.sandbox.web_api.conversations import page
from bot.sandbox.web_api.objects import message_object
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.records import Message, Payload


def _target(desk: Desk, arguments: Arguments) -> Message:
    if "channel" not in arguments or "timestamp" not in arguments:
        raise Refused("no_item_specified", "A reaction needs a channel and a timestamp.")
    channel = desk.seen(arguments.need("channel"))
    desk.require_member(channel)
    return desk.workspace.message(channel.id, arguments.need("timestamp"))


def _add(desk: Desk, arguments: Arguments) -> Payload:
    message = _target(desk, arguments)
    desk.workspace.react(
        desk.workspace.bot.id, message.channel, message.ts, arguments.need("name", "invalid_name")
    )
    return {}


def _remove(desk: Desk, arguments: Arguments) -> Payload:
    message = _target(desk, arguments)
    desk.workspace.unreact(
        desk.workspace.bot.id, message.channel, message.ts, arguments.need("name", "invalid_name")
    )
    return {}


def _get(desk: Desk, arguments: Arguments) -> Payload:
    return _item(desk, _target(desk, arguments))


def _list(desk: Desk, arguments: Arguments) -> Payload:
    user_id = arguments.text("user") or desk.workspace.bot.id
    desk.workspace.user(user_id)
    found = [
        message
        for message in desk.workspace.log.everything()
        if any(user_id in reaction.users for reaction in message.reactions)
        and desk.workspace.bot.id in desk.workspace.channel(message.channel).members
    ]
    cut, more = page(found, arguments)
    return {"items": [_item(desk, message) for message in cut], **more}


def _item(desk: Desk, message: Message) -> Payload:
    shown = message_object(desk.workspace, message)
    return {"type": "message", "channel": message.channel, "message": shown}


METHODS: Mapping[str, Method] = {
    "reactions.add": Method(handler=_add, scopes=("reactions:write",)),
    "reactions.remove": Method(handler=_remove, scopes=("reactions:write",)),
    "reactions.get": Method(handler=_get, scopes=("reactions:read",)),
    "reactions.list": Method(handler=_list, scopes=("reactions:read",)),
}
