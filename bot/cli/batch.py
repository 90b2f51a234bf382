"""`memalign align` and `memalign judge`: learning and judging from files, without Slack."""

import asyncio
from argparse import Namespace
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from bot.cli.feedback_file import Reading, read_lines
from bot.cli.progress import progress, tell
from bot.cli.verdict_file import VerdictFile
from bot.config import load_environment, load_settings
from bot.plain_text import pluralise
from memalign import make_judge
from memalign.errors import (
    InputError,
    MemAlignError,
    ModelRefusedError,
    ModelUnavailableError,
    RequestRefusedError,
    SettingsError,
)
from memalign.models.endpoint import max_workers
from memalign.optimizer import AlignableJudge, AlignedJudge, MemAlignOptimizer, load_judge
from memalign.records import Lesson, Trace, Verdict

TRACES_A_WORKER = 50
"""What one call of the reflection model distils; what was learned is saved each time all workers had one."""
AHEAD = 4
"""Traces under way for each worker, so that one slow answer does not stop the others."""
HOPELESS = 20
"""Failures of the model's service in a row after which no more traces are tried."""
NAMED = 10
"""How many traces are named in a report's line; of the others it tells the number."""


@dataclass(slots=True, kw_only=True)
class Learned:
    """What all steps together did."""

    learned: set[str] = field(default_factory=set)
    unchanged: set[str] = field(default_factory=set)
    rejected: dict[str, str] = field(default_factory=dict)

    def add(self, report: Lesson) -> None:
        """Count one step."""
        self.learned |= set(report.learned)
        self.unchanged = (self.unchanged | set(report.unchanged)) - self.learned
        self.rejected.update(report.rejected)


async def align(options: Namespace) -> None:
    """`memalign align FEEDBACK.jsonl --judge JUDGE.toml --out ALIGNED.json`; run again, it goes on."""
    base, optimizer = _defined(options.judge)
    judge = await asyncio.to_thread(_resumed, options.out, base)
    reading = await asyncio.to_thread(read_lines, options.feedback, base)
    _tell_skipped(reading)
    traces = [trace for trace in reading.traces.values() if trace.assessments]
    if not traces:
        raise InputError(f"{options.feedback} holds no feedback for judge {base.name} that can be used.")
    total = Learned()
    with progress("learning", len(traces)) as done:
        for step in _steps(traces, TRACES_A_WORKER * max_workers()):
            aligned = await (judge or base).aalign(step, optimizer)
            await asyncio.to_thread(aligned.save, options.out)
            judge = aligned
            total.add(aligned.report)
            done(len(step))
            if not (aligned.report.learned or aligned.report.unchanged):
                break
    _report(judge, total, options.out)


async def judge(options: Namespace) -> None:
    """`memalign judge TRACES.jsonl --aligned ALIGNED.json [--out VERDICTS.jsonl]`; run again, it goes on."""
    load_environment(options.aligned.parent)
    aligned = await asyncio.to_thread(load_judge, options.aligned)
    reading = await asyncio.to_thread(read_lines, options.traces, aligned.base)
    _tell_skipped(reading)
    out = await asyncio.to_thread(VerdictFile, options.out)
    traces = [trace for name, trace in reading.traces.items() if not out.has(aligned.name, name)]
    if before := len(reading.traces) - len(traces):
        tell(f"{before} traces were judged before; their verdicts are kept.")
    failed = 0
    with out, progress("judging", len(traces)) as done:
        async for trace, verdict in _judged(aligned, traces):
            if isinstance(verdict, Verdict):
                out.add(verdict)
            else:
                failed += 1
                tell(f"line {reading.numbers[trace.trace_id]} ({trace.trace_id}) was not judged: {verdict}")
            done(1)
    await asyncio.to_thread(out.put_in_order, list(reading.traces))
    if failed:
        raise InputError(
            f"{pluralise(failed, 'trace')} could not be judged, for the reasons above; run the same command again."
        )


def _defined(file: Path) -> tuple[AlignableJudge, MemAlignOptimizer]:
    """The one judge that a settings file defines, and what it learns with. Raises `SettingsError`."""
    if not file.exists():
        raise SettingsError(f"There is no file {file}; --judge takes a settings file with one [[judges]].")
    load_environment(file.parent)
    settings = load_settings(file, channels=False)
    if len(settings.judges) > 1:
        names = ", ".join(one.name for one in settings.judges)
        raise SettingsError(f"{file} has {len(settings.judges)} judges ({names}); leave one, to align that.")
    one, memory = settings.judges[0], settings.memory
    judge = make_judge(
        name=one.name,
        instructions=one.instructions,
        feedback_value_type=one.feedback_value_type,
        model=one.model,
    )
    optimizer = MemAlignOptimizer(
        reflection_lm=memory.reflection_lm,
        retrieval_k=memory.retrieval_k,
        embedding_model=memory.embedding_model,
        embedding_dim=memory.embedding_dim,
    )
    return judge, optimizer


def _resumed(out: Path, base: AlignableJudge) -> AlignedJudge | None:
    """The judge as an earlier run left it. Raises `InputError` when the file is another judge's."""
    if not out.parent.is_dir():
        raise InputError(f"There is no folder {out.parent} for --out; make it, or choose another.")
    if not out.exists():
        return None
    aligned = load_judge(out)
    if aligned.name != base.name:
        raise InputError(f"{out} holds judge {aligned.name}, not {base.name}; choose another --out.")
    if aligned.base != base:
        raise InputError(
            f"{out} holds judge {base.name} with other instructions, another value type or another model; "
            "choose another --out."
        )
    return aligned


def _steps(traces: Sequence[Trace], size: int) -> Iterator[list[Trace]]:
    left = iter(traces)
    while step := list(islice(left, size)):
        yield step


def _tell_skipped(reading: Reading) -> None:
    for number, why in reading.bad.items():
        tell(f"line {number} was skipped: {why}")
    if reading.others:
        tell(f"Skipped {pluralise(reading.others, 'line')} for other judges.")


def _report(judge: AlignedJudge | None, total: Learned, out: Path) -> None:
    """Say what was learned. Raises `ModelUnavailableError` when something waits."""
    if judge is None:
        return
    pending = judge.report.pending
    print(
        f"{judge.name}: learned {len(total.learned)}, unchanged {len(total.unchanged)}, pending {len(pending)}, "
        f"rejected {len(total.rejected)}; {out} holds {len(judge.episodes)} cases "
        f"and {len(judge.guidelines)} guidelines."
    )
    _tell_reasons("pending", pending)
    _tell_reasons("rejected", total.rejected)
    if pending:
        raise ModelUnavailableError(
            f"{len(pending)} traces wait to be learned, for the reasons above; run the same command again."
        )


def _tell_reasons(what: str, reasons: Mapping[str, str]) -> None:
    for reason in dict.fromkeys(reasons.values()):
        names = [name for name, why in reasons.items() if why == reason]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        print(f"{what}: {reason} ({', '.join(names[:NAMED])}{more})")


async def _judged(
    judge: AlignedJudge, traces: Sequence[Trace]
) -> AsyncIterator[tuple[Trace, Verdict | MemAlignError]]:
    """Verdicts in the order of the traces, some made at once; what fails is told in its place."""
    under_way: deque[tuple[Trace, asyncio.Task[Verdict | MemAlignError]]] = deque()
    left = iter(traces)
    failures = 0
    try:
        while True:
            for trace in islice(left, AHEAD * max_workers() - len(under_way)):
                under_way.append((trace, asyncio.create_task(_verdict(judge, trace))))
            if not under_way:
                return
            trace, task = under_way.popleft()
            verdict = await task
            yield trace, verdict
            failures = failures + 1 if _of_the_service(verdict) else 0
            if failures == HOPELESS:
                raise ModelUnavailableError(
                    f"The last {HOPELESS} traces all failed, so the rest was not tried: {verdict}"
                )
    finally:
        for _, task in under_way:
            task.cancel()


async def _verdict(judge: AlignedJudge, trace: Trace) -> Verdict | MemAlignError:
    try:
        return await judge.acall(trace=trace)
    except MemAlignError as error:
        return error


def _of_the_service(verdict: Verdict | MemAlignError) -> bool:
    """Whether the next trace is likely to fail alike."""
    return isinstance(verdict, ModelUnavailableError | ModelRefusedError) and not isinstance(
        verdict, RequestRefusedError
    )
