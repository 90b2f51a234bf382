"""The values of a body: what is recognised, and what spoils only itself."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trace_json.json_items import MAX_CONTAINERS, MAX_ITEMS, TooManyItemsError, UnreadableItem, read_items
from memalign.errors import InputError
from memalign.records import Json

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(), values, max_size=4),
    max_leaves=20,
)
TOO_DEEP = b"[" * 5_000 + b"]" * 5_000
BROKEN_VALUES = [
    b"NaN",
    b"-Infinity",
    b"9" * 5_000,
    TOO_DEEP,
    b'{"a": NaN, "b": ["]", "\\"}"]}',
    b'{"a": ' + TOO_DEEP + b"}",
    b'{"a": ' + b"9" * 5_000 + b"}",
]


@given(st.lists(JSON_VALUES), st.sampled_from(["", " ", "\r\n", "\ufeff"]), st.sampled_from([None, 2]))
def test_an_array_is_read_as_the_standard_library_reads_it(
    items: list[Json], blank: str, indent: int | None
) -> None:
    body = (blank + json.dumps(items, indent=indent)).encode()
    assert read_items(body, ndjson=False) == items
    assert read_items(body, ndjson=True) == items


@given(st.dictionaries(st.text(), JSON_VALUES), st.sampled_from([None, 2]), st.booleans())
def test_an_object_is_read_as_one_value(item: dict[str, Json], indent: int | None, ndjson: bool) -> None:
    assert read_items(json.dumps(item, indent=indent).encode(), ndjson=ndjson) == [item]


@given(st.lists(st.dictionaries(st.text(), JSON_VALUES), min_size=2), st.booleans())
def test_lines_are_recognised_by_themselves(items: list[Json], ndjson: bool) -> None:
    body = "\r\n\n".join(json.dumps(item, ensure_ascii=False) for item in items).encode(
        "utf-8", "surrogatepass"
    )
    assert read_items(body, ndjson=ndjson) == items


@pytest.mark.parametrize("broken", BROKEN_VALUES, ids=range(len(BROKEN_VALUES)))
def test_a_value_that_cannot_be_read_spares_its_neighbours(broken: bytes) -> None:
    first, refused, last = read_items(b'[{"a": 1}, ' + broken + b' , {"b": 2}]', ndjson=False)
    assert (first, last) == ({"a": 1}, {"b": 2})
    assert isinstance(refused, UnreadableItem)
    first, refused, last = read_items(b'{"a": 1}\n' + broken + b'\n{"b": 2}', ndjson=True)
    assert (first, last) == ({"a": 1}, {"b": 2})
    assert isinstance(refused, UnreadableItem)


def test_a_broken_line_spares_its_neighbours_also_without_the_content_type() -> None:
    items = read_items(b'{"a": broken}\n{"a": 1}', ndjson=False)
    assert isinstance(items[0], UnreadableItem)
    assert items[1] == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"[1, 2",
        b"[1 2]",
        b"[1,]",
        b"[1]]",
        b'[\n{"a": 1},\n{"a": 2}\n',
        b'{"a": 1} {"a": 2}',
        b'{"a": {\n"b": 1\n}',
        b"NaN",
        b'[{"a": ' + b"[" * 5_000,
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_json_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(InputError, match="not JSON"):
        read_items(body, ndjson=False)


def test_an_array_of_lines_is_a_line_each() -> None:
    assert read_items(b"[1]\n[2]", ndjson=True) == [[1], [2]]
    with pytest.raises(InputError):
        read_items(b"[1]\n[2]", ndjson=False)


@pytest.mark.parametrize("ndjson", [False, True])
def test_more_than_the_limit_is_refused(ndjson: bool) -> None:
    separator = b"\n" if ndjson else b","
    body = separator.join([b"{}"] * MAX_ITEMS)
    start, end = (b"", b"") if ndjson else (b"[", b"]")
    assert len(read_items(start + body + end, ndjson=ndjson)) == MAX_ITEMS
    with pytest.raises(TooManyItemsError, match="10,000"):
        read_items(start + body + separator + b"{}" + end, ndjson=ndjson)


def test_a_body_of_empty_lists_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(TooManyItemsError, match="lists and objects"):
        read_items(b'{"inputs": [' + b"[]," * MAX_CONTAINERS + b"[]]}", ndjson=False)
