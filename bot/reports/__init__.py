"""Numbers out: digest, status, export, agreement."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.reports.status import StatusReport
from bot.reports.weekly_digest import WeeklyDigest
from bot.resources import Resources
from bot.runtime.supervisor import Background


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """The reports of a running bot."""

    status: StatusReport
    background: Background


def build(resources: Resources, wake_posting: Callable[[], None]) -> Reports:
    """Build the status, and the digest of each week."""
    settings, database, memories = resources.settings, resources.database, resources.memories
    connected, health = resources.slack.connection.is_up, resources.health
    digest = WeeklyDigest(settings, database, memories, health, wake_posting)
    return Reports(
        status=StatusReport(settings, database, memories, connected, health, resources.slack.clock),
        background={"weekly digest": digest.run},
    )
