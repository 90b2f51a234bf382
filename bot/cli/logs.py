"""The log: what is worth a line, and how a line is written. At no level does it hold the words of people or models."""

import linecache
import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from bot.config import LOG_LEVELS, LogLevel, LogSettings
from bot.runtime.log_rate import RepeatFilter
from bot.visible_text import visible, visible_line
from memalign.errors import SettingsError

log = logging.getLogger(__name__)

OWN_LOGGERS = ("bot", "memalign", "storage")
TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
JSON_FIELDS = {"levelname": "level", "name": "logger", "message": "message"}
"""Attributes of a record, and how JSON calls them."""
LEVEL_VARIABLE = "MEMALIGN_LOG_LEVEL"
QUOTED = re.compile("“.*”", re.DOTALL)
"""From the first quotation mark to the last, since what is quoted may hold some."""
MAX_LINES_OF_STATEMENT = 8
"""Of a library's code that is shown for what it logs."""

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
    """Return where an exception was raised, without what it says: that may be in the words of people or models."""
    if error is None:
        return ""
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
    handler.addFilter(withhold_words)
    handler.addFilter(RepeatFilter())
    # an SDK that is told to log by a variable of its own may have added a handler that writes prompts
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    sys.excepthook = _log_uncaught


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("the program ends by a mistake in it", exc_info=(kind, error, trace))


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
    return record.levelno >= logging.WARNING or _is_own(record)


def withhold_words(record: logging.LogRecord) -> bool:
    """Leave out what a message quotes.

    Our own sentences have words of people, models and services between quotation marks. A library's message may quote
    anything that passes by, so that the statement which logs it stands in its place.
    """
    if _is_own(record):
        text = record.getMessage()
        if "“" in text:
            record.msg, record.args = QUOTED.sub("“…”", text), ()
    else:
        for name in vars(record).keys() - set(RESERVED_ATTRS) - {"message"}:
            delattr(record, name)
        record.msg, record.args = statement_of(record), ()
        record.stack_info = None
    return True


def statement_of(record: logging.LogRecord) -> str:
    """Return the place in the code, and the statement there, from which a record comes."""
    place = f"{record.module}.py, line {record.lineno}"
    statement = ""
    for line in linecache.getlines(record.pathname)[record.lineno - 1 :][:MAX_LINES_OF_STATEMENT]:
        statement += f" {line.strip()}"
        if statement.count("(") <= statement.count(")"):
            break
    return f"{place}:{statement}" if statement else place


def _is_own(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OWN_LOGGERS
