"""Gathers a judge's report from the store, without the running bot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from importlib.metadata import version

from bot.config import JudgeSettings, Settings
from bot.judge_report import (
    JudgeCard,
    JudgeReport,
    OverruledCard,
    ReportRule,
    VersionHistory,
)
from bot.reports.report_data import read_report_data, read_report_settings
from bot.reports.report_figures import RECENT_WEEKS, ReportFigures, is_worse
from bot.reports.report_rules import report_rules
from bot.reports.report_versions import MAX_VERSIONS, version_history
from bot.reports.verdict_evidence import question_of
from bot.reports.verdict_history import OverruledCase, read_verdict_history
from bot.reports.verdict_label import UNNAMED
from bot.reports.weekly_report_reader import LinksTo, NamesOf
from bot.runtime.clock import from_ms, last_weeks, week_of
from memalign.memory.semantic import guidelines_of
from memalign.ports import MemorySnapshot
from memalign.value_types import ValueType, value_type_of
from storage.database import Database
from storage.judge_settings import JudgeFingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSources:
    """The things that a report takes from beside the store."""

    fingerprint: JudgeFingerprint
    """Of the judge's settings as they are now."""
    names_of: NamesOf
    links_to: LinksTo
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
    figures = ReportFigures(judge.name, values, history, audit)
    weeks = [figures.of([week], week) for week in history.weeks()]
    links = await sources.links_to([case.stored for case in history.overruled])
    return JudgeReport(
        card=_card(settings, judge, values, snapshot),
        made_at=now,
        program_version=version("memalign"),
        first_verdict=from_ms(history.first_ms, zone) if history.judged else None,
        last_verdict=from_ms(history.last_ms, zone) if history.judged else None,
        life=figures.of_all(),
        recent=figures.of(last_weeks(week_of(now.date()), RECENT_WEEKS)),
        weeks=weeks,
        curve=figures.curve(),
        worse_weeks=[week.week for week in weeks if is_worse(week.against_last_week)],
        data=await read_report_data(database, judge.name, history, audit, now),
        settings=await read_report_settings(database, settings, judge, sources.fingerprint),
        labels=history.label_counts,
        overruled=[await _overruled(database, case, links, zone) for case in reversed(history.overruled)],
        rules=await _rules(database, settings, judge, snapshot, sources.names_of),
        history=await _versions(database, settings, judge.name, sources.names_of),
    )


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


async def _overruled(
    database: Database, case: OverruledCase, links: Mapping[str, str], zone: tzinfo
) -> OverruledCard:
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
        link=links.get(stored.verdict_id),
    )


async def _rules(
    database: Database,
    settings: Settings,
    judge: JudgeSettings,
    snapshot: MemorySnapshot,
    names_of: NamesOf,
) -> list[ReportRule]:
    rules = guidelines_of(snapshot, settings.policy_of(judge))
    people = {person for rule in rules for person in rule.people}
    uses = await database.guideline_uses.of_judge(judge.name)
    known = await names_of(sorted(people)) if settings.access.show_votes else {}
    return report_rules(rules, uses, known, settings.digest.zone)


async def _versions(database: Database, settings: Settings, judge: str, names_of: NamesOf) -> VersionHistory:
    versions = await database.memory_history.versions(judge)
    entries = await database.memory_history.log(judge, MAX_VERSIONS)
    people = {person for entry in entries for person in entry.version.people}
    known = await names_of(sorted(people)) if settings.access.show_votes else {}
    return version_history(versions, entries, known, settings.digest.zone)
