"""Repeated warnings are written once a minute, with a count."""

import logging

from bot.runtime.log_rate import MAX_KINDS, MAX_LINES_OF_ONE_KIND, RepeatFilter


class Log:
    """Return the written lines of the records that pass the filter."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lines: list[str] = []
        self._filter = RepeatFilter(lambda: self.now)

    def write(self, message: str, *args: object, name: str = "bot.x", level: int = logging.WARNING) -> None:
        record = logging.LogRecord(name, level, __file__, 1, message, args, None)
        if self._filter.filter(record):
            self.lines.append(record.getMessage())


def test_the_same_warning_is_written_once_a_minute_with_a_count() -> None:
    log = Log()
    for second in range(61):
        log.now = second
        log.write("trace %s waits", "t")
    assert log.lines == ["trace t waits", "trace t waits (59 more like this were left out)"]


def test_errors_of_the_event_loop_and_of_the_server_are_limited_too() -> None:
    log = Log()
    for _ in range(8_000):
        log.write("socket.accept() out of system resource", name="asyncio", level=logging.ERROR)
        log.write("Error handling request from %s", "10.0.0.1", name="aiohttp.server", level=logging.ERROR)
    assert len(log.lines) == 2


def test_warnings_that_differ_in_the_trace_alone_are_limited_together() -> None:
    log = Log()
    for number in range(10_000):
        log.write("trace %s waits", f"t{number}")
    log.write("post %s waits", "p")
    assert len(log.lines) == MAX_LINES_OF_ONE_KIND + 1
    assert log.lines[-1] == "post p waits"


def test_steps_and_errors_that_people_look_for_by_an_id_are_all_written() -> None:
    log = Log()
    for _ in range(3):
        log.write("started", level=logging.INFO)
        log.write("error %s in %s", "1234abcd", "judging", name="bot.runtime.health", level=logging.ERROR)
    assert len(log.lines) == 6


def test_text_that_never_repeats_takes_no_more_memory_and_is_written() -> None:
    log = Log()
    for number in range(3 * MAX_KINDS):
        log.write(f"line {number}")
    assert len(log.lines) == 3 * MAX_KINDS
