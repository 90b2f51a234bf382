"""Numbers out: digest, status, export, agreement, and the evidence of verdicts, the list of guidelines."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.reports.digest_renderer import DigestRenderer
from bot.reports.guideline_reader import GuidelineReader
from bot.reports.judge_stats_reader import JudgeStatsReader
from bot.reports.memory_history_reader import MemoryHistoryReader
from bot.reports.open_cards import OpenCardReader
from bot.reports.status import StatusReport
from bot.reports.verdict_evidence import EvidenceReader
from bot.reports.weekly_digest import WeeklyDigest
from bot.reports.weekly_report_reader import LinksTo, WeeklyReportReader
from bot.reports.worsening_renderer import WorseningRenderer
from bot.reports.worsening_watch import WorseningWatch
from bot.resources import Resources
from bot.runtime.supervisor import Background
from bot.slack.permalink import permalinks
from storage.records import StoredVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """The reports of a running bot."""

    status: StatusReport
    evidence: EvidenceReader
    guidelines: GuidelineReader
    versions: MemoryHistoryReader
    digests: DigestRenderer
    open_cards: OpenCardReader
    stats: JudgeStatsReader
    background: Background


def build_digests(resources: Resources) -> DigestRenderer:
    """Build what makes digests."""
    settings, database, people = resources.settings, resources.database, resources.slack.people
    reader = WeeklyReportReader(settings, database, people.names, _links_to(resources.slack.client))
    return DigestRenderer(settings, database, resources.memories, reader)


def build_warnings(resources: Resources) -> WorseningRenderer:
    """Build what words warnings."""
    links_to = _links_to(resources.slack.client)
    return WorseningRenderer(resources.settings, resources.database, resources.memories, links_to)


def _links_to(client: AsyncWebClient) -> LinksTo:
    async def links_to(cards: Sequence[StoredVerdict]) -> Mapping[str, str]:
        by_channel = defaultdict[str, dict[str, str]](dict)
        for card in cards:
            if card.message_ts is not None:
                by_channel[card.channel][card.message_ts] = card.verdict_id
        links = [(ids, await permalinks(client, channel, tuple(ids))) for channel, ids in by_channel.items()]
        return {ids[ts]: link for ids, known in links for ts, link in known.items()}

    return links_to


def build(
    resources: Resources, digests: DigestRenderer, wake_posting: Callable[[], None], check_seconds: float
) -> Reports:
    """Build the status, the reader of evidence, the digest of each week, and what looks for worse verdicts."""
    settings, database, memories = resources.settings, resources.database, resources.memories
    connected, health = resources.slack.connection.is_up, resources.health
    slack = resources.slack
    digest = WeeklyDigest(settings, database, health, wake_posting)
    watch = WorseningWatch(settings, database, memories, health, wake_posting, pause_seconds=check_seconds)
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
        digests=digests,
        open_cards=OpenCardReader(database, _links_to(slack.client)),
        stats=JudgeStatsReader(settings, database, memories),
        background={"weekly digest": digest.run, "watching for worse verdicts": watch.run},
    )
