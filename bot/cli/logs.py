"""The log: what is worth a line, and how a line is written."""

import logging

from bot.runtime.log_rate import RepeatFilter
from bot.visible_text import visible, visible_line

OWN_LOGGERS = ("bot", "memalign", "storage")
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class VisibleFormatter(logging.Formatter):
    """Writes each message in one line, so that text from outside neither steers a terminal nor poses as a line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line of a record."""
        record.message = visible_line(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: "logging._SysExcInfoType") -> str:  # noqa: N802
        """Return the lines of a traceback."""
        return visible(super().formatException(ei))


def configure_logging() -> None:
    """Write the log to standard error: our own lines from INFO on, those of libraries from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(VisibleFormatter(FORMAT))
    # Bolt and the models' SDKs give their loggers levels of their own, so a filter does it
    handler.addFilter(is_worth_a_line)
    handler.addFilter(RepeatFilter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Leave out the steps that libraries log, such as each request of an HTTP client."""
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in OWN_LOGGERS
