"""The `files.*` methods: the two-step upload and the description of a file."""

from collections.abc import Mapping
from dataclasses import replace

from bot.sandbox.web_api.arguments import Arguments
from bot.sandbox.web_api.chat import new_message
from bot.sandbox.web_api.context import ApiContext, Method
from bot.sandbox.web_api.message_rules import message_content
from bot.sandbox.web_api.objects import file_object
from bot.sandbox.workspace.errors import SlackError, invalid_arguments
from bot.sandbox.workspace.records import File, Payload


def _get_upload_url(context: ApiContext, arguments: Arguments) -> Payload:
    length = arguments.require("length")
    if not length.isdigit() or int(length) < 1:
        raise invalid_arguments("must be a positive number of bytes: length")
    file = context.workspace.files.announce(
        name=arguments.require("filename"),
        size=int(length),
        user=context.workspace.bot.id,
        created=int(context.workspace.clock.now()),
    )
    return {"upload_url": f"{context.base_url()}/upload/v1/{file.id}", "file_id": file.id}


def _complete_upload(context: ApiContext, arguments: Arguments) -> Payload:
    wanted = arguments.json_value("files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(item, dict) for item in wanted):
        raise invalid_arguments("missing required field: files")
    files = [_uploaded(context, item) for item in wanted]
    channel_id = arguments.text("channel_id")
    if channel_id is not None:
        _share(context, arguments, channel_id, files)
    return {"files": [file_object(context.workspace, context.workspace.files.get(file.id)) for file in files]}


def _uploaded(context: ApiContext, item: Payload) -> File:
    file = context.workspace.files.get(str(item.get("id")))
    if file.content is None:
        raise SlackError("file_not_found", f"Nothing was uploaded for the file {file.id}.")
    return replace(file, title=str(item.get("title") or file.name))


def _share(context: ApiContext, arguments: Arguments, channel_id: str, files: list[File]) -> None:
    channel = context.writable_channel(channel_id)
    thread_ts = arguments.text("thread_ts")
    if thread_ts is not None:
        context.workspace.parent(channel.id, thread_ts)
    for file in files:
        context.workspace.files.put(replace(file, shared=(*file.shared, channel.id)))
    content = message_content(arguments.text("initial_comment") or "", None, None, None)
    message = new_message(context, channel.id, content, thread_ts=thread_ts)
    context.workspace.add_message(replace(message, files=tuple(file.id for file in files)))


def _info(context: ApiContext, arguments: Arguments) -> Payload:
    file = context.workspace.files.get(arguments.require("file", "file_not_found"))
    return {"file": file_object(context.workspace, file)}


METHODS: Mapping[str, Method] = {
    "files.getUploadURLExternal": Method(handler=_get_upload_url, scopes=("files:write",)),
    "files.completeUploadExternal": Method(handler=_complete_upload, scopes=("files:write",)),
    "files.info": Method(handler=_info, scopes=("files:read",)),
}
