"""The HTTP server's log of requests that it cannot read, without anything that was in them."""

import logging

from aiohttp.http_exceptions import HttpProcessingError


class _WithoutContents(logging.Filter):
    """Takes the quoted bytes out of a record: aiohttp quotes a header that is too long, `Authorization` as well."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.exc_info = record.exc_text = None
            record.msg = "a request was refused, since the server cannot read it (%s)"
            record.args = (type(error).__name__,)
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def request_logger() -> logging.Logger:
    """Return the logger for aiohttp's server."""
    logger = logging.getLogger(__name__)
    if not logger.filters:
        logger.addFilter(_WithoutContents())
    return logger
