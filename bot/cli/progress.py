"""How far long work has come: a bar on a terminal, plain lines otherwise."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

TENTHS = 10


@contextmanager
def progress(words: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show on standard error how much of `total` is done; call what is yielded with each step's number."""
    on_terminal = sys.stderr.isatty()
    done = told = 0

    def step(number: int) -> None:
        nonlocal done, told
        done += number
        bar.update(number)
        if not on_terminal and (done == total or done - told >= total / TENTHS):
            told = done
            tell(f"{words}: {done} of {total}")

    with tqdm(total=total, desc=words, unit="trace", disable=not on_terminal) as bar:
        yield step


def tell(line: str) -> None:
    """Write a line to standard error, above the bar if there is one."""
    tqdm.write(line, file=sys.stderr)
