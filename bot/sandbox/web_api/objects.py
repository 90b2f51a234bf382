"""Records as the JSON objects of Slack's API and events."""

from bot.sandbox.workspace.records import Channel, File, Message, Payload, User, View
from bot.sandbox.workspace.workspace import Workspace


def message_object(
    workspace: Workspace, message: Message, *, metadata: bool = False, thread: bool = True
) -> Payload:
    """Render a message; `metadata` and the `thread`'s counters only where Slack gives them."""
    shown: Payload = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
    shown |= _marks(workspace, message) | _content(workspace, message)
    if metadata and message.metadata:
        shown["metadata"] = message.metadata
    if message.thread_ts:
        shown |= _reply_marks(workspace, message)
    elif thread:
        shown |= _thread_counters(workspace, message)
    return shown


def _marks(workspace: Workspace, message: Message) -> Payload:
    if message.tombstone:
        return {"subtype": "tombstone", "hidden": True}
    if message.subtype:
        return {"subtype": message.subtype}
    marks: Payload = {"team": workspace.team_id}
    author = workspace.user(message.user)
    if author.bot_id:
        marks |= _bot_marks(workspace, author)
    if message.client_msg_id:
        marks["client_msg_id"] = message.client_msg_id
    return marks


def _content(workspace: Workspace, message: Message) -> Payload:
    blocks = message.blocks if message.blocks is not None else _composer_blocks(workspace, message)
    edited = message.edited and {"user": message.edited.user, "ts": message.edited.ts}
    parts: Payload = {
        "blocks": blocks,
        "attachments": message.attachments,
        "files": [file_object(workspace, workspace.files.get(file_id)) for file_id in message.files],
        "edited": edited,
        "reactions": reactions_object(message),
    }
    return {name: part for name, part in parts.items() if part}


def reactions_object(message: Message) -> list[Payload]:
    """Render the reactions under a message."""
    return [
        {"name": reaction.name, "users": list(reaction.users), "count": len(reaction.users)}
        for reaction in message.reactions
    ]


def user_object(workspace: Workspace, user: User) -> Payload:
    """Render a person or the bot's user."""
    team_id = user.team_id or workspace.team_id
    shown: Payload = {
        "id": user.id,
        "team_id": team_id,
        "name": user.name,
        "deleted": False,
        "real_name": user.real_name,
        "tz": "Etc/UTC",
        "tz_offset": 0,
        "profile": {"real_name": user.real_name, "display_name": user.real_name, "team": team_id},
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "updated": 0,
    }
    return shown | {"is_stranger": True} if user.team_id else shown


def channel_object(workspace: Workspace, channel: Channel) -> Payload:
    """Render a conversation as the bot sees it."""
    if channel.kind == "im":
        return {"id": channel.id, "created": channel.created, "is_im": True, "user": channel.partner}
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_member": workspace.bot.id in channel.members,
        "created": channel.created,
        "creator": channel.creator,
        "num_members": len(channel.members),
        "context_team_id": workspace.team_id,
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def file_object(workspace: Workspace, file: File) -> Payload:
    """Render a file."""
    return {
        "id": file.id,
        "created": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "user": file.user,
        "user_team": workspace.team_id,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "channels": list(file.shared),
        "url_private": f"https://files.slack.com/files-pri/{workspace.team_id}-{file.id}/{file.name}",
        "permalink": f"https://{workspace.domain}.slack.com/files/{file.user}/{file.id}/{file.name}",
    }


def view_object(workspace: Workspace, view: View) -> Payload:
    """Render an open modal or a home."""
    blank: Payload = {"private_metadata": "", "callback_id": "", "external_id": ""}
    if view.content["type"] == "modal":
        blank |= {"close": None, "submit": None, "clear_on_close": False, "notify_on_close": False}
    return {
        **blank,
        **view.content,
        "id": view.id,
        "team_id": workspace.team_id,
        "app_id": workspace.app_id,
        "app_installed_team_id": workspace.team_id,
        "bot_id": workspace.bot_id,
        "state": {"values": view.state},
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
    }


def _bot_marks(workspace: Workspace, author: User) -> Payload:
    profile = {
        "id": author.bot_id,
        "app_id": author.app_id,
        "user_id": author.id,
        "name": author.name,
        "deleted": False,
        "team_id": workspace.team_id,
    }
    return {"bot_id": author.bot_id, "app_id": author.app_id, "bot_profile": profile}


def _composer_blocks(workspace: Workspace, message: Message) -> list[Payload] | None:
    """Render a person's text as rich text too, as Slack's composer does."""
    if message.user == workspace.bot.id or message.tombstone or message.subtype:
        return None
    line: Payload = {"type": "rich_text_section", "elements": [{"type": "text", "text": message.text}]}
    return [{"type": "rich_text", "block_id": f"rt{message.ts}", "elements": [line]}]


def _reply_marks(workspace: Workspace, message: Message) -> Payload:
    parent = workspace.log.get(message.channel, message.thread_ts or "")
    marks: Payload = {"thread_ts": message.thread_ts}
    if parent is not None:
        marks["parent_user_id"] = parent.user
    if message.broadcast:
        marks["subtype"] = "thread_broadcast"
    return marks


def _thread_counters(workspace: Workspace, message: Message) -> Payload:
    replies = workspace.log.replies(message.channel, message.ts)
    if not replies:
        return {}
    people = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users": people,
        "reply_users_count": len(people),
        "latest_reply": replies[-1].ts,
        "is_locked": False,
        "subscribed": False,
    }
