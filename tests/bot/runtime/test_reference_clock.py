"""Slack's time holds, whatever this machine's clock does; one that is off is told."""

import pytest

from bot.runtime.reference_clock import ReferenceClock

NOON_MS = 1_700_000_000_000
YEAR_MS = 365 * 24 * 3_600_000


class Clocks:
    """This machine's clock and the one that nobody sets."""

    def __init__(self) -> None:
        self.own_ms = NOON_MS
        self.seconds = 100.0
        self.reference = ReferenceClock(lambda: self.own_ms, lambda: self.seconds)

    def pass_seconds(self, seconds: float) -> None:
        self.own_ms += int(seconds * 1000)
        self.seconds += seconds


def test_until_slack_has_answered_it_is_this_machines_time() -> None:
    clocks = Clocks()
    assert clocks.reference.now_ms() == NOON_MS
    assert clocks.reference.problem() is None


@pytest.mark.parametrize("jump_ms", [YEAR_MS, -YEAR_MS, 600_000, -600_000])
def test_a_jump_of_the_own_clock_changes_nothing_but_is_told_until_it_is_mended(jump_ms: int) -> None:
    clocks = Clocks()
    clocks.reference.note(NOON_MS)
    clocks.own_ms += jump_ms
    clocks.pass_seconds(7)
    assert clocks.reference.now_ms() == NOON_MS + 7000
    problem = str(clocks.reference.problem())
    assert ("ahead of" in problem, "behind" in problem) == (jump_ms > 0, jump_ms < 0)
    assert ("365 days" in problem, "10 min" in problem) == (abs(jump_ms) == YEAR_MS, abs(jump_ms) == 600_000)
    clocks.own_ms -= jump_ms
    assert clocks.reference.problem() is None


def test_less_than_a_minute_is_not_told() -> None:
    clocks = Clocks()
    clocks.reference.note(NOON_MS + 59_000)
    assert clocks.reference.problem() is None


def test_of_answers_within_a_second_the_one_that_is_nearest_to_the_truth_counts() -> None:
    clocks = Clocks()
    for reference_ms in (NOON_MS, NOON_MS, NOON_MS + 1000, NOON_MS + 1000):
        clocks.reference.note(reference_ms)
        clocks.pass_seconds(0.25)
    assert clocks.reference.now_ms() == NOON_MS + 1000 + 500
