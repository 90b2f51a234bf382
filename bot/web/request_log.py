"""The HTTP server's log of requests that it cannot read, without anything that was in them."""

import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.runtime.log_throttle import LogThrottle


class _WithoutContents(logging.Filter):
    """Takes the quoted bytes out of a record: aiohttp quotes a header that is too long, `Authorization` as well."""

    def __init__(self) -> None:
        super().__init__()
        self._throttle = LogThrottle()

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError | web.RequestPayloadError):
            return True
        left_out = self._throttle.admit("unreadable request")
        record.exc_info = record.exc_text = None
        record.msg = "a request was refused, since the server cannot read it (%s), %d more before"
        record.args = (type(error).__name__, left_out or 0)
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        return left_out is not None


def request_logger() -> logging.Logger:
    """Return the logger for aiohttp's server."""
    logger = logging.getLogger(__name__)
    logger.filters.clear()  # those of a server before this one
    logger.addFilter(_WithoutContents())
    return logger
