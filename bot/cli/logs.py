"""The log: what is worth a line, and how a line is written."""

import logging
import os
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType

from pythonjsonlogger.json import JsonFormatter

from bot.config import LOG_LEVELS, LogLevel, LogSettings
from bot.runtime.log_rate import RepeatFilter
from bot.visible_text import visible, visible_line
from memalign.errors import SettingsError

OWN_LOGGERS = ("bot", "memalign", "storage")
TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
JSON_FIELDS = {"levelname": "level", "name": "logger", "message": "message"}
"""Attributes of a record, and how JSON calls them."""
LEVEL_VARIABLE = "MEMALIGN_LOG_LEVEL"

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class TextFormatter(logging.Formatter):
    """Writes each message in one line, so that text from outside neither steers a terminal nor poses as a line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line of a record."""
        record.message = visible_line(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802
        """Return the lines of a traceback."""
        return visible(traceback_text(ei[1]))


class JsonLineFormatter(JsonFormatter):
    """Writes each record as a JSON object in one line; what was passed as `extra` are fields of it."""

    def __init__(self) -> None:
        super().__init__(list(JSON_FIELDS), rename_fields=JSON_FIELDS, timestamp="time")

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802
        """Return the lines of a traceback."""
        return traceback_text(ei[1])


def traceback_text(error: BaseException | None) -> str:
    """Return where an exception was raised.

    What it says may be in the words of people or models, so that it is told at level DEBUG alone.
    """
    if error is None:
        return ""
    if logging.getLogger().isEnabledFor(logging.DEBUG):
        return "".join(traceback.format_exception(error)).rstrip()
    origin = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    parts = [*getattr(error, "exceptions", ()), *filter(None, [origin])]
    lines = [*traceback.format_tb(error.__traceback__), type(error).__qualname__]
    return "\n\n".join(["".join(lines), *map(traceback_text, parts)])


def configure_logging(settings: LogSettings, environment: Mapping[str, str] = os.environ) -> None:
    """Write the log to standard error: our own lines from the level on, those of libraries from WARNING on.

    Args:
        settings: `[log]`.
        environment: MEMALIGN_LOG_LEVEL is read from it, which comes before the settings.

    Raises:
        SettingsError: MEMALIGN_LOG_LEVEL is no level.
    """
    level = level_in(environment) or settings.level
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLineFormatter() if settings.format == "json" else TextFormatter(TEXT_FORMAT))
    # Bolt and the models' SDKs give their loggers levels of their own, so a filter does it
    handler.addFilter(is_worth_a_line)
    handler.addFilter(RepeatFilter())
    logging.basicConfig(level=level.upper(), handlers=[handler])


def level_in(environment: Mapping[str, str]) -> LogLevel | None:
    """Return the level in MEMALIGN_LOG_LEVEL, None where it is not set. Raises `SettingsError`."""
    text = environment.get(LEVEL_VARIABLE, "").strip()
    for level in LOG_LEVELS:
        if level == text.lower():
            return level
    if text:
        raise SettingsError(f"{LEVEL_VARIABLE} is {text!r}; expected one of {', '.join(LOG_LEVELS)}.")
    return None


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Leave out the steps that libraries log, such as each request of an HTTP client."""
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in OWN_LOGGERS
