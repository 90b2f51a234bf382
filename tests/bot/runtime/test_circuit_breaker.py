"""The circuit breaker."""

from bot.runtime.circuit_breaker import CircuitBreaker


def test_a_circuit_is_closed_until_something_fails() -> None:
    breaker = CircuitBreaker()
    assert (breaker.is_closed("a"), breaker.is_open("a"), breaker.is_half_open("a")) == (True, False, False)
    assert breaker.open_until_ms("a") == 0


def test_a_failure_opens_the_circuit_of_its_name_alone() -> None:
    breaker = CircuitBreaker()
    breaker.record_failure("a")
    assert (breaker.is_open("a"), breaker.is_closed("b")) == (True, True)


def test_failures_while_the_circuit_is_open_do_not_lengthen_the_pause() -> None:
    breaker = CircuitBreaker()
    breaker.record_failure("a")
    until = breaker.open_until_ms("a")
    breaker.record_failure("a", at_least_ms=1_000_000)
    assert breaker.open_until_ms("a") == until


def test_a_circuit_whose_pause_is_over_is_half_open_until_a_success() -> None:
    breaker = CircuitBreaker(longest_ms=0)
    breaker.record_failure("a")
    assert (breaker.is_open("a"), breaker.is_half_open("a"), breaker.is_closed("a")) == (False, True, False)
    assert breaker.record_success("a")
    assert breaker.is_closed("a")


def test_a_success_says_whether_there_had_been_failures() -> None:
    breaker = CircuitBreaker()
    breaker.record_failure("a")
    assert breaker.record_success("a")
    assert not breaker.record_success("a")


def test_the_pause_is_at_least_as_long_as_the_other_side_asks() -> None:
    breaker = CircuitBreaker(longest_ms=1000)
    breaker.record_failure("usual")
    breaker.record_failure("asked", at_least_ms=90_000)
    assert breaker.open_until_ms("asked") > breaker.open_until_ms("usual") + 80_000
