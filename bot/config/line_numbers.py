"""Line numbers of tables and keys in a TOML file, which `tomllib` does not tell."""

import re
from collections.abc import Mapping, Sequence

TomlPath = tuple[str | int, ...]
"""Names of tables and keys, with the places in arrays of tables from 0, such as `("judges", 0, "name")`."""

_HEADER = re.compile(r"\s*(?P<open>\[\[?)\s*(?P<name>[^\]]+?)\s*\]")
_KEY = re.compile(
    r"""\s*(?P<name>(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")
_MULTILINE_QUOTE = re.compile(r"\"\"\"|'''")


def line_numbers(text: str) -> Mapping[TomlPath, int]:
    """Return the line, from 1, on which each table and key of a valid TOML file begins."""
    numbers: dict[TomlPath, int] = {}
    counts: dict[TomlPath, int] = {}
    table: TomlPath = ()
    quote = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not quote and (header := _HEADER.match(line)):
            table = _with_places(_parts(header["name"]), counts)
            if header["open"] == "[[":
                counts[table] = counts.get(table, 0) + 1
                table = (*table, counts[table] - 1)
            numbers.setdefault(table, number)
        elif not quote and (key := _KEY.match(line)):
            numbers.setdefault((*table, *_parts(key["name"])), number)
        for mark in _MULTILINE_QUOTE.findall(line):
            if not quote:
                quote = mark
            elif quote == mark:
                quote = ""
    return numbers


def line_of(path: Sequence[str | int], numbers: Mapping[TomlPath, int]) -> int | None:
    """Return the line of a key, or of the nearest table around it that the file has; None without any."""
    places = (tuple(path[:length]) for length in range(len(path), 0, -1))
    return next((numbers[place] for place in places if place in numbers), None)


def _parts(name: str) -> TomlPath:
    return tuple(next(filter(None, parts), "") for parts in _PART.findall(name))


def _with_places(names: TomlPath, counts: Mapping[TomlPath, int]) -> TomlPath:
    """Add to the name of an array of tables, where a header goes into its last table, that table's place."""
    path: TomlPath = ()
    for name in names[:-1]:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path] - 1)
    return (*path, *names[-1:])
