"""The JSON values of a request's body: one value, the elements of an array, or the lines of NDJSON.

Elements are decoded one by one, so that one which cannot be read does not spoil its neighbours, and so that the
interpreter may switch threads in between.
"""

import json
import re
from dataclasses import dataclass

from memalign.errors import InputError
from memalign.records import Json

MAX_ITEMS = 10_000
"""Values in one body."""
MAX_CONTAINERS = 1_000_000
"""Lists and objects in one body; a single call of the decoder holds up all threads, about 150 ns for each."""
BLANK = re.compile(r"[ \t\n\r]*")
CONTAINER_TOKEN = re.compile(r'[\[{]|[\]}]|"(?:[^"\\]|\\.)*"', re.DOTALL)
SCALAR = re.compile(r"[^,\]\s]*")


class TooManyItemsError(InputError):
    """A body holds more than the bot takes at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableItem:
    """A value that cannot be read, with the reason."""

    reason: str


Item = Json | UnreadableItem


def read_items(body: bytes, *, ndjson: bool) -> list[Item]:
    """Read the values of a body; an array and NDJSON are recognised without their content type.

    Args:
        body: UTF-8; bytes that are not become lone surrogates, which the check of each trace refuses.
        ndjson: the content type says that each line is a value.

    Raises:
        TooManyItemsError: there are more than `MAX_ITEMS`, or more than `MAX_CONTAINERS` lists and objects.
        InputError: the body is no JSON at all.
    """
    if body.count(b"[") + body.count(b"{") > MAX_CONTAINERS:
        raise TooManyItemsError(
            f"The body has more than {MAX_CONTAINERS:,} lists and objects; send the traces in smaller batches."
        )
    text = body.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    try:
        return _read_document(text)
    except TooManyItemsError:
        raise
    except InputError:
        if ndjson or _looks_like_lines(text):
            return _read_lines(text)
        raise


def _read_document(text: str) -> list[Item]:
    start = _after_blank(text, 0)
    if text[start : start + 1] == "[":
        items, end = _read_array(text, start)
    else:
        item, end = _read_value(text, start)
        if isinstance(item, UnreadableItem):
            raise _not_json(item.reason)
        items = [item]
    if _after_blank(text, end) < len(text):
        raise _not_json(f"there is more after the first value, at character {end}")
    return items


def _read_array(text: str, start: int) -> tuple[list[Item], int]:
    """Read the array that starts at an opening bracket; return its elements and the position after it."""
    items: list[Item] = []
    position = _after_blank(text, start + 1)
    if text[position : position + 1] == "]":
        return items, position + 1
    while True:
        item, position = _read_value(text, position)
        items.append(item)
        _check_count(items)
        position = _after_blank(text, position)
        mark = text[position : position + 1]
        if mark == "]":
            return items, position + 1
        if mark != ",":
            raise _not_json(f"expected a comma or the array's end at character {position}")
        position = _after_blank(text, position + 1)


def _read_value(text: str, start: int) -> tuple[Item, int]:
    """Read the value at a position; return it and the position after it."""
    try:
        return DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise _not_json(str(error)) from None
    except RecursionError:
        return UnreadableItem(reason="it is nested too deeply"), _end_of_value(text, start)
    except ValueError as error:
        return UnreadableItem(reason=_in_words(error)), _end_of_value(text, start)


def _end_of_value(text: str, start: int) -> int:
    """Return the position after a value that the decoder refuses. Raises `InputError` if it has no end."""
    if text[start] not in "[{":
        return _match_end(SCALAR, text, start)
    depth = 0
    for token in CONTAINER_TOKEN.finditer(text, start):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth == 0:
            return token.end()
    raise _not_json("a list or an object in it has no end")


def _read_lines(text: str) -> list[Item]:
    items: list[Item] = []
    for line in text.split("\n"):
        if stripped := line.strip(" \t\r"):
            items.append(_read_line(stripped))
            _check_count(items)
    return items


def _read_line(line: str) -> Item:
    try:
        return DECODER.decode(line)
    except RecursionError:
        return UnreadableItem(reason="it is nested too deeply")
    except ValueError as error:
        return UnreadableItem(reason=f"this line is not JSON: {_in_words(error)}")


def _looks_like_lines(text: str) -> bool:
    """Return whether several lines follow each other, the first of which seems to be an object."""
    first, _, rest = text.strip().partition("\n")
    return first.startswith("{") and first.rstrip().endswith("}") and bool(rest)


def _check_count(items: list[Item]) -> None:
    if len(items) > MAX_ITEMS:
        raise TooManyItemsError(
            f"The body has more than {MAX_ITEMS:,} traces; send them in batches of at most {MAX_ITEMS:,}."
        )


def _after_blank(text: str, start: int) -> int:
    return _match_end(BLANK, text, start)


def _match_end(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


def _in_words(error: ValueError) -> str:
    return "a number in it is too large for JSON" if "digits" in str(error) else str(error)


def _not_json(reason: str) -> InputError:
    return InputError(f"The body is not JSON ({reason}); send one trace, an array of traces, or NDJSON.")


def _no_number(name: str) -> Json:
    raise ValueError(f"{name} is no JSON number")


DECODER = json.JSONDecoder(parse_constant=_no_number)
