"""Rows of CSV and Parquet files, each as an object with the cells by column."""

import csv
import math
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from bot.conversion.records import Row
from memalign.errors import InputError, SettingsError
from memalign.surrogates import replace_surrogates

DELIMITERS = ",;\t|"
_DELIMITER_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
"""Line by which Excel is told the delimiter."""
MAX_CELL_CHARACTERS = 100_000_000
PARQUET_ROWS_PER_BATCH = 500


def csv_rows(stream: TextIO) -> Iterator[Row]:
    """Yield the rows of a CSV or TSV file by number, as a spreadsheet counts them. Raises `InputError`."""
    csv.field_size_limit(min(MAX_CELL_CHARACTERS, sys.maxsize))
    lines = iter(stream.readline, "")
    first = next((line for line in lines if line.strip()), "")
    if named := _DELIMITER_LINE.fullmatch(first.strip()):
        first = next((line for line in lines if line.strip()), "")
    delimiter = named[1] if named else delimiter_of(first)
    reader = csv.reader(chain([first], lines), delimiter=delimiter, skipinitialspace=True)
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise InputError("The file is empty; give one whose first row names its columns.")
    number = 1
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(place=f"row {number}", problem=f"it is no row of CSV ({error})")
            continue
        if any(cell.strip() for cell in cells):
            yield _table_row(number, header, cells)


def delimiter_of(header: str) -> str:
    """Return the delimiter by which a header has the most columns; a comma where none does."""
    counts = {each: len(next(csv.reader([header], delimiter=each), [])) for each in DELIMITERS}
    return max(DELIMITERS, key=lambda each: counts[each])


def _table_row(number: int, header: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
        problem = f"it has {len(cells)} cells, but the first row names {len(header)} columns"
        return Row(place=f"row {number}", problem=problem)
    filled = {name: cell for name, cell in zip(header, cells, strict=False) if name and cell.strip()}
    return Row(place=f"row {number}", value=dict.fromkeys(filter(None, header)) | filled)


def parquet_rows(file: Path) -> Iterator[Row]:
    """Yield the rows of a Parquet file, a batch in memory at a time. Raises `InputError`, `SettingsError`."""
    parquet = _pyarrow()
    number = 0
    try:
        with parquet.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=PARQUET_ROWS_PER_BATCH):
                for value in batch.to_pylist():
                    number += 1
                    yield Row(place=f"row {number}", value=_plain(value))
    except (OSError, ValueError) as error:
        first_line = str(error).partition("\n")[0]
        raise InputError(f"{file} is no Parquet that can be read ({first_line}); export it again.") from error


def _pyarrow() -> Any:
    try:
        return import_module("pyarrow.parquet")
    except ImportError as error:
        raise SettingsError(
            "Parquet needs pyarrow, which is not installed; install it with: pip install 'memalign[parquet]'"
        ) from error


def _plain(value: Any) -> Any:
    """Return a cell as JSON: times as ISO 8601, bytes as text, numbers that are none as nothing."""
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return replace_surrogates(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
