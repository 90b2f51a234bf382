"""Several traces judged at once, with outcomes in their order and a bounded number of traces under way."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable
from itertools import islice

from bot.cli.judge_source import JudgeTrace
from memalign.errors import MemAlignError, ModelRefusedError, ModelUnavailableError, RequestRefusedError
from memalign.models.endpoint import max_concurrency
from memalign.models.service_failure import MIN_ASKED_PAUSE_SECONDS
from memalign.records import Trace, Verdict

_log = logging.getLogger("memalign")

PREFETCH_PER_WORKER = 4
"""Traces under way for each worker, so that one slow response does not hold up the others."""
MAX_CONSECUTIVE_FAILURES = 20
"""Failures of the model's service in a row after which the remaining traces are not tried."""
MAX_ASKED_PAUSE_SECONDS = 600.0
"""A trace waits as long as a service asks for, up to this; beyond it, it fails. Set by hand."""
MAX_ASKED_PAUSES = 3

Outcome = Verdict | MemAlignError


async def judge_all(judge: JudgeTrace, traces: Iterable[Trace]) -> AsyncIterator[tuple[Trace, Outcome]]:
    """Judge traces, and yield their outcomes in the same order; each trace is read when there is room for it.

    Raises `ModelUnavailableError` after `MAX_CONSECUTIVE_FAILURES` failures of the service in a row.
    """
    under_way: deque[tuple[Trace, asyncio.Task[Outcome]]] = deque()
    remaining = iter(traces)
    failures = 0
    try:
        while True:
            for trace in islice(remaining, PREFETCH_PER_WORKER * max_concurrency() - len(under_way)):
                under_way.append((trace, asyncio.create_task(_judge_or_error(judge, trace))))
            if not under_way:
                return
            trace, task = under_way.popleft()
            outcome = await task
            yield trace, outcome
            failures = failures + 1 if _is_failure_of_the_service(outcome) else 0
            if failures == MAX_CONSECUTIVE_FAILURES:
                raise ModelUnavailableError(
                    f"The last {MAX_CONSECUTIVE_FAILURES} traces all failed, so the rest was not tried: {outcome}"
                )
    finally:
        for _, task in under_way:
            task.cancel()


async def _judge_or_error(judge: JudgeTrace, trace: Trace) -> Outcome:
    try:
        return await _judge_patiently(judge, trace)
    except MemAlignError as error:
        return error
    except Exception as error:  # a bug met on one trace stops no other
        _log.debug("Judging %s failed unexpectedly.", trace.trace_id, exc_info=True)
        return MemAlignError(f"an unexpected error ({type(error).__name__}: {error}); please report it")


async def _judge_patiently(judge: JudgeTrace, trace: Trace) -> Verdict:
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


def _is_failure_of_the_service(outcome: Outcome) -> bool:
    """Return True if the next trace is likely to fail in the same way."""
    return isinstance(outcome, ModelUnavailableError | ModelRefusedError) and not isinstance(
        outcome, RequestRefusedError
    )
