"""Uploaded files: announced, then uploaded, then shared."""

import mimetypes
from dataclasses import replace

from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import File


class Files:
    """The workspace's files by id."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}

    def announce(self, *, name: str, size: int, user: str, created: int) -> File:
        """Make room for a file of `size` bytes that will be uploaded next."""
        kind = mimetypes.guess_type(name)[0] or "text/plain"
        file = File(
            id=f"F{len(self._files) + 1:010d}",
            name=name,
            title=name,
            user=user,
            size=size,
            mimetype=kind,
            created=created,
        )
        return self.put(file)

    def upload(self, file_id: str, content: bytes) -> File:
        """Take the bytes of an announced file."""
        return self.put(replace(self.get(file_id), content=content, size=len(content)))

    def get(self, file_id: str) -> File:
        """Return a file; refuses with `file_not_found`."""
        if file_id not in self._files:
            raise SlackError("file_not_found", f"There is no file {file_id}.")
        return self._files[file_id]

    def put(self, file: File) -> File:
        """Add the file or replace it."""
        self._files[file.id] = file
        return file

    def all(self) -> list[File]:
        """List all files."""
        return list(self._files.values())
