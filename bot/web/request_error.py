"""Requests that are refused."""

from aiohttp import web

from memalign.errors import MemAlignError


class RequestError(MemAlignError):
    """A request is refused, with a status and a sentence; the connection is closed after it."""

    def __init__(self, status: int, sentence: str, *, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after = retry_after

    def response(self) -> web.Response:
        """Return the answer."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        response = web.json_response({"error": str(self)}, status=self.status, headers=headers)
        response.force_close()  # the rest of the body, or what follows a body that is none, is not waited for
        return response
