"""Numbers out: digest, status, export, agreement, and the evidence of verdicts, the list of guidelines."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.reports.guideline_reader import GuidelineReader
from bot.reports.memory_history_reader import MemoryHistoryReader
from bot.reports.status import StatusReport
from bot.reports.verdict_evidence import EvidenceReader
from bot.reports.weekly_digest import WeeklyDigest
from bot.resources import Resources
from bot.runtime.supervisor import Background


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """The reports of a running bot."""

    status: StatusReport
    evidence: EvidenceReader
    guidelines: GuidelineReader
    versions: MemoryHistoryReader
    background: Background


def build(resources: Resources, wake_posting: Callable[[], None]) -> Reports:
    """Build the status, the reader of evidence, and the digest of each week."""
    settings, database, memories = resources.settings, resources.database, resources.memories
    connected, health = resources.slack.connection.is_up, resources.health
    slack = resources.slack
    digest = WeeklyDigest(settings, database, memories, health, wake_posting)
    return Reports(
        status=StatusReport(
            settings,
            database,
            memories,
            connected,
            health,
            slack.clock,
            renaming_offers=resources.renaming_offers,
        ),
        evidence=EvidenceReader(settings, database, memories, slack.people, slack.client),
        guidelines=GuidelineReader(database, memories, settings.titles, slack.people),
        versions=MemoryHistoryReader(database, settings.titles, slack.people, settings.digest.zone),
        background={"weekly digest": digest.run},
    )
