"""`memalign judge`: judge a file of traces with an aligned judge, without Slack."""

import asyncio
import logging
from argparse import Namespace
from collections import deque
from collections.abc import AsyncIterator, Sequence
from itertools import islice

from bot.cli.feedback_file import read_lines
from bot.cli.progress import progress, write_line
from bot.cli.verdict_counts import LabelAgreement, agreement_with, counts_in_words
from bot.cli.verdict_file import VerdictFile
from bot.config import RedactionSettings, load_environment, load_settings
from bot.plain_text import pluralise
from bot.redaction.redactor import Redactor
from memalign.errors import (
    InputError,
    MemAlignError,
    ModelRefusedError,
    ModelUnavailableError,
    RequestRefusedError,
)
from memalign.judges import AlignedJudge
from memalign.models.endpoint import max_concurrency
from memalign.optimizer import load_judge
from memalign.records import Trace, Verdict

_log = logging.getLogger("memalign")

PREFETCH_PER_WORKER = 4
"""Traces under way for each worker, so that one slow response does not hold up the others."""
MAX_CONSECUTIVE_FAILURES = 20
"""Failures of the model's service in a row after which the remaining traces are not tried."""


async def judge(options: Namespace) -> None:
    """`memalign judge TRACES.jsonl --aligned ALIGNED.json [--out VERDICTS.jsonl]`; run again, it goes on."""
    if options.resume and not options.out:
        raise InputError("--resume goes on with a file of verdicts; name it with --out.")
    load_environment(options.aligned.parent)
    aligned = await asyncio.to_thread(load_judge, options.aligned)
    redaction = (
        load_settings(options.config, channels=False).redaction if options.config else RedactionSettings()
    )
    lines = await asyncio.to_thread(read_lines, options.traces, aligned.base, Redactor(redaction))
    labelled = lines
    if options.labels:
        labelled = await asyncio.to_thread(read_lines, options.labels, aligned.base, Redactor(redaction))
    for complaint in [*lines.complaints(), *(labelled.complaints() if options.labels else ())]:
        write_line(complaint)
    out = await asyncio.to_thread(VerdictFile, options.out)
    traces = [trace for trace_id, trace in lines.traces.items() if not out.has(aligned.name, trace_id)]
    if judged_before := len(lines.traces) - len(traces):
        write_line(f"{judged_before} traces were judged before; their verdicts are kept.")
    failures = 0
    with out, progress("judging", len(traces)) as advance:
        async for trace, outcome in _judge_all(aligned, traces):
            if isinstance(outcome, Verdict):
                out.add(outcome)
            else:
                failures += 1
                write_line(
                    f"line {lines.numbers[trace.trace_id]} ({trace.trace_id}) was not judged: {outcome}"
                )
            advance(1)
    await asyncio.to_thread(out.put_in_order, list(lines.traces))
    values = {name: value for name, value in out.values(aligned.name).items() if name in lines.traces}
    agreement = agreement_with(values, labelled.traces.values())
    place = f"in {options.out}" if options.out else "on standard output"
    write_line(counts_in_words(values, place, agreement))
    if failures:
        raise InputError(
            f"{pluralise(failures, 'trace')} could not be judged, for the reasons above; run the same command again."
        )
    if options.min_agreement is not None:
        _require_agreement(agreement, options.min_agreement)


def _require_agreement(agreement: LabelAgreement, least: float) -> None:
    """Raise `InputError` if the verdicts agree with too few labels, or there are none."""
    if not agreement.labels:
        raise InputError(
            "None of the judged traces has a label, so their agreement is not known; name labels with --labels."
        )
    if agreement.share < least:
        raise InputError(
            f"The verdicts agree with {agreement.agreed} of {pluralise(agreement.labels, 'label')} "
            f"({agreement.share:.1%}), and --min-agreement asks for {least:.1%}."
        )


async def _judge_all(
    judge: AlignedJudge, traces: Sequence[Trace]
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


async def _judge_one(judge: AlignedJudge, trace: Trace) -> Verdict | MemAlignError:
    try:
        return await judge.acall(trace=trace)
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
