"""Judging a part of many traces, wherever an engine such as Ray Data or Spark runs it.

from memalign.batch import judge_partition

for row in judge_partition([{"trace_id": "tr-1", "inputs": "Hello", "outputs": "What?"}], "aligned.json"):
    print(row["trace_id"], row["value"], row["rationale"])
"""

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any

from memalign.errors import InputError, MemAlignError
from memalign.event_loop import start
from memalign.judges import AlignedJudge
from memalign.models.call_limits import CallLimits
from memalign.models.endpoint import max_concurrency
from memalign.optimizer import load_judge
from memalign.patient_judging import TRACES_PER_CALL, ConsecutiveFailures, Outcome, verdict_or_error
from memalign.records import Json, Trace, Verdict
from memalign.trace_row import trace_of_row
from memalign.verdict_row import verdict_row

_log = logging.getLogger("memalign")

VERDICT_COLUMNS = ("trace_id", "judge", "value", "rationale", "guideline_ids", "retrieved_trace_ids")
"""The columns of a verdict's row, as in VERDICTS.jsonl."""
_MAX_JUDGES = 4
"""Judges of files that a process keeps; an engine gives it one part after the other."""

Row = Mapping[str, Any]
OnFailure = Callable[[Row, MemAlignError], Row | None]
"""Makes the row that stands in the place of a verdict; None: no row does."""


def log_failure(row: Row, error: MemAlignError) -> None:
    """Warn of a row that could not be judged, and leave it out.

    Args:
        row: The row.
        error: The reason.
    """
    _log.warning("Trace %s was not judged: %s", row.get("trace_id"), error)


def judge_partition(
    rows: Iterable[Row] | Any,
    aligned: str | PathLike[str] | bytes | AlignedJudge,
    *,
    concurrency: int | None = None,
    tokens_per_minute: int | None = None,
    on_failure: OnFailure = log_failure,
) -> Generator[dict[str, Json], None, None]:
    """Judge rows, several at once, and yield the verdicts in the order of the rows.

    It is a plain generator function: it can be called in any thread and process, also inside a running event loop. Only
    a bounded number of rows is held. Nothing is redacted here.

    Args:
        rows: Rows with `trace_id`, `inputs` and `outputs`, see `memalign.trace_row.trace_of_row`; or a DataFrame of
            pandas.
        aligned: The file that `memalign align` or `AlignedJudge.save` wrote, on a disk that this process can read; its
            content as bytes; or the judge. A process reads a file once, and again when it has changed.
        concurrency: Model calls at once, for this call; None: `MEMALIGN_MAX_WORKERS`, or 8.
        tokens_per_minute: Most tokens within any minute, prompts and answers together, of all calls in this process
            that name the same number; None: no limit. A cluster of n processes uses up to n times as much.
        on_failure: Called with each row that could not be judged, and the reason; the row that it returns is yielded in
            the verdict's place. By default the row is left out and a warning is logged.

    Yields:
        A row for each verdict, with `VERDICT_COLUMNS`.

    Raises:
        InputError: If `aligned` cannot be read, or is no judge.
        ModelUnavailableError: If so many rows fail in a row at the model's service that the rest is not tried.
        SettingsError: If a number is below 1, or a model cannot be used as the judge says.
    """
    limits = CallLimits.of(concurrency=concurrency, tokens_per_minute=tokens_per_minute)
    judge = _judge_of(aligned)
    window = TRACES_PER_CALL * limits.run(max_concurrency)
    under_way: deque[tuple[Row, Future[Outcome]]] = deque()
    failures = ConsecutiveFailures()

    def take() -> Iterator[dict[str, Json]]:
        row, future = under_way.popleft()
        outcome = future.result()
        verdict = verdict_row(outcome) if isinstance(outcome, Verdict) else on_failure(row, outcome)
        if verdict is not None:
            yield dict(verdict)
        failures.count(outcome)

    try:
        for row in _records(rows):
            under_way.append((row, limits.run(start, _outcome(judge, row))))
            if len(under_way) == window:
                yield from take()
        while under_way:
            yield from take()
    finally:
        for _, future in under_way:
            future.cancel()


async def _outcome(judge: AlignedJudge, row: Row) -> Outcome:
    try:
        trace = trace_of_row(row)
    except InputError as error:
        return error
    return await verdict_or_error(lambda each: _verdict(judge, each), trace)


async def _verdict(judge: AlignedJudge, trace: Trace) -> Verdict:
    return await judge.acall(trace=trace)


def _records(rows: Any) -> Iterable[Row]:
    """Return the rows of a DataFrame, or the rows as they are."""
    to_dict = getattr(rows, "to_dict", None)
    records: Iterable[Row] = rows if to_dict is None else to_dict("records")
    return records


def _judge_of(aligned: str | PathLike[str] | bytes | AlignedJudge) -> AlignedJudge:
    if isinstance(aligned, AlignedJudge):
        return aligned
    if isinstance(aligned, bytes):
        return _judge_of_content(aligned)
    path = Path(aligned)
    try:
        state = path.stat()
    except OSError:
        return load_judge(path)  # which tells why
    return _judge_of_file(path, (state.st_ino, state.st_size, state.st_mtime_ns))


@lru_cache(_MAX_JUDGES)
def _judge_of_file(path: Path, state: tuple[int, int, int]) -> AlignedJudge:  # noqa: ARG001 - another state is another judge
    return load_judge(path)


@lru_cache(_MAX_JUDGES)
def _judge_of_content(content: bytes) -> AlignedJudge:
    return load_judge(content)
