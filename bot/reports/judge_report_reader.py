"""Gathers a judge's report from the store, without the running bot."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from importlib.metadata import version

from bot.config import JudgeSettings, Settings
from bot.judge_report import (
    JudgeCard,
    JudgeReport,
    OverruledCard,
    ReportData,
    ReportRule,
    ReportSettings,
    VersionHistory,
)
from bot.records import CurvePoint, Digest, ShadowComparison
from bot.reports.digest import compute_digest
from bot.reports.learning_curve import compute_point
from bot.reports.report_rules import report_rules
from bot.reports.report_versions import MAX_VERSIONS, version_history
from bot.reports.sequential_test import WARNING_EVIDENCE, evidence_of_worse
from bot.reports.verdict_evidence import question_of
from bot.reports.verdict_history import OverruledCase, VerdictHistory, read_verdict_history
from bot.reports.verdict_label import UNNAMED
from bot.runtime.clock import from_ms, week_bounds, week_of
from memalign.memory.semantic import guidelines_of
from memalign.ports import MemorySnapshot
from memalign.value_types import ValueType, value_type_of
from storage.database import Database
from storage.judge_settings import JudgeFingerprint
from storage.judge_traffic import TRAFFIC_DAYS
from storage.records import AuditLine

RECENT_WEEKS = 4
"""Weeks whose figures stand beside those of all, the running one included."""
NameLookup = Callable[[Iterable[str]], Awaitable[Mapping[str, str]]]
"""Returns the names of people, by id."""
LinkOf = Callable[[str, str], str | None]
"""Returns the address of the message in a channel at a time; None where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSources:
    """The things that a report takes from beside the store."""

    fingerprint: JudgeFingerprint
    """Of the judge's settings as they are now."""
    names: NameLookup
    link: LinkOf
    advance: Callable[[int], None]
    """Called with the number of verdicts read since its last call."""


async def read_judge_report(
    database: Database, settings: Settings, judge: JudgeSettings, now: datetime, sources: ReportSources
) -> JudgeReport:
    """Gather all that a judge's page tells.

    Args:
        database: the store, which may be open for reading only.
        settings: the settings.
        judge: the judge among them.
        now: the time, in the time zone of the digest.
        sources: what comes from beside the store.

    Raises:
        StorageError: The store cannot be read.
    """
    zone = settings.digest.zone
    values = value_type_of(judge.feedback_value_type, judge.range)
    history = await read_verdict_history(database, judge.name, values, zone, sources.advance)
    audit = await database.audit.between(0, int(now.timestamp() * 1000) + 1)
    snapshot = await database.memories.load(judge.name)
    figures = _Figures(judge.name, values, history, audit)
    weeks = [figures.of([week], week) for week in history.weeks()]
    return JudgeReport(
        card=_card(settings, judge, values, snapshot),
        made_at=now,
        program_version=version("memalign"),
        first_verdict=from_ms(history.first_ms, zone) if history.judged else None,
        last_verdict=from_ms(history.last_ms, zone) if history.judged else None,
        life=figures.of_all(),
        recent=figures.of(_recent_weeks(now)),
        weeks=weeks,
        curve=figures.curve(),
        worse_weeks=[week.week for week in weeks if _is_worse(week.against_last_week)],
        data=await _data(database, judge.name, history, audit, now),
        settings=await _settings(database, settings, judge, sources.fingerprint),
        labels=history.label_counts,
        overruled=[
            await _overruled(database, case, sources.link, zone) for case in reversed(history.overruled)
        ],
        rules=await _rules(database, settings, judge, snapshot, sources.names),
        history=await _versions(database, settings, judge.name, sources.names),
    )


@dataclass(frozen=True, slots=True)
class _Figures:
    """Computes digests of a judge's weeks, one or several together."""

    judge: str
    value_type: ValueType
    history: VerdictHistory
    audit: Sequence[AuditLine]

    def of_all(self) -> Digest:
        """Return the figures of all weeks, and all that was learned and forgotten."""
        weeks = self.history.weeks()
        return compute_digest(
            self.judge,
            "",
            self.value_type,
            self.history.verdicts_of(weeks),
            self.audit,
            self.history.shown_in(weeks),
            self.history.late,
        )

    def of(self, weeks: Sequence[str], name: str = "") -> Digest:
        """Return the figures of some weeks in a row, under a name."""
        start, end = self._bounds(weeks[0])[0], self._bounds(weeks[-1])[1]
        audit = [line for line in self.audit if start <= line.at_ms < end]
        verdicts, shown = self.history.verdicts_of(weeks), self.history.shown_in(weeks)
        return compute_digest(self.judge, name, self.value_type, verdicts, audit, shown)

    def curve(self) -> list[CurvePoint]:
        """Return the points of the weeks in which people gave labels."""
        weeks = self.history.weeks()
        points = (compute_point(week, self.value_type, self.history.verdicts_of([week])) for week in weeks)
        return [point for point in points if point is not None]

    def _bounds(self, week: str) -> tuple[int, int]:
        return week_bounds(week, self.history.zone)


def _is_worse(comparison: ShadowComparison | None) -> bool:
    if comparison is None:
        return False
    return evidence_of_worse(comparison.all.fixed, comparison.all.broken) >= WARNING_EVIDENCE


def _recent_weeks(now: datetime) -> list[str]:
    return [week_of(now.date() - timedelta(weeks=number)) for number in reversed(range(RECENT_WEEKS))]


def _card(settings: Settings, judge: JudgeSettings, values: ValueType, snapshot: MemorySnapshot) -> JudgeCard:
    return JudgeCard(
        name=judge.name,
        title=judge.title,
        instructions=judge.instructions,
        value_type=values,
        model=judge.model,
        embedding_model=settings.memory.embedding_model,
        reflection_model=settings.memory.reflection_lm,
        skipped=tuple(judge.skip),
        memory_version=snapshot.number,
        cases=len(snapshot.episodes),
    )


async def _data(
    database: Database, judge: str, history: VerdictHistory, audit: Sequence[AuditLine], now: datetime
) -> ReportData:
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


async def _settings(
    database: Database, settings: Settings, judge: JudgeSettings, fingerprint: JudgeFingerprint
) -> ReportSettings:
    before = (await database.judge_settings.fingerprints()).get(judge.name)
    sampling, redaction = settings.sampling, settings.redaction
    return ReportSettings(
        rate=sampling.rate,
        max_per_day=sampling.max_per_day,
        spread=sampling.spread,
        blind=sampling.blind,
        max_model_calls_per_day=sampling.max_model_calls_per_day,
        keep_days=settings.storage.keep_days,
        is_redacted=redaction.enabled,
        keeps_originals=redaction.keep_original,
        min_people=settings.memory.min_people,
        needs_approval=settings.memory.approval == "manual",
        shows_people=settings.access.show_votes,
        changes=() if before is None else fingerprint.changes_since(before),
    )


async def _overruled(database: Database, case: OverruledCase, link: LinkOf, zone: tzinfo) -> OverruledCard:
    stored = case.stored
    trace = await database.traces.get(stored.verdict.trace_id)
    return OverruledCard(
        trace_id=stored.verdict.trace_id,
        question=question_of(trace) if trace else "",
        judged_at=from_ms(stored.judged_ms, zone),
        value=stored.verdict.value,
        rationale=stored.verdict.rationale,
        people_label=None if case.people_label is UNNAMED else case.people_label,
        supporters=case.supporters,
        voters=case.voters,
        link=None if stored.message_ts is None else link(stored.channel, stored.message_ts),
    )


async def _rules(
    database: Database,
    settings: Settings,
    judge: JudgeSettings,
    snapshot: MemorySnapshot,
    names: NameLookup,
) -> list[ReportRule]:
    rules = guidelines_of(snapshot, settings.policy_of(judge))
    people = {person for rule in rules for person in rule.people}
    uses = await database.guideline_uses.of_judge(judge.name)
    known = await names(sorted(people)) if settings.access.show_votes else {}
    return report_rules(rules, uses, known, settings.digest.zone)


async def _versions(database: Database, settings: Settings, judge: str, names: NameLookup) -> VersionHistory:
    versions = await database.memory_history.versions(judge)
    entries = await database.memory_history.log(judge, MAX_VERSIONS)
    people = {person for entry in entries for person in entry.version.people}
    known = await names(sorted(people)) if settings.access.show_votes else {}
    return version_history(versions, entries, known, settings.digest.zone)
