"""Answers of Slack's Web API, read up to a size."""

from aiohttp import ClientPayloadError, ClientResponse

MAX_ANSWER_BYTES = 10_000_000
"""Most bytes of an answer, unpacked; a full page of messages with metadata is some 2 MB."""


class AnswerTooLargeError(ClientPayloadError):
    """An answer is longer than `MAX_ANSWER_BYTES`."""


class BoundedResponse(ClientResponse):
    """A response whose body ends in an error where it is longer than `MAX_ANSWER_BYTES`."""

    async def read(self) -> bytes:
        """Read the body. Raises `AnswerTooLargeError`."""
        if self._body is None:
            body = bytearray()
            async for chunk in self.content.iter_any():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    self.close()
                    raise AnswerTooLargeError
            self._body = bytes(body)
        return await super().read()
