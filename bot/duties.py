"""The background parts that are duties: of several replicas one at a time does them."""

from collections.abc import Awaitable, Callable
from functools import partial

from bot.runtime.duty import work_in_terms
from storage.replica import Replica

CONNECTING, HEARING, REFRESHING = "connecting to Slack", "hearing of changes", "reading others' lessons"
PARTS_OF_EACH_REPLICA = {CONNECTING, HEARING, REFRESHING, "judging"}
"""Background parts that every replica does; each other one is a duty, which one replica at a time leads."""
SHARED_DUTIES = {"reading cards": "cards", "showing verdicts": "cards", "redacting messages": "cards"}
"""Parts that are led together: they take turns at the same messages."""


def duty_of(part: str) -> str:
    """Return the duty that a background part is of."""
    return SHARED_DUTIES.get(part, part)


def in_its_terms(
    replica: Replica, part: str, run: Callable[[], Awaitable[None]]
) -> Callable[[], Awaitable[None]]:
    """Let a background part run while this replica leads its duty; those of each replica run in any case."""
    if part in PARTS_OF_EACH_REPLICA:
        return run
    return partial(work_in_terms, partial(replica.lead, duty_of(part)), run)
