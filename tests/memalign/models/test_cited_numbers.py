"""Numbers by which a model names what led it, in whatever form it writes them."""

import time

import pytest

from memalign.models.cited_numbers import MAX_CITED, cited
from memalign.records import Json

SHOWN = tuple("abcde")

FORMS: list[tuple[Json, str]] = [
    ([2, 1], "ba"),
    ([], ""),
    (None, ""),
    (3, "c"),
    ([1.0, 2.5], "a"),
    (["2", "G3", "Guideline 4", "#5", "case-1"], "bcdea"),
    ("[2, 3]", "bc"),
    ("2, 3 and 5", "bce"),
    ("Guideline 2 and guideline 5", "be"),
    ("G1;G2", "ab"),
    ([[2], [3]], "bc"),
    ([{"guideline": 2, "why": "It greets 5 people."}, {"number": "3"}, {"Case": 1}], "bca"),
    ({"2": "it greets", "4": "it thanks"}, "bd"),
    # nothing shown has these numbers
    ([0, 6, 99, -1, 10**30], ""),
    ([10**400, 2], "b"),
    ({"guideline": -(10**400)}, ""),
    ([{"id": 10**4000}, "9" * 350], ""),
    ("-1", ""),
    # no numbers at all
    ([True, False], ""),
    ("none", ""),
    ("None of the 5 applies.", ""),
    ("No 2", ""),
    ("The answer took 3 days to come, which is long.", ""),
    ([None, {}, [], ""], ""),
    ({"why": 2}, ""),
    (float("nan"), ""),
    ([float("inf"), 1], "a"),
]


@pytest.mark.parametrize(("value", "expected"), FORMS, ids=[repr(form)[:40] for form, _ in FORMS])
def test_numbers_name_what_was_shown_under_them_whatever_their_form(value: Json, expected: str) -> None:
    assert "".join(cited(value, SHOWN)) == expected


def test_what_is_named_twice_is_named_once() -> None:
    assert cited([2, "2", 2.0, "G2", 1], SHOWN) == ("b", "a")


def test_of_a_model_that_names_everything_the_first_count() -> None:
    shown = range(100, 200)

    assert cited(list(range(1, 101)), shown) == tuple(shown)[:MAX_CITED]


@pytest.mark.parametrize("value", ["1 " * 500_000, "a1" * 500_000, [1] * 500_000, [[[[1]]]], "1" * 500_000])
def test_lists_without_end_and_in_lists_take_no_time(value: Json) -> None:
    begin = time.perf_counter()

    assert cited(value, SHOWN) in ((), ("a",))
    assert time.perf_counter() - begin < 1
