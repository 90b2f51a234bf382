"""Errors of tracing tools: a sentence fit for the status, remedy included."""

from memalign.errors import MemAlignError


class ToolError(MemAlignError):
    """A tracing tool did not do what it was asked to."""


class ToolUnavailableError(ToolError):
    """The tool cannot be reached, has too much to do, or fails: worth another try."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        """Take the reason, and the seconds after which the tool asks to be called again; 0 where it does not say."""
        super().__init__(reason)
        self.retry_after = retry_after


class ToolFailedError(ToolUnavailableError):
    """The tool failed at this request (500); it may be down, or stumble over what was asked."""


class ToolRefusedError(ToolError):
    """The tool understood and refuses: a wrong key, an unknown project, a request that it does not take."""

    def __init__(self, reason: str, status: int) -> None:
        """Take the reason, and the HTTP status that it came with."""
        super().__init__(reason)
        self.status = status

    @property
    def is_of_every_request(self) -> bool:
        """True if any other request would be refused as well: the key is wrong, or something else answers there."""
        return (
            self.status in (401, 403) or self.status < 400
        )  # a page to log in at comes with 200, or by a redirect


class GoneError(ToolRefusedError):
    """There is no such thing at the tool, or no more."""
