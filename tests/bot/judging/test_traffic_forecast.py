"""Traffic is forecast from the last week, and a channel's cards are shared by it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.judging.traffic_forecast import CardDemand, allowances, expected_hours

TODAY = date(2026, 11, 20)


def hours(**numbers: int) -> tuple[int, ...]:
    """Arrivals by hour: `h9=4` are 4 between 9 and 10."""
    return tuple(numbers.get(f"h{hour}", 0) for hour in range(24))


def test_nothing_is_expected_before_a_day_with_arrivals_is_over() -> None:
    assert expected_hours({}, TODAY) is None
    assert expected_hours({"2026-11-20": hours(h9=1000)}, TODAY) is None


def test_the_mean_is_over_all_days_since_the_first_arrival() -> None:
    days = {"2026-11-16": hours(h9=40), "2026-11-18": hours(h9=40, h23=4), "2026-11-20": hours(h9=999)}
    expected = expected_hours(days, TODAY)
    assert expected == tuple(float(each) for each in hours(h9=20, h23=1))


def test_only_the_last_seven_days_count() -> None:
    days = {"2026-11-12": hours(h1=700), "2026-11-13": hours(h2=70)}
    assert expected_hours(days, TODAY) == tuple(float(each) for each in hours(h2=10))


def demand(expected: float | None, most: int = 10_000) -> CardDemand:
    return CardDemand(expected=expected, most=most)


@pytest.mark.parametrize(
    ("cap", "demands", "expected"),
    [
        (30, {"a": demand(100)}, {"a": 30}),
        (30, {"a": demand(100), "b": demand(100)}, {"a": 15, "b": 15}),
        (30, {"a": demand(1_000_000), "b": demand(1)}, {"a": 29, "b": 1}),
        (30, {"a": demand(0), "b": demand(0)}, {"a": 15, "b": 15}),
        (32, {"a": demand(300), "b": demand(None), "c": demand(100)}, {"a": 15, "b": 11, "c": 6}),
        (30, {"a": demand(100, most=4), "b": demand(100)}, {"a": 4, "b": 26}),
        (30, {"a": demand(100, most=0), "b": demand(1)}, {"a": 0, "b": 30}),
        (30, {"a": demand(100, most=4), "b": demand(100, most=5)}, {"a": 4, "b": 5}),
        (0, {"a": demand(100), "b": demand(None)}, {"a": 0, "b": 0}),
        (5, {}, {}),
    ],
)
def test_a_channels_cards_are_shared_by_traffic(
    cap: int, demands: dict[str, CardDemand], expected: dict[str, int]
) -> None:
    assert allowances(cap, demands, TODAY) == expected


def test_judges_take_turns_where_there_are_fewer_cards_than_judges() -> None:
    demands = {name: demand(100) for name in "abc"}
    days = [allowances(1, demands, TODAY + timedelta(days=number)) for number in range(3)]
    assert [sum(day[name] for day in days) for name in "abc"] == [1, 1, 1]
    assert [sum(day.values()) for day in days] == [1, 1, 1]


DEMANDS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.builds(CardDemand, expected=st.none() | st.floats(0, 1e6), most=st.integers(0, 60)),
)


@given(st.integers(0, 200), DEMANDS)
def test_never_more_than_the_cap_is_shared_and_nothing_is_left_that_somebody_may_take(
    cap: int, demands: dict[str, CardDemand]
) -> None:
    shares = allowances(cap, demands, TODAY)
    assert shares.keys() == demands.keys()
    assert all(0 <= shares[name] <= each.most for name, each in demands.items())
    assert sum(shares.values()) == min(cap, sum(each.most for each in demands.values()))
    if cap >= len(demands):
        assert all(shares[name] >= min(1, each.most) for name, each in demands.items())
