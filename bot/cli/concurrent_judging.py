"""Several traces judged at once, with outcomes in their order and a bounded number of traces under way."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from itertools import islice

from memalign.models.endpoint import max_concurrency
from memalign.patient_judging import (
    TRACES_PER_CALL,
    ConsecutiveFailures,
    JudgeTrace,
    Outcome,
    verdict_or_error,
)
from memalign.records import Trace


async def judge_all(judge: JudgeTrace, traces: Iterable[Trace]) -> AsyncIterator[tuple[Trace, Outcome]]:
    """Judge traces, and yield their outcomes in the same order; each trace is read when there is room for it.

    Raises `ModelUnavailableError` where so many fail in a row that the rest is not tried.
    """
    under_way: deque[tuple[Trace, asyncio.Task[Outcome]]] = deque()
    remaining, failures = iter(traces), ConsecutiveFailures()
    try:
        while True:
            for trace in islice(remaining, TRACES_PER_CALL * max_concurrency() - len(under_way)):
                under_way.append((trace, asyncio.create_task(verdict_or_error(judge, trace))))
            if not under_way:
                return
            trace, task = under_way.popleft()
            outcome = await task
            yield trace, outcome
            failures.count(outcome)
    finally:
        for _, task in under_way:
            task.cancel()
