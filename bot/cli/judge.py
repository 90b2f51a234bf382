"""`memalign judge`: judge a file of traces with an aligned judge, without Slack."""

import asyncio
import logging
from argparse import Namespace
from collections import deque
from collections.abc import AsyncIterator, Collection, Sequence
from itertools import islice
from pathlib import Path

from bot.cli.feedback_file import FeedbackLines, read_lines
from bot.cli.judge_source import BatchJudge, JudgeTrace, check_options, open_judge
from bot.cli.label_agreement import compare, counts_in_words, label_problem, left_out
from bot.cli.label_file import LabelFile, read_labels
from bot.cli.progress import progress, write_line
from bot.cli.terminal import RUN_AGAIN
from bot.cli.verdict_file import VerdictFile
from bot.config import RedactionSettings
from bot.plain_text import pluralise
from bot.redaction.redactor import Redactor
from memalign.errors import (
    InputError,
    MemAlignError,
    ModelRefusedError,
    ModelUnavailableError,
    RequestRefusedError,
)
from memalign.models.endpoint import max_concurrency
from memalign.records import Trace, Verdict

_log = logging.getLogger("memalign")

PREFETCH_PER_WORKER = 4
"""Traces under way for each worker, so that one slow response does not hold up the others."""
MAX_CONSECUTIVE_FAILURES = 20
"""Failures of the model's service in a row after which the remaining traces are not tried."""


async def judge(options: Namespace) -> None:
    """`memalign judge TRACES.jsonl --aligned ALIGNED.json|--judge NAME [--out VERDICTS.jsonl]`; again, it goes on."""
    check_options(options)
    async with open_judge(options) as batch_judge:
        await _judge_file(options, batch_judge)


async def _judge_file(options: Namespace, batch_judge: BatchJudge) -> None:
    redactor = Redactor(batch_judge.settings.redaction if batch_judge.settings else RedactionSettings())
    lines = await asyncio.to_thread(read_lines, options.traces, batch_judge.definition, redactor)
    for complaint in lines.complaints():
        write_line(complaint)
    labels = await _read_labels(options, batch_judge, lines.traces)
    out = await asyncio.to_thread(VerdictFile, options.out)
    traces = [trace for trace_id, trace in lines.traces.items() if not out.has(batch_judge.name, trace_id)]
    if judged_before := len(lines.traces) - len(traces):
        write_line(f"{judged_before} traces were judged before; their verdicts are kept.")
    with out:
        failures = await _judge_traces(batch_judge, traces, lines, out)
    await asyncio.to_thread(out.put_in_order, list(lines.traces))
    values = {name: value for name, value in out.values(batch_judge.name).items() if name in lines.traces}
    agreement = compare(values, labels.labels, batch_judge.definition)
    place = f"in {options.out}" if options.out else "on standard output"
    write_line(counts_in_words(values, place, agreement))
    if failures:
        raise InputError(
            f"{pluralise(failures, 'trace')} could not be judged, for the reasons above; {RUN_AGAIN}"
        )
    if options.min_agreement is not None and agreement is not None:
        agreement.require(options.min_agreement)


async def _read_labels(options: Namespace, batch_judge: BatchJudge, trace_ids: Collection[str]) -> LabelFile:
    """Read people's labels, by default those in the file of traces, and say what the agreement leaves out.

    Raises `InputError`, before any model is asked, where an agreement is asked for that cannot be known.
    """
    file: Path = options.labels or options.traces
    labels = await asyncio.to_thread(read_labels, file, batch_judge.definition)
    if file != options.traces:
        for complaint in labels.complaints(file):
            write_line(complaint)
    problem = label_problem(labels, options, trace_ids, batch_judge.definition)
    if problem and options.min_agreement is not None:
        raise InputError(problem)
    if problem and options.labels:
        write_line(problem)
    elif not problem:
        for sentence in left_out(labels, trace_ids):
            write_line(sentence)
    return labels


async def _judge_traces(
    batch_judge: BatchJudge, traces: Sequence[Trace], lines: FeedbackLines, out: VerdictFile
) -> int:
    """Judge traces into a file, tell of each that fails, and return how many did."""
    failures, reason = 0, ""
    with progress("judging", len(traces)) as advance:
        async for trace, outcome in _judge_all(batch_judge.judge, traces):
            if isinstance(outcome, Verdict):
                out.add(outcome)
            else:
                failures += 1
                place = f"line {lines.numbers[trace.trace_id]} ({trace.trace_id})"
                is_same = str(outcome) == reason
                write_line(f"{place} was not judged{' for the same reason.' if is_same else f': {outcome}'}")
                reason = str(outcome)
            advance(1)
    return failures


async def _judge_all(
    judge: JudgeTrace, traces: Sequence[Trace]
) -> AsyncIterator[tuple[Trace, Verdict | MemAlignError]]:
    """Judge several traces at once, and yield the outcomes in the order of the traces.

    Raises `ModelUnavailableError` after `MAX_CONSECUTIVE_FAILURES` failures of the service in a row.
    """
    under_way: deque[tuple[Trace, asyncio.Task[Verdict | MemAlignError]]] = deque()
    remaining = iter(traces)
    failures = 0
    try:
        while True:
            for trace in islice(remaining, PREFETCH_PER_WORKER * max_concurrency() - len(under_way)):
                under_way.append((trace, asyncio.create_task(_judge_one(judge, trace))))
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


async def _judge_one(judge: JudgeTrace, trace: Trace) -> Verdict | MemAlignError:
    try:
        return await judge(trace)
    except MemAlignError as error:
        return error
    except Exception as error:  # a bug met on one trace stops no other
        _log.debug("Judging %s failed unexpectedly.", trace.trace_id, exc_info=True)
        return MemAlignError(f"an unexpected error ({type(error).__name__}: {error}); please report it")


def _is_failure_of_the_service(outcome: Verdict | MemAlignError) -> bool:
    """Return True if the next trace is likely to fail in the same way."""
    return isinstance(outcome, ModelUnavailableError | ModelRefusedError) and not isinstance(
        outcome, RequestRefusedError
    )
