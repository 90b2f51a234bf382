"""`memalign convert`: exports of other tools, and tables, as trace lines."""

import asyncio
import csv
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bot.cli.progress import line_count, write_line
from bot.cli.terminal import json_line
from bot.conversion.columns import FIELD_NAMES, ColumnReader
from bot.conversion.conversion import Conversion
from bot.plain_text import pluralise
from memalign.atomic_file import replacement
from memalign.errors import InputError, SettingsError


async def convert(options: Namespace) -> None:
    """`memalign convert FILE… [--from SOURCE] [--out TRACES.jsonl]`. Raises `InputError`, `SettingsError`."""
    conversion = Conversion(
        source=options.source,
        judge=options.judge,
        scores=frozenset(options.score),
        columns=ColumnReader(named=named_columns(options.columns)),
    )
    await asyncio.to_thread(_convert, conversion, options.files, options.out)


def named_columns(options: Sequence[str]) -> Mapping[str, str]:
    """Return the columns by field that `--columns inputs=QUESTION,outputs=ANSWER` names. Raises `SettingsError`."""
    named: dict[str, str] = {}
    for pair in (
        pair for option in options for pair in next(csv.reader([option], skipinitialspace=True), [])
    ):
        field, separator, column = (part.strip() for part in pair.partition("="))
        if field not in FIELD_NAMES or not separator or not column:
            known = ", ".join(FIELD_NAMES)
            raise SettingsError(f"--columns takes FIELD=COLUMN, not “{pair}”; the fields are: {known}.")
        named[field] = column
    return named


def _convert(conversion: Conversion, files: Sequence[Path], out: Path | None) -> None:
    """Write the lines of the files, and say what was taken for what. Where there are none, nothing is replaced."""
    with _output(out) as write:
        number = 0
        with line_count("converting") as advance:
            for line in conversion.lines(files):
                write(json_line(line) + "\n")
                number += 1
                advance()
        for sentence in conversion.report.sentences(conversion.columns):
            write_line(sentence)
        if not number:
            raise InputError(
                "No trace was found, so nothing was written; memalign convert --help says what is read."
            )
    write_line(f"{pluralise(number, 'line')} written {f'to {out}' if out else 'to standard output'}.")


@contextmanager
def _output(out: Path | None) -> Iterator[Callable[[str], object]]:
    """Yield a function that writes a text. Raises `InputError` if the file cannot be written."""
    if out is None:
        yield sys.stdout.write
        return
    try:
        with replacement(out) as file:
            yield lambda text: file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise InputError(f"{out} cannot be written ({error.strerror}); choose another --out.") from error
