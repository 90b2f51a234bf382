from hypothesis import given
from hypothesis import strategies as st

from storage.keys import below, digest, event_ms, just_after, key, stamp

parts = st.lists(st.text(st.sampled_from("ab\x00\x01\x02\U0010fffe"), max_size=4), min_size=1, max_size=3)


@given(parts, parts)
def test_different_parts_have_different_keys(first: list[str], second: list[str]) -> None:
    assert (key(*first) == key(*second)) == (first == second)


@given(parts, parts)
def test_below_holds_exactly_the_keys_that_go_on(prefix: list[str], second: list[str]) -> None:
    low, high = below(*prefix)
    goes_on = len(second) > len(prefix) and second[: len(prefix)] == prefix
    assert (low <= key(*second) < high) == goes_on


@given(st.integers(0, 10**14), st.integers(0, 10**14))
def test_stamps_sort_as_their_numbers(first: int, second: int) -> None:
    assert (stamp(first) < stamp(second)) == (first < second)


def test_nothing_fits_between_a_key_and_the_one_just_after() -> None:
    assert "a" < just_after("a") <= "a\x00"


def test_half_a_surrogate_pair_has_a_digest() -> None:
    assert digest("\ud800") != digest("\ud801")


def test_event_times_are_read_without_rounding() -> None:
    assert event_ms("1700000000.000100") == 1_700_000_000_000
    assert event_ms("1700000000.999999") == 1_700_000_000_999
