"""The answer to `POST /traces`: what became of each item of the body."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from aiohttp import web

from bot.judging.trace_admission import Outcome
from bot.trace_json.rejected_trace import RejectedTrace
from memalign.records import Json

RETRY_AFTER_SECONDS = 30
MAX_LISTED_REFUSALS = 100
"""Refusals told one by one; those beyond are counted only."""
REASONS: Mapping[str, str] = {
    "full": "too many traces wait to be judged; send this one again later",
    "forgotten": "this trace was forgotten and is not taken again",
}


def count_outcomes(outcomes: Sequence[Outcome]) -> Counter[str]:
    """Return how many items came to each outcome."""
    return Counter("rejected" if isinstance(outcome, RejectedTrace) else outcome for outcome in outcomes)


def report_response(outcomes: Sequence[Outcome]) -> web.Response:
    """Return the answer: 202, 422 where nothing was taken, 429 where the queue is full."""
    counts = count_outcomes(outcomes)
    taken = counts["accepted"] + counts["duplicate"]
    refused = len(outcomes) - taken
    report: dict[str, Json] = {
        "accepted": counts["accepted"],
        "duplicates": counts["duplicate"],
        "rejected": list(islice(_refusals(outcomes), MAX_LISTED_REFUSALS)),
    }
    if refused > MAX_LISTED_REFUSALS:
        report["rejected_count"] = refused
    if counts["full"]:
        report["error"] = REASONS["full"]
        return json_response(429, report, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    return json_response(422 if outcomes and not taken else 202, report)


def _refusals(outcomes: Sequence[Outcome]) -> Iterator[Json]:
    for index, outcome in enumerate(outcomes):
        reason = outcome.reason if isinstance(outcome, RejectedTrace) else REASONS.get(outcome)
        if reason:
            yield {"index": index, "error": reason}


def json_response(
    status: int, body: Mapping[str, Json], headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a JSON document as a response."""
    return web.json_response(body, status=status, headers=headers)
