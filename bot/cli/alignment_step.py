"""One step of `memalign align`, in which a bug met on one trace costs no other trace its lesson."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from memalign.errors import InputError, MemAlignError
from memalign.judges import AlignableJudge, AlignedJudge
from memalign.optimizer import MemAlignOptimizer
from memalign.records import Lesson, Trace

_log = logging.getLogger("memalign")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """The judge after a step, and the reports of the parts in which it was done."""

    judge: AlignableJudge | AlignedJudge
    """The judge as it was, where nothing of the step could be learned."""
    reports: tuple[Lesson, ...] = ()
    rejected: Mapping[str, str] = field(default_factory=dict)
    """Trace id -> why it was left out."""

    @property
    def progressed(self) -> bool:
        """True if something was learned, was known already, or was left out for good."""
        return bool(self.rejected) or any(report.learned or report.unchanged for report in self.reports)


async def align_step(
    judge: AlignableJudge | AlignedJudge, traces: Sequence[Trace], optimizer: MemAlignOptimizer
) -> StepOutcome:
    """Align a judge with some traces; halve them where that ends in a bug, until the trace that it is met on is found.

    Args:
        judge: The judge.
        traces: With people's feedback.
        optimizer: The models to learn with.

    Returns:
        The outcome.

    Raises:
        MemAlignError: If nothing can be learned for a known reason, such as a wrong setting.
    """
    try:
        with _quiet_about_pending():
            aligned = await judge.aalign(traces, optimizer)
    except InputError as error:  # none of them can be learned from
        if len(traces) > 1:
            return await _align_halves(judge, traces, optimizer)
        return StepOutcome(judge=judge, rejected={traces[0].trace_id: str(error)})
    except MemAlignError:
        raise
    except Exception as error:  # a bug met on one trace stops no other
        if len(traces) > 1:
            return await _align_halves(judge, traces, optimizer)
        (trace,) = traces
        _log.debug("Learning from %s failed unexpectedly.", trace.trace_id, exc_info=True)
        reason = f"an unexpected error ({type(error).__name__}: {error}); please report it"
        return StepOutcome(judge=judge, rejected={trace.trace_id: reason})
    return StepOutcome(judge=aligned, reports=(aligned.report,))


async def _align_halves(
    judge: AlignableJudge | AlignedJudge, traces: Sequence[Trace], optimizer: MemAlignOptimizer
) -> StepOutcome:
    middle = len(traces) // 2
    first = await align_step(judge, traces[:middle], optimizer)
    second = await align_step(first.judge, traces[middle:], optimizer)
    return StepOutcome(
        judge=second.judge,
        reports=(*first.reports, *second.reports),
        rejected={**first.rejected, **second.rejected},
    )


@contextmanager
def _quiet_about_pending() -> Iterator[None]:
    """Leave out the library's warning that traces wait: the command's own report says so."""
    pending_log = logging.getLogger("memalign.pending")
    pending_log.disabled = True
    try:
        yield
    finally:
        pending_log.disabled = False
