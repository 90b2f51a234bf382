"""Health: why some part of the bot waits, as every part reports it and `status` reads it."""

import logging
import secrets
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from bot.runtime.work_in_hand import WorkInHand

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that waits, and the reason."""

    component: str
    """The part that reports it, such as `judging`."""
    subject: str
    """The judge, channel or background part that it concerns."""
    reason: str


class HealthRegistry:
    """The present problems of all components, one for each component and subject; and the work in hand."""

    def __init__(self, work: WorkInHand | None = None) -> None:
        self.work = work or WorkInHand()
        self._reasons: dict[tuple[str, str], str] = {}

    def report(self, component: str, subject: str, reason: str | None) -> None:
        """Say why a subject waits; None: it does not wait any more."""
        if reason is None:
            self._reasons.pop((component, subject), None)
        else:
            self._reasons[component, subject] = reason

    def reason(self, component: str, subject: str) -> str | None:
        """Return why a subject waits, None when it does not."""
        return self._reasons.get((component, subject))

    def subjects(self, component: str) -> AbstractSet[str]:
        """Return what has a problem in a component."""
        return {subject for known, subject in self._reasons if known == component}

    def problems(self) -> tuple[Problem, ...]:
        """Return all problems, those of one component together."""
        return tuple(
            Problem(component=component, subject=subject, reason=self._reasons[component, subject])
            for component, subject in sorted(self._reasons)
        )


def log_bug(doing: str) -> str:
    """Log the exception being handled, which is a mistake in this program, under an error id.

    Args:
        doing: the work that failed, for the log.

    Returns:
        The error id, 8 hexadecimal digits.
    """
    error_id = secrets.token_hex(4)
    log.exception("error %s in %s", error_id, doing)
    return error_id


def unexpected(doing: str) -> str:
    """Log the exception being handled, and return the reason to report for it."""
    return f"an unexpected error (error {log_bug(doing)}); see the log"
