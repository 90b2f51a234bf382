"""Files of exports, read row by row, whatever they are: JSON, CSV or Parquet."""

from collections.abc import Iterator
from pathlib import Path

from bot.conversion.json_rows import json_rows
from bot.conversion.records import Row
from bot.conversion.table_rows import csv_rows, parquet_rows
from bot.conversion.text_files import PARQUET_MAGIC, ZIP_MAGIC, first_bytes, open_text
from memalign.errors import InputError

JSON, CSV, PARQUET = "json", "csv", "parquet"
"""Kinds of files; those of tables are also sources, as after `--from`."""


def kind_of(file: Path) -> str:
    """Return what a file is, by its content. Raises `InputError` if it is nothing that can be read."""
    beginning = first_bytes(file)
    if beginning == PARQUET_MAGIC:
        return PARQUET
    if beginning == ZIP_MAGIC:
        raise InputError(
            f"{file} is a spreadsheet or a ZIP archive; save it as CSV, or unpack it, and give that file."
        )
    with open_text(file) as stream:
        while (character := stream.read(1)).isspace():
            pass
    if not character:
        raise InputError(f"{file} is empty; give a file with traces.")
    return JSON if character in "{[" else CSV


def rows_of(file: Path) -> Iterator[Row]:
    """Yield the rows of a file. Raises `InputError`, and `SettingsError` where Parquet cannot be read."""
    kind = kind_of(file)
    if kind == PARQUET:
        yield from parquet_rows(file)
        return
    with open_text(file) as stream:
        yield from json_rows(stream) if kind == JSON else csv_rows(stream)
