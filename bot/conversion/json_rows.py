"""Rows of JSON files: lines, the elements of an array, or one document. Lines and elements are read one by one."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import TextIO

from bot.conversion.records import Row
from memalign.errors import InputError
from memalign.records import Json
from memalign.surrogates import replace_surrogates

CHUNK_CHARACTERS = 1_000_000
LIST_KEYS = ("traces", "data", "runs", "items", "results", "records", "feedback")
"""Names under which answers of APIs hold a list of what was asked for."""
_CONTENT_KEYS = {"inputs", "outputs", "input", "output", "resourceSpans", "info", "trace_id", "run_id"}
_BLANK = re.compile(r"[ \t\n\r,]*")
# NaN and Infinity, which are no JSON, are nothing
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)


def json_rows(stream: TextIO, chunk_characters: int = CHUNK_CHARACTERS) -> Iterator[Row]:
    """Yield the values of a JSON file; lists that an answer of an API wraps are taken out of it.

    Args:
        stream: the file.
        chunk_characters: so much of an array is read at once.
    """
    beginning = ""
    # an array may be one line as long as the file
    while not beginning.strip() and (chunk := stream.readline(chunk_characters)):
        beginning += chunk
    is_array = beginning.lstrip().startswith("[")
    beginning += "" if is_array or beginning.endswith("\n") else stream.readline()
    first = beginning.lstrip()
    if is_array:
        rows = _array_rows(stream, beginning, chunk_characters)
    elif _is_document(first) or not _starts_document(first):
        rows = _line_rows(stream, beginning)
    else:
        rows = iter([_row("the file", beginning + stream.read())])
    for row in rows:
        yield from _unwrapped(row)


def _is_document(text: str) -> bool:
    try:
        _DECODER.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def _starts_document(text: str) -> bool:
    """Return whether a line that is no JSON seems to go on in the next one."""
    return not text.rstrip().endswith("}")


def _line_rows(stream: TextIO, beginning: str) -> Iterator[Row]:
    number = beginning.count("\n") or 1
    line = beginning.lstrip()
    while line:
        if line.strip():
            yield _row(f"line {number}", line.strip())
        line = stream.readline()
        number += 1


def _row(place: str, text: str) -> Row:
    try:
        return Row(place=place, value=replace_surrogates(_DECODER.decode(text)))
    except RecursionError:
        return Row(place=place, problem="it is nested too deeply")
    except ValueError as error:
        return Row(place=place, problem=f"it is not JSON ({_words(error)})")


def _words(error: ValueError) -> str:
    return "a number in it is too large" if "digits" in str(error) else str(error)


def _array_rows(stream: TextIO, beginning: str, chunk_characters: int) -> Iterator[Row]:
    """Yield the elements of an array, holding little more than one of them."""
    buffer, place, number = beginning, beginning.index("[") + 1, 0
    while True:
        place = _after_blank(buffer, place)
        try:
            if buffer[place : place + 1] == "]":
                return
            value, end = _DECODER.raw_decode(buffer, place)
        except (ValueError, RecursionError) as error:
            # twice as much each time, so that a large element is not read too often
            more = stream.read(max(chunk_characters, len(buffer) - place))
            if not more or isinstance(error, RecursionError):
                reason = "it is nested too deeply" if isinstance(error, RecursionError) else _words(error)
                yield Row(
                    place=f"entry {number + 1}",
                    problem=f"it is not JSON ({reason}), so nothing after it is read",
                )
                return
            buffer, place = buffer[place:] + more, 0
            continue
        number += 1
        yield Row(place=f"entry {number}", value=replace_surrogates(value))
        place = end


def _after_blank(text: str, place: int) -> int:
    match = _BLANK.match(text, place)
    return match.end() if match else place


def _unwrapped(row: Row) -> Iterator[Row]:
    if not isinstance(row.value, Mapping):
        yield row
        return
    key = next((key for key in LIST_KEYS if isinstance(row.value.get(key), list)), None)
    if key and not _CONTENT_KEYS & row.value.keys():
        rows = _split_rows(row.value) if key == "data" and "columns" in row.value else row.value[key]
    elif (table := _columns_of_table(row.value) or _rows_by_number(row.value)) is not None:
        rows = table
    else:
        yield row
        return
    prefix = "" if row.place == "the file" else f"{row.place}, "
    for number, value in enumerate(rows, start=1):
        yield Row(place=f"{prefix}entry {number}", value=value)


def _split_rows(table: Mapping[str, Json]) -> list[Json]:
    """Return the rows of a table that pandas wrote with `orient="split"`."""
    return [dict(zip(table["columns"], cells, strict=False)) for cells in table["data"]]


def _columns_of_table(table: Mapping[str, Json]) -> list[Json] | None:
    """Return the rows of a table that pandas wrote by columns, each with its cells by row; None of anything else."""
    columns = list(table.values())
    if not columns or not all(isinstance(cells, Mapping) for cells in columns):
        return None
    keys = list(columns[0])
    if not keys or any(list(cells) != keys for cells in columns):
        return None
    if not all(key.isdecimal() for key in keys):
        return None
    return [{name: cells[key] for name, cells in table.items()} for key in keys]


def _rows_by_number(table: Mapping[str, Json]) -> list[Json] | None:
    """Return the rows of a table that pandas wrote with `orient="index"`, by their numbers; None of anything else."""
    is_table = bool(table) and all(key.isdecimal() and isinstance(row, Mapping) for key, row in table.items())
    return list(table.values()) if is_table else None


def require_object(value: Json) -> Mapping[str, Json]:
    """Return a row's object. Raises `InputError`."""
    if not isinstance(value, Mapping):
        raise InputError("it is no JSON object")
    return value
