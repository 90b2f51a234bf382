"""Progress of long work on standard error: a bar on a terminal, plain lines otherwise."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from tqdm import tqdm

from bot.visible_text import visible_line

ResultT = TypeVar("ResultT")
LINES_PER_RUN = 10
"""Lines in which a run tells its progress where there is no terminal."""
LINES_PER_REPORT = 100_000
SIZE_POLL_SECONDS = 0.2


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of `total` traces are done.

    Args:
        title: The kind of work, such as `judging`.
        total: The number of traces.

    Yields:
        A function to call with the number of traces done since its last call.
    """
    done = written = 0

    def advance(number: int) -> None:
        nonlocal done, written
        done += number
        bar.update(number)
        if bar.disable and (done == total or done - written >= total / LINES_PER_RUN):
            written = done
            write_line(f"{title}: {done} of {total}")

    with trace_bar(title, total) as bar:
        yield advance


@contextmanager
def line_count(title: str, lines_per_report: int = LINES_PER_REPORT) -> Iterator[Callable[[], None]]:
    """Show how many lines of an unknown number are done.

    Args:
        title: The kind of work, such as `converting`.
        lines_per_report: So many lines are told in a plain line, where there is no terminal.

    Yields:
        A function to call for each line.
    """

    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        bar.update()
        if bar.disable and done % lines_per_report == 0:
            write_line(f"{title}: {done} lines")

    with tqdm(desc=title, unit="line", disable=not sys.stderr.isatty(), leave=False) as bar:
        yield advance


def trace_bar(title: str, total: int) -> "tqdm[NoReturn]":
    """Return a bar that counts traces; it is disabled where standard error is no terminal."""
    return tqdm(total=total, desc=title, unit="trace", disable=not sys.stderr.isatty())


async def wait_showing_size(work: "asyncio.Future[ResultT]", size: Callable[[], int]) -> ResultT:
    """Return the result of the work; on a terminal, show the growing number of bytes that `size` returns."""
    with tqdm(unit="B", unit_scale=True, disable=not sys.stderr.isatty(), leave=False) as bar:
        while not work.done():
            await asyncio.wait([work], timeout=SIZE_POLL_SECONDS)
            bar.update(size() - bar.n)
    return await work


def write_line(line: str) -> None:
    """Write a line to standard error, above the bar if there is one."""
    tqdm.write(visible_line(line), file=sys.stderr)
