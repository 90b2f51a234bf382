"""The data that a judge's report rests on, and the settings that they depend on."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.config import JudgeSettings, Settings
from bot.judge_report import ReportData, ReportSettings
from bot.reports.verdict_history import VerdictHistory
from storage.database import Database
from storage.judge_settings import JudgeFingerprint
from storage.judge_traffic import TRAFFIC_DAYS
from storage.records import AuditLine


async def read_report_data(
    database: Database, judge: str, history: VerdictHistory, audit: Sequence[AuditLine], now: datetime
) -> ReportData:
    """Read what the figures rest on.

    Args:
        database: the store.
        judge: the judge's name.
        history: all its verdicts.
        audit: all audit lines.
        now: the time, in the time zone of the digest.

    Raises:
        StorageError: the store cannot be read.
    """
    traffic = await database.traffic.of_judge(judge)
    first_day = (now.date() - timedelta(days=TRAFFIC_DAYS - 1)).isoformat()
    return ReportData(
        traces=await database.traces.count(),
        sampled_lately=sum(sum(hours) for day, hours in traffic.items() if day >= first_day),
        judged=history.judged,
        shown=history.shown.total(),
        blind=history.blind,
        reasons=dict(history.reasons.most_common()),
        lowest_chance=min(history.chances, default=1.0),
        highest_chance=max(history.chances, default=1.0),
        cards_without_chance=history.cards_without_chance or 0,
        near_copies=history.near_copies,
        models=history.models,
        forgotten_traces=_ids(audit, "forgotten", judge),
        forgotten_people=_ids(audit, "person_forgotten", ""),
        expired=_ids(audit, "expired", ""),
        late=history.late,
        most_by_one=max(history.votes.values(), default=0),
        votes=history.votes.total(),
        damaged_records=database.damaged_records,
    )


def _ids(audit: Sequence[AuditLine], what: str, judge: str) -> int:
    """Return how many traces or people the lines on a judge name; those on none are of all judges."""
    return len({each for line in audit if line.what == what and line.judge == judge for each in line.ids})


async def read_report_settings(
    database: Database, settings: Settings, judge: JudgeSettings, fingerprint: JudgeFingerprint
) -> ReportSettings:
    """Return the settings as they are, and how they differ from those that the bot ran with last.

    `fingerprint` is that of the judge's settings as they are. Raises `StorageError`.
    """
    before = (await database.judge_settings.fingerprints()).get(judge.name)
    sampling, redaction = settings.sampling, settings.redaction
    return ReportSettings(
        rate=settings.rate_of(judge),
        max_per_day=settings.max_per_day_of(judge),
        max_per_day_of_channel=sampling.max_per_day,
        spread=sampling.spread,
        blind=sampling.blind,
        max_model_calls_per_day=sampling.max_model_calls_per_day,
        keep_days=settings.storage.keep_days,
        is_redacted=redaction.enabled,
        keeps_originals=redaction.keep_original,
        min_people=settings.memory.min_people,
        needs_approval=settings.memory.approval == "manual",
        changes=() if before is None else fingerprint.changes_since(before),
    )
