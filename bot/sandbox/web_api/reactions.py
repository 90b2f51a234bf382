"""The `reactions.*` methods."""

from collections.abc import Mapping

from bot.sandbox.web_api.arguments import Arguments
from bot.sandbox.web_api.context import ApiContext, Method
from bot.sandbox.web_api.conversations import page
from bot.sandbox.web_api.objects import message_object
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Message, Payload


def _target(context: ApiContext, arguments: Arguments) -> Message:
    if "channel" not in arguments or "timestamp" not in arguments:
        raise SlackError("no_item_specified", "A reaction needs a channel and a timestamp.")
    channel = context.visible_channel(arguments.require("channel"))
    context.require_member(channel)
    return context.workspace.message(channel.id, arguments.require("timestamp"))


def _add(context: ApiContext, arguments: Arguments) -> Payload:
    message = _target(context, arguments)
    context.workspace.react(
        context.workspace.bot.id, message.channel, message.ts, arguments.require("name", "invalid_name")
    )
    return {}


def _remove(context: ApiContext, arguments: Arguments) -> Payload:
    message = _target(context, arguments)
    context.workspace.unreact(
        context.workspace.bot.id, message.channel, message.ts, arguments.require("name", "invalid_name")
    )
    return {}


def _get(context: ApiContext, arguments: Arguments) -> Payload:
    return _item(context, _target(context, arguments))


def _list(context: ApiContext, arguments: Arguments) -> Payload:
    user_id = arguments.text("user") or context.workspace.bot.id
    context.workspace.user(user_id)
    found = [
        message
        for message in context.workspace.log.all()
        if any(user_id in reaction.users for reaction in message.reactions)
        and context.workspace.bot.id in context.workspace.channel(message.channel).members
    ]
    cut, more = page(found, arguments)
    return {"items": [_item(context, message) for message in cut], **more}


def _item(context: ApiContext, message: Message) -> Payload:
    shown = message_object(context.workspace, message)
    return {"type": "message", "channel": message.channel, "message": shown}


METHODS: Mapping[str, Method] = {
    "reactions.add": Method(handler=_add, scopes=("reactions:write",)),
    "reactions.remove": Method(handler=_remove, scopes=("reactions:write",)),
    "reactions.get": Method(handler=_get, scopes=("reactions:read",)),
    "reactions.list": Method(handler=_list, scopes=("reactions:read",)),
}
