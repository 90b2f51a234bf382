"""Changes come to rest, by whatever process they were made."""

from storage.arrivals import Arrivals


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_was_there_before_the_first_look_rests() -> None:
    arrivals = Arrivals(Clock())
    arrivals.note("mine", 1)
    assert arrivals.at_rest([("mine", 1), ("before", 4)], 2.0) == {"before"}


def test_a_change_of_another_process_counts_from_when_it_is_seen() -> None:
    clock = Clock()
    arrivals = Arrivals(clock)
    assert arrivals.at_rest([("a", 1)], 2.0) == {"a"}
    assert arrivals.at_rest([("a", 2), ("b", 1)], 2.0) == set()
    clock.now += 1.9
    assert arrivals.at_rest([("a", 2), ("b", 2)], 2.0) == set()
    clock.now += 0.1
    assert arrivals.at_rest([("a", 2), ("b", 2)], 2.0) == {"a"}


def test_a_change_that_is_noted_here_counts_from_then() -> None:
    clock = Clock()
    arrivals = Arrivals(clock)
    arrivals.at_rest([], 2.0)
    arrivals.note("a", 7)
    clock.now += 2.0
    assert arrivals.at_rest([("a", 7)], 2.0) == {"a"}
    arrivals.drop("a")
    assert arrivals.at_rest([("a", 7)], 2.0) == set()
