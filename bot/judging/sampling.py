"""Sampling: which judges see a trace, whether they can judge it, and whether its card asks first."""

from collections.abc import Mapping

from bot.config import Settings, SkippedKind
from bot.judging.hash_fraction import hash_fraction
from memalign.embedded_text import has_text
from memalign.errors import InputError
from memalign.judge_memory import JudgeMemory
from memalign.records import Trace
from memalign.trace_content import TraceContent
from storage.records import SHOWN_AS_ALL, CardSelection


def is_sampled(trace_id: str, judge: str, rate: float, key: bytes = b"") -> bool:
    """Return whether a judge sees a trace: the same answer each time, also after a restart.

    Args:
        trace_id: the trace's id.
        judge: the judge's name.
        rate: share of the traces that are sampled, from 0 to 1.
        key: the store's secret, up to 64 bytes; who does not know it cannot choose ids that are always or never
            sampled.
    """
    return hash_fraction(judge, trace_id, key=key) < rate


def asks_first(trace_id: str, judge: str, share: float, key: bytes = b"") -> bool:
    """Return whether a judge's card asks before it shows the verdict: the same answer each time, as of `is_sampled`.

    Args:
        trace_id: the trace's id.
        judge: the judge's name.
        share: share of the cards that ask first, from 0 to 1, whichever traces were sampled.
        key: the store's secret, up to 64 bytes.
    """
    return hash_fraction("blind", judge, trace_id, key=key) < share


def rank_of(trace_id: str, judge: str, key: bytes = b"") -> float:
    """Return a trace's place among all traces of a judge: uniform from 0 up to, but without, 1, and always the same.

    It does not depend on `is_sampled`. The arguments are the same.
    """
    return hash_fraction("rank", judge, trace_id, key=key)


def judges_for(trace: Trace, settings: Settings, key: bytes) -> tuple[str, ...]:
    """Return the judges that are to judge a trace: those it names, else all; sampled, as `is_sampled` says.

    Judges that skip traces of its kind are left out.
    """
    named = [judge for judge in settings.judges if not trace.judges or judge.name in trace.judges]
    sampled = [
        judge for judge in named if is_sampled(trace.trace_id, judge.name, settings.rate_of(judge), key)
    ]
    kinds = kinds_of(trace) if any(judge.skip for judge in sampled) else frozenset()
    return tuple(judge.name for judge in sampled if not kinds & set(judge.skip))


def selection_at_rate(rate: float) -> CardSelection:
    """Return the way in which a trace is chosen that is judged at once, as each is that was sampled."""
    # a rate of 0 was another when the trace came
    return CardSelection(probability=rate, reason="random") if 0 < rate < 1 else SHOWN_AS_ALL


def kinds_of(trace: Trace) -> frozenset[SkippedKind]:
    """Return the kinds of traces, among those that judges may skip, that a trace is of."""
    content = TraceContent(trace)
    kinds: dict[SkippedKind, bool] = {
        "errors": content.error is not None,
        "empty_outputs": not content.has_output,
        "no_expectations": not has_text(content.expectations),
    }
    return frozenset(kind for kind, applies in kinds.items() if applies)


def validation_error(trace: Trace, memories: Mapping[str, JudgeMemory]) -> str | None:
    """Return why none of the judges meant for a trace can judge it; None when one can."""
    reasons = []
    for name in trace.judges or memories:
        try:
            memories[name].definition.select_fields(trace)
        except InputError as error:
            reasons.append(str(error))
        else:
            return None
    return reasons[0]
