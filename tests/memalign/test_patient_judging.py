"""One of many traces: errors are outcomes, and a pause that the service asks for is kept."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from memalign.errors import (
    InputError,
    MemAlignError,
    ModelRefusedError,
    ModelUnavailableError,
    RequestRefusedError,
)
from memalign.patient_judging import MAX_CONSECUTIVE_FAILURES, ConsecutiveFailures, verdict_or_error
from memalign.records import Trace, Verdict
from tests.memalign.models.test_token_rate import JumpingLoop

TRACE = Trace(trace_id="tr-1")
VERDICT = Verdict(judge="politeness", trace_id="tr-1", value=True, rationale="So.")


def judge_that(*outcomes: Verdict | Exception) -> Callable[[Trace], Awaitable[Verdict]]:
    """A judge with these outcomes, one call after the other."""
    remaining = iter(outcomes)

    async def judge(_: Trace) -> Verdict:
        outcome = next(remaining)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return judge


def outcome_of(*outcomes: Verdict | Exception) -> tuple[Verdict | MemAlignError, float]:
    """The outcome of judging, and the seconds that it took on a clock of its own."""
    loop = JumpingLoop()
    try:
        return loop.run_until_complete(verdict_or_error(judge_that(*outcomes), TRACE)), loop.time()
    finally:
        loop.close()


def busy(seconds: float | None) -> ModelUnavailableError:
    return ModelUnavailableError("busy", retry_after=seconds)


@pytest.mark.parametrize(
    ("outcomes", "verdict", "seconds"),
    [
        ([VERDICT], True, 0),
        ([busy(300), VERDICT], True, 300),
        ([busy(20), busy(40), busy(60), VERDICT], True, 120),
        ([busy(5), busy(5), busy(5), busy(5), VERDICT], False, 15),
        ([busy(None), VERDICT], False, 0),
        ([busy(0.5), VERDICT], False, 0),
        ([busy(3_600), VERDICT], False, 0),
        ([InputError("no outputs"), VERDICT], False, 0),
    ],
)
def test_a_pause_that_the_service_asks_for_is_kept(
    outcomes: list[Verdict | Exception], verdict: bool, seconds: float
) -> None:
    outcome, took = outcome_of(*outcomes)
    assert isinstance(outcome, Verdict) is verdict
    assert took == pytest.approx(seconds)


def test_a_bug_is_an_outcome() -> None:
    outcome, _ = outcome_of(KeyError("x"))
    assert isinstance(outcome, MemAlignError)
    assert "an unexpected error (KeyError: 'x'); please report it" in str(outcome)


async def test_cancelling_is_none() -> None:
    async def wait(_: Trace) -> Verdict:
        await asyncio.sleep(60)
        return VERDICT

    task = asyncio.create_task(verdict_or_error(wait, TRACE))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("outcome", "stops"),
    [
        (ModelUnavailableError("down"), True),
        (ModelRefusedError("wrong key"), True),
        (RequestRefusedError("too long"), False),
        (InputError("no outputs"), False),
        (VERDICT, False),
    ],
)
def test_failures_of_the_service_in_a_row_end_it(outcome: Verdict | MemAlignError, stops: bool) -> None:
    failures = ConsecutiveFailures()
    for _ in range(MAX_CONSECUTIVE_FAILURES - 1):
        failures.count(ModelUnavailableError("down"))
    if stops:
        with pytest.raises(
            ModelUnavailableError, match="The last 20 traces all failed, so the rest was not tried"
        ):
            failures.count(outcome)
    else:
        failures.count(outcome)
        failures.count(ModelUnavailableError("down"))
