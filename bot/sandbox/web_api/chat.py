"""The `chat.*` methods: posting, updating and deleting messages of the bot."""

from collections.abc import Mapping
from dataclasses import replace

from bot.sandbox.web_api.arguments import Arguments
from bot.sandbox.web_api.context import ApiContext, Method
from bot.sandbox.web_api.message_rules import (
    MAX_UPDATE_CHARACTERS,
    MessageContent,
    message_content,
    require_content,
)
from bot.sandbox.web_api.objects import message_object
from bot.sandbox.web_api.stored_blocks import with_defaults
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Edit, Message, Payload


def _content_of(context: ApiContext, arguments: Arguments) -> MessageContent:
    return message_content(
        arguments.text("text"),
        arguments.json_value("blocks", "invalid_blocks_format"),
        arguments.json_value("attachments", "invalid_attachments"),
        arguments.json_value("metadata", "invalid_metadata_format"),
        context.unknown_blocks,
    )


def new_message(
    context: ApiContext, channel_id: str, content: MessageContent, *, thread_ts: str | None
) -> Message:
    """Return a new message of the bot with checked content."""
    return Message(
        ts=context.workspace.clock.mint(),
        channel=channel_id,
        user=context.workspace.bot.id,
        text=content.text or "",
        blocks=with_ids(context, content.blocks),
        attachments=content.attachments,
        metadata=content.metadata or None,
        thread_ts=thread_ts,
    )


def with_ids(context: ApiContext, blocks: list[Payload] | None) -> list[Payload] | None:
    """Return blocks as Slack keeps them; an empty list is no blocks."""
    return with_defaults(blocks, context.workspace.next_block_id(len(blocks))) if blocks else None


def _post_message(context: ApiContext, arguments: Arguments) -> Payload:
    channel = context.writable_channel(arguments.require("channel", "channel_not_found"))
    content = _content_of(context, arguments)
    require_content(content)
    thread_ts = arguments.text("thread_ts")
    if thread_ts is not None:
        context.workspace.parent(channel.id, thread_ts)
    context.require_pace(channel)
    message = new_message(context, channel.id, content, thread_ts=thread_ts)
    broadcast = thread_ts is not None and arguments.flag("reply_broadcast")
    context.workspace.add_message(replace(message, broadcast=broadcast))
    answer: Payload = {
        "channel": channel.id,
        "ts": message.ts,
        "message": message_object(context.workspace, message, metadata=True),
    }
    if content.truncated:
        answer |= {"warning": "message_truncated", "response_metadata": {"warnings": ["message_truncated"]}}
    return answer


def _update(context: ApiContext, arguments: Arguments) -> Payload:
    channel = context.visible_channel(arguments.require("channel", "channel_not_found"))
    message = context.workspace.message(channel.id, arguments.require("ts", "message_not_found"))
    if message.user != context.workspace.bot.id:
        raise SlackError("cant_update_message")
    if channel.archived:
        raise SlackError("is_archived")
    if len(arguments.text("text") or "") > MAX_UPDATE_CHARACTERS:
        raise SlackError(
            "msg_too_long", f"chat.update takes at most {MAX_UPDATE_CHARACTERS} characters of text."
        )
    content = _content_of(context, arguments)
    if content.text is None and content.blocks is None and content.attachments is None:
        raise SlackError("no_text")
    changed = context.workspace.update_message(_updated(context, message, content))
    shown = message_object(context.workspace, changed, metadata=True)
    return {"channel": channel.id, "ts": changed.ts, "text": changed.text, "message": shown}


def _updated(context: ApiContext, message: Message, content: MessageContent) -> Message:
    """Return the message with the fields the call names; an empty list or object clears a field."""
    text = message.text if content.text is None else content.text
    blocks = message.blocks if content.blocks is None else with_ids(context, content.blocks)
    attachments = message.attachments if content.attachments is None else content.attachments or None
    metadata = message.metadata if content.metadata is None else content.metadata or None
    if not (text.strip() or blocks or attachments):
        raise SlackError("no_text")
    edited = message.edited
    if text != message.text and not blocks:  # Slack marks only plain messages of apps as edited
        edited = Edit(user=context.workspace.bot.id, ts=context.workspace.clock.mint())
    return replace(
        message, text=text, blocks=blocks, attachments=attachments, metadata=metadata, edited=edited
    )


def _delete(context: ApiContext, arguments: Arguments) -> Payload:
    channel = context.visible_channel(arguments.require("channel", "channel_not_found"))
    message = context.workspace.message(channel.id, arguments.require("ts", "message_not_found"))
    if message.user != context.workspace.bot.id:
        raise SlackError("cant_delete_message")
    context.workspace.delete_message(message)
    return {"channel": channel.id, "ts": message.ts}


def _post_ephemeral(context: ApiContext, arguments: Arguments) -> Payload:
    channel = context.writable_channel(arguments.require("channel", "channel_not_found"))
    user = context.workspace.user(arguments.require("user"))
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    content = _content_of(context, arguments)
    require_content(content)
    message = new_message(context, channel.id, content, thread_ts=arguments.text("thread_ts"))
    context.workspace.person_views.show(replace(message, only_for=user.id, metadata=None))
    return {"message_ts": message.ts}


def _permalink(context: ApiContext, arguments: Arguments) -> Payload:
    channel = context.visible_channel(arguments.require("channel", "channel_not_found"))
    message = context.workspace.message(channel.id, arguments.require("message_ts", "message_not_found"))
    address = (
        f"https://{context.workspace.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    )
    if message.thread_ts:
        address += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": address}


METHODS: Mapping[str, Method] = {
    "chat.postMessage": Method(handler=_post_message, scopes=("chat:write",)),
    "chat.update": Method(handler=_update, scopes=("chat:write",)),
    "chat.delete": Method(handler=_delete, scopes=("chat:write",)),
    "chat.postEphemeral": Method(handler=_post_ephemeral, scopes=("chat:write",)),
    "chat.getPermalink": Method(handler=_permalink),
}
