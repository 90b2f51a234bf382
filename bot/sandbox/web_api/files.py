"""The `files.*` methods: the two-step upload and the description of a file."""

from collections.abc import Mapping
from dataclasses import replace

from bot.sandbox.web_api.arguments import Arguments
from bot.sandbox.web_api.chat import new_message
from bot.sandbox.web_api.context import Desk, Method
from bot.sandbox.web_api.message_rules import draft
from bot.sandbox.web_api.objects import file_object
from bot.sandbox.workspace.errors import Refused, invalid_arguments
from bot.sandbox.workspace.records import File, Payload


def _get_upload_url(desk: Desk, arguments: Arguments) -> Payload:
    length = arguments.need("length")
    if not length.isdigit() or int(length) < 1:
        raise invalid_arguments("must be a positive number of bytes: length")
    file = desk.workspace.files.announce(
        name=arguments.need("filename"),
        size=int(length),
        user=desk.workspace.bot.id,
        created=int(desk.workspace.clock.now()),
    )
    return {"upload_url": f"{desk.base_url()}/upload/v1/{file.id}", "file_id": file.id}


def _complete_upload(desk: Desk, arguments: Arguments) -> Payload:
    wanted = arguments.data("files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(item, dict) for item in wanted):
        raise invalid_arguments("missing required field: files")
    files = [_uploaded(desk, item) for item in wanted]
    channel_id = arguments.text("channel_id")
    if channel_id is not None:
        _share(desk, arguments, channel_id, files)
    return {"files": [file_object(desk.workspace, desk.workspace.files.get(file.id)) for file in files]}


def _uploaded(desk: Desk, item: Payload) -> File:
    file = desk.workspace.files.get(str(item.get("id")))
    if file.content is None:
        raise Refused("file_not_found", f"Nothing was uploaded for the file {file.id}.")
    return replace(file, title=str(item.get("title") or file.name))


def _share(desk: Desk, arguments: Arguments, channel_id: str, files: list[File]) -> None:
    channel = desk.writable(channel_id)
    thread_ts = arguments.text("thread_ts")
    if thread_ts is not None:
        desk.workspace.parent(channel.id, thread_ts)
    for file in files:
        desk.workspace.files.put(replace(file, shared=(*file.shared, channel.id)))
    content = draft(arguments.text("initial_comment") or "", None, None, None)
    message = new_message(desk, channel.id, content, thread_ts=thread_ts)
    desk.workspace.publish(replace(message, files=tuple(file.id for file in files)))


def _info(desk: Desk, arguments: Arguments) -> Payload:
    file = desk.workspace.files.get(arguments.need("file", "file_not_found"))
    return {"file": file_object(desk.workspace, file)}


METHODS: Mapping[str, Method] = {
    "files.getUploadURLExternal": Method(handler=_get_upload_url, scopes=("files:write",)),
    "files.completeUploadExternal": Method(handler=_complete_upload, scopes=("files:write",)),
    "files.info": Method(handler=_info, scopes=("files:read",)),
}
