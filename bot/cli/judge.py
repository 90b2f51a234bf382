"""`memalign judge`: judge a file of traces with an aligned judge, without Slack."""

import asyncio
from argparse import Namespace
from pathlib import Path

from bot.cli.concurrent_judging import judge_all
from bot.cli.feedback_file import FeedbackFile
from bot.cli.judge_source import BatchJudge, check_options, open_judge
from bot.cli.label_agreement import compare, counts_in_words, label_problem, left_out
from bot.cli.label_file import LabelFile, read_labels
from bot.cli.line_file import LineFile, open_lines
from bot.cli.progress import line_count, progress, write_line
from bot.cli.terminal import RUN_AGAIN
from bot.cli.verdict_file import VerdictFile
from bot.cli.verdict_tally import VerdictTally
from bot.config import RedactionSettings
from bot.plain_text import pluralise
from bot.redaction.redactor import Redactor
from memalign.errors import InputError
from memalign.models.call_limits import call_limits
from memalign.records import Verdict


async def judge(options: Namespace) -> None:
    """`memalign judge TRACES.jsonl --aligned ALIGNED.json|--judge NAME [--out VERDICTS.jsonl]`; again, it goes on."""
    check_options(options)
    with call_limits(concurrency=options.concurrency, tokens_per_minute=options.tokens_per_minute):
        async with open_judge(options) as batch_judge:
            with open_lines(options.traces) as lines:
                await _judge_file(options, batch_judge, lines)


async def _judge_file(options: Namespace, batch_judge: BatchJudge, lines: LineFile) -> None:
    redactor = Redactor(batch_judge.settings.redaction if batch_judge.settings else RedactionSettings())
    traces = FeedbackFile(lines, batch_judge.definition, redactor)
    with line_count("reading") as advance:
        await asyncio.to_thread(traces.scan, write_line, advance)
    labels = await _read_labels(options, batch_judge, lines, traces)
    tally = VerdictTally(batch_judge.name, traces.places, labels.labels.keys())
    with await asyncio.to_thread(VerdictFile, options.out, tally) as out:
        _check_resumption(options, out)
        if tally.judged:
            write_line(f"{tally.judged} traces were judged before; their verdicts are kept.")
        failures = await _judge_traces(batch_judge, traces, tally, out)
        await asyncio.to_thread(out.put_in_order)
    agreement = compare(tally.labelled_values, labels.labels, batch_judge.definition)
    place = f"in {options.out}" if options.out else "on standard output"
    write_line(counts_in_words(tally, place, agreement))
    if failures:
        raise InputError(
            f"{pluralise(failures, 'trace')} could not be judged, for the reasons above; {RUN_AGAIN}"
        )
    if options.min_agreement is not None and agreement is not None:
        agreement.require(options.min_agreement)


def _check_resumption(options: Namespace, out: VerdictFile) -> None:
    """Raise `InputError` where a file to go on with holds verdicts that this command would not have written."""
    if options.resume and out.first_other is not None:
        raise InputError(
            f"Line {out.first_other} of {options.out} is no verdict of this judge on a trace of {options.traces}; "
            "choose another --out, or leave out --resume to keep it."
        )


async def _read_labels(
    options: Namespace, batch_judge: BatchJudge, lines: LineFile, traces: FeedbackFile
) -> LabelFile:
    """Read people's labels, by default those in the file of traces, and say what the agreement leaves out.

    Raises `InputError`, before any model is asked, where an agreement is asked for that cannot be known.
    """
    if options.labels and options.labels != options.traces:
        labels = await _read_other_file(options.labels, batch_judge)
    else:
        labels = await asyncio.to_thread(read_labels, lines, batch_judge.definition)
    problem = label_problem(labels, options, traces.trace_ids, batch_judge.definition)
    if problem and options.min_agreement is not None:
        raise InputError(problem)
    if problem and options.labels:
        write_line(problem)
    elif not problem:
        for sentence in left_out(labels, traces.trace_ids):
            write_line(sentence)
    return labels


async def _read_other_file(file: Path, batch_judge: BatchJudge) -> LabelFile:
    with open_lines(file) as lines:
        labels = await asyncio.to_thread(read_labels, lines, batch_judge.definition)
    for complaint in labels.complaints(file):
        write_line(complaint)
    return labels


async def _judge_traces(
    batch_judge: BatchJudge, traces: FeedbackFile, tally: VerdictTally, out: VerdictFile
) -> int:
    """Judge the traces without a verdict into a file, tell of each that fails, and return how many did."""
    failures, reason = 0, ""
    # those with a verdict are looked up along the way, and each verdict is counted after its trace has been passed
    remaining = traces.traces(trace_id for trace_id in traces.trace_ids if not tally.has(trace_id))
    with progress("judging", len(traces.trace_ids) - tally.judged) as advance:
        async for trace, outcome in judge_all(batch_judge.judge, remaining):
            if isinstance(outcome, Verdict):
                out.add(outcome)
            else:
                failures += 1
                place = f"line {traces.first_number(trace.trace_id)} ({trace.trace_id})"
                is_same = str(outcome) == reason
                write_line(f"{place} was not judged{' for the same reason.' if is_same else f': {outcome}'}")
                reason = str(outcome)
            advance(1)
    return failures
