"""The `conversations.*` methods: channels, their members and messages."""

import base64
from collections.abc import Mapping, Sequence
from typing import TypeVar

from bot.sandbox.web_api.arguments import Arguments
from bot.sandbox.web_api.context import ApiContext, Method
from bot.sandbox.web_api.objects import channel_object, message_object
from bot.sandbox.workspace.errors import SlackError, invalid_arguments
from bot.sandbox.workspace.records import Channel, Message, Payload

Item = TypeVar("Item")
_READ = ("channels:read", "groups:read", "im:read")
_HISTORY = ("channels:history", "groups:history", "im:history")
_TYPES = {"public_channel": "channel", "private_channel": "group", "im": "im"}
_TYPE_SCOPES = {"public_channel": "channels:read", "private_channel": "groups:read", "im": "im:read"}


def page(items: Sequence[Item], arguments: Arguments, *, default: int = 100) -> tuple[list[Item], Payload]:
    """Cut one page out of a list, by `limit` and `cursor`; returns it with the `response_metadata`."""
    limit = arguments.number("limit", default, 1000)
    start = _offset(arguments.text("cursor"))
    end = start + limit
    following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return list(items[start:end]), {"response_metadata": {"next_cursor": following}}


def _offset(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except ValueError as error:
        raise SlackError("invalid_cursor") from error


def _list(context: ApiContext, arguments: Arguments) -> Payload:
    kinds = set()
    for name in (arguments.text("types") or "public_channel").split(","):
        if name not in _TYPES:
            raise SlackError("invalid_types")
        context.require_scope(_TYPE_SCOPES[name])
        kinds.add(_TYPES[name])
    found = [
        channel
        for channel in context.workspace.channels.values()
        if channel.kind in kinds and not (channel.archived and arguments.flag("exclude_archived"))
        if not channel.private or context.workspace.bot.id in channel.members
    ]
    cut, more = page(found, arguments)
    return {"channels": [channel_object(context.workspace, channel) for channel in cut], **more}


def _info(context: ApiContext, arguments: Arguments) -> Payload:
    channel = context.channel_with_read_scope(arguments.require("channel", "channel_not_found"))
    return {"channel": channel_object(context.workspace, channel)}


def _members(context: ApiContext, arguments: Arguments) -> Payload:
    channel = context.channel_with_read_scope(arguments.require("channel", "channel_not_found"))
    cut, more = page(channel.members, arguments)
    return {"members": cut, **more}


def _history(context: ApiContext, arguments: Arguments) -> Payload:
    channel = context.readable_channel(arguments.require("channel", "channel_not_found"))
    messages = [
        message
        for message in reversed(context.workspace.log.channel(channel.id))
        if (message.thread_ts is None or message.broadcast) and _within(message.ts, arguments)
    ]
    cut, more = page(messages, arguments)
    return _messages(context, arguments, cut, more)


def _replies(context: ApiContext, arguments: Arguments) -> Payload:
    channel = context.readable_channel(arguments.require("channel", "channel_not_found"))
    ts = arguments.require("ts", "thread_not_found")
    thread = context.workspace.log.thread(channel.id, ts)
    if not thread:
        raise SlackError("thread_not_found")
    messages = [thread[0], *(message for message in thread[1:] if _within(message.ts, arguments))]
    cut, more = page(messages, arguments, default=1000)
    return _messages(context, arguments, cut, more)


def _within(ts: str, arguments: Arguments) -> bool:
    time = float(ts)
    try:
        oldest = float(arguments.text("oldest") or 0)
        latest = float(arguments.text("latest") or "inf")
    except ValueError as error:
        raise SlackError("invalid_ts_oldest") from error
    if arguments.flag("inclusive"):
        return oldest <= time <= latest
    return oldest < time < latest


def _messages(context: ApiContext, arguments: Arguments, cut: list[Message], more: Payload) -> Payload:
    metadata = arguments.flag("include_all_metadata")
    has_more = bool(more["response_metadata"]["next_cursor"])
    shown = [message_object(context.workspace, message, metadata=metadata) for message in cut]
    return {"messages": shown, "has_more": has_more, **(more if has_more else {})}


def _join(context: ApiContext, arguments: Arguments) -> Payload:
    channel = context.visible_channel(arguments.require("channel", "channel_not_found"))
    if channel.private:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    answer: Payload = {}
    if context.workspace.bot.id in channel.members:
        answer = {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    context.workspace.join(context.workspace.bot.id, channel.id)
    return {"channel": channel_object(context.workspace, context.workspace.channel(channel.id)), **answer}


def _open(context: ApiContext, arguments: Arguments) -> Payload:
    channel_id = arguments.text("channel")
    if channel_id:
        return {"channel": _opened_channel(context, context.visible_channel(channel_id), arguments)}
    users = [user for user in (arguments.text("users") or "").split(",") if user]
    if len(users) != 1:
        raise invalid_arguments("the sandbox opens direct messages with one person only: users")
    context.workspace.user(users[0])
    return {"channel": _opened_channel(context, context.workspace.direct_message(users[0]), arguments)}


def _opened_channel(context: ApiContext, channel: Channel, arguments: Arguments) -> Payload:
    return channel_object(context.workspace, channel) if arguments.flag("return_im") else {"id": channel.id}


METHODS: Mapping[str, Method] = {
    "conversations.list": Method(handler=_list, scopes=_READ),
    "conversations.info": Method(handler=_info, scopes=_READ),
    "conversations.members": Method(handler=_members, scopes=_READ),
    "conversations.history": Method(handler=_history, scopes=_HISTORY),
    "conversations.replies": Method(handler=_replies, scopes=_HISTORY),
    "conversations.join": Method(handler=_join, scopes=("channels:join",)),
    "conversations.open": Method(handler=_open, scopes=("im:write",)),
}
