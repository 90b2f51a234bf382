"""`memalign align`: teach a judge from a file of feedback, without Slack."""

import asyncio
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from bot.cli.alignment_checkpoint import Checkpoint
from bot.cli.alignment_step import StepOutcome, align_step
from bot.cli.feedback_file import FeedbackFile
from bot.cli.line_file import open_lines
from bot.cli.progress import line_count, progress, write_line
from bot.cli.terminal import RUN_AGAIN, print_text
from bot.config import load_environment, load_settings
from bot.plain_text import guideline_state, pluralise
from bot.redaction.redactor import Redactor
from bot.visible_text import visible_line
from memalign import make_judge
from memalign.errors import InputError, ModelUnavailableError, SettingsError
from memalign.judges import AlignableJudge, AlignedJudge
from memalign.models.call_limits import call_limits
from memalign.models.endpoint import max_concurrency
from memalign.optimizer import MemAlignOptimizer, load_judge
from memalign.records import Trace

TRACES_PER_WORKER = 50
"""Traces of one call to the reflection model; the judge is saved on the way, each time every worker has made one."""
MAX_IDS_PER_LINE = 10
"""Traces that a line of the report names; it counts the others."""


@dataclass(slots=True, kw_only=True)
class AlignmentTotals:
    """Outcome of all steps of a run."""

    learned: set[str] = field(default_factory=set)
    unchanged: set[str] = field(default_factory=set)
    rejected: dict[str, str] = field(default_factory=dict)

    def add(self, outcome: StepOutcome) -> None:
        """Count the outcome of one step."""
        for report in outcome.reports:
            self.learned |= set(report.learned)
            self.unchanged = (self.unchanged | set(report.unchanged)) - self.learned
            self.rejected.update(report.rejected)
        self.rejected.update(outcome.rejected)


async def align(options: Namespace) -> None:
    """`memalign align FEEDBACK.jsonl --judge JUDGE.toml --out ALIGNED.json`; run again, it goes on."""
    with call_limits(concurrency=options.concurrency, tokens_per_minute=options.tokens_per_minute):
        base, optimizer, redactor = _read_judge(options.judge)
        judge = await asyncio.to_thread(_resume, options.out, base) or base
        with open_lines(options.feedback) as lines:
            judge, totals = await _align_file(options, judge, optimizer, FeedbackFile(lines, base, redactor))
    _report(judge, totals, options.out)


async def _align_file(
    options: Namespace,
    judge: AlignableJudge | AlignedJudge,
    optimizer: MemAlignOptimizer,
    feedback: FeedbackFile,
) -> tuple[AlignedJudge, AlignmentTotals]:
    """Learn a file step by step, and save the judge on the way. Raises `InputError` where there is nothing to learn."""
    with line_count("reading") as count:
        await asyncio.to_thread(feedback.scan, write_line, count)
    if not feedback.labelled_traces:
        raise InputError(f"{options.feedback} holds no feedback for judge {judge.name} that can be used.")
    totals = AlignmentTotals()
    checkpoint = Checkpoint(options.out)
    with progress("learning", feedback.labelled_traces) as advance:
        for step in _steps(feedback.traces(feedback.labelled_ids), TRACES_PER_WORKER * max_concurrency()):
            outcome = await align_step(judge, step, optimizer)
            judge = outcome.judge
            totals.add(outcome)
            await asyncio.to_thread(checkpoint.save_if_due, judge)
            advance(len(step))
            if not outcome.progressed:
                break
    if not isinstance(judge, AlignedJudge):
        raise InputError(f"None of the traces can be learned from: {next(iter(totals.rejected.values()))}")
    await asyncio.to_thread(checkpoint.save, judge)
    return judge, totals


def _read_judge(file: Path) -> tuple[AlignableJudge, MemAlignOptimizer, Redactor]:
    """Return the one judge that a settings file defines, its optimizer and redactor. Raises `SettingsError`."""
    if not file.exists():
        raise SettingsError(f"There is no file {file}; --judge takes a settings file with one [[judges]].")
    load_environment(file.parent)
    settings = load_settings(file, channels=False)
    if len(settings.judges) > 1:
        names = ", ".join(judge.name for judge in settings.judges)
        raise SettingsError(f"{file} has {len(settings.judges)} judges ({names}); leave one, to align that.")
    definition, memory = settings.judges[0], settings.memory
    judge = make_judge(
        name=definition.name,
        instructions=definition.instructions,
        feedback_value_type=definition.feedback_value_type,
        model=definition.model,
        value_range=definition.range,
        model_options=settings.options_of(definition.model),
    )
    optimizer = MemAlignOptimizer(
        reflection_lm=memory.reflection_lm,
        retrieval_k=memory.retrieval_k,
        embedding_model=memory.embedding_model,
        embedding_dim=memory.embedding_dim,
        guideline_tokens=memory.guideline_tokens,
        min_similarity=memory.min_similarity,
        model_options=settings.models,
    )
    return judge, optimizer, Redactor(settings.redaction)


def _resume(out: Path, base: AlignableJudge) -> AlignedJudge | None:
    """Return the judge as an earlier run left it. Raises `InputError` if the file holds another judge."""
    if not out.parent.is_dir():
        raise InputError(f"There is no folder {out.parent} for --out; make it, or choose another.")
    if not out.exists():
        return None
    aligned = load_judge(out, model_options={base.model: base.model_options})
    if aligned.name != base.name:
        raise InputError(f"{out} holds judge {aligned.name}, not {base.name}; choose another --out.")
    if aligned.base != base:
        raise InputError(
            f"{out} holds judge {base.name} with other instructions, another value type or another model; "
            "choose another --out."
        )
    return aligned


def _steps(traces: Iterable[Trace], size: int) -> Iterator[list[Trace]]:
    remaining = iter(traces)
    while step := list(islice(remaining, size)):
        yield step


def _report(judge: AlignedJudge, totals: AlignmentTotals, out: Path) -> None:
    """Print what was learned. Raises `ModelUnavailableError` if traces are pending."""
    pending = judge.report.pending
    print_text(
        f"{judge.name}: learned {len(totals.learned)}, unchanged {len(totals.unchanged)}, pending {len(pending)}, "
        f"rejected {len(totals.rejected)}; {out} holds {len(judge.episodes)} cases "
        f"and {len(judge.guidelines)} guidelines."
    )
    _print_reasons("pending", pending)
    _print_reasons("reasons not read", judge.report.declined)
    _print_reasons("rejected", totals.rejected)
    for rule in judge.guidelines:
        if rule.stands and rule.doubtful:
            print_text(f"in doubt: {visible_line(rule.text)} {guideline_state(rule)}")
    if pending:
        raise ModelUnavailableError(
            f"{pluralise(len(pending), 'trace waits', 'traces wait')} to be learned, for the reasons above; {RUN_AGAIN}"
        )


def _print_reasons(title: str, reasons: Mapping[str, str]) -> None:
    """Print each different reason once, with the traces it holds for."""
    for reason in dict.fromkeys(reasons.values()):
        trace_ids = [trace_id for trace_id, other in reasons.items() if other == reason]
        more = f" and {len(trace_ids) - MAX_IDS_PER_LINE} more" if len(trace_ids) > MAX_IDS_PER_LINE else ""
        print_text(f"{title}: {reason} ({', '.join(trace_ids[:MAX_IDS_PER_LINE])}{more})")
