"""Judging one of many traces: an error is an outcome, a pause that the service asks for is kept."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from memalign.errors import MemAlignError, ModelRefusedError, ModelUnavailableError, RequestRefusedError
from memalign.models.service_failure import MIN_ASKED_PAUSE_SECONDS
from memalign.records import Trace, Verdict

_log = logging.getLogger("memalign")

TRACES_PER_CALL = 4
"""Traces under way for each model call at once, so that one slow response does not hold up the others."""
MAX_CONSECUTIVE_FAILURES = 20
"""Failures of the model's service in a row after which the remaining traces are not tried."""
MAX_ASKED_PAUSE_SECONDS = 600.0
"""A trace waits as long as a service asks for, up to this; beyond it, it fails. Set by hand."""
MAX_ASKED_PAUSES = 3

Outcome = Verdict | MemAlignError
"""The verdict on a trace, or why there is none."""
JudgeTrace = Callable[[Trace], Awaitable[Verdict]]


async def verdict_or_error(judge: JudgeTrace, trace: Trace) -> Outcome:
    """Judge a trace.

    Args:
        judge: Judges it.
        trace: The trace.

    Returns:
        The verdict or the error; a bug is an error, too, so that it stops no other trace.
    """
    try:
        return await _judge(judge, trace)
    except MemAlignError as error:
        return error
    except Exception as error:
        _log.debug("Judging %s failed unexpectedly.", trace.trace_id, exc_info=True)
        return MemAlignError(f"an unexpected error ({type(error).__name__}: {error}); please report it")


async def _judge(judge: JudgeTrace, trace: Trace) -> Verdict:
    """Judge a trace; where the service asks for a longer pause than a call may take, keep it and try again."""
    for _ in range(MAX_ASKED_PAUSES):
        try:
            return await judge(trace)
        except ModelUnavailableError as error:
            pause = error.retry_after
            if pause is None or not MIN_ASKED_PAUSE_SECONDS <= pause <= MAX_ASKED_PAUSE_SECONDS:
                raise
            await asyncio.sleep(pause)
    return await judge(trace)


class ConsecutiveFailures:
    """Counts failures of the model's service in a row."""

    def __init__(self) -> None:
        self._number = 0

    def count(self, outcome: Outcome) -> None:
        """Count an outcome.

        Args:
            outcome: Of the next trace.

        Raises:
            ModelUnavailableError: If it was the last of `MAX_CONSECUTIVE_FAILURES` failures.
        """
        self._number = self._number + 1 if _is_of_the_service(outcome) else 0
        if self._number == MAX_CONSECUTIVE_FAILURES:
            raise ModelUnavailableError(
                f"The last {MAX_CONSECUTIVE_FAILURES} traces all failed, so the rest was not tried: {outcome}"
            )


def _is_of_the_service(outcome: Outcome) -> bool:
    """Return True if the next trace is likely to fail in the same way."""
    return isinstance(outcome, ModelUnavailableError | ModelRefusedError) and not isinstance(
        outcome, RequestRefusedError
    )
