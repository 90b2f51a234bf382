"""The versions of a judge's memory and the changes of its settings, for its report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo

from bot.judge_report import ReportVersion, Rollback, SettingsChange, VersionHistory
from bot.memory_words import difference_words, version_words
from bot.plain_text import pluralise
from bot.runtime.clock import from_ms
from memalign.records import MemoryVersion
from storage.memory_history import LogEntry

MAX_VERSIONS = 20
"""Newest versions that a report tells."""
MAX_CHANGES = 5
"""Changes of one version that a report tells in words; it counts the others."""


def version_history(
    versions: Sequence[MemoryVersion],
    entries: Sequence[LogEntry],
    names: Mapping[str, str],
    zone: tzinfo,
) -> VersionHistory:
    """Return the history of a memory.

    Args:
        versions: all versions, newest first.
        entries: the newest of them, with what came and went.
        names: people's names by id; whoever is not in it stays unnamed.
        zone: the time zone of the times.
    """
    return VersionHistory(
        total=len(versions),
        newest=[_version(entry, names, zone) for entry in entries],
        rollbacks=[
            Rollback(at=from_ms(each.at_ms, zone), number=each.number, to=each.rollback_to)
            for each in versions
            if each.kind == "rollback"
        ],
        settings=[
            SettingsChange(at=from_ms(each.at_ms, zone), note=each.note)
            for each in versions
            if each.kind == "settings"
        ],
    )


def _version(entry: LogEntry, names: Mapping[str, str], zone: tzinfo) -> ReportVersion:
    version = entry.version
    changes = difference_words(version, entry.difference)
    more = len(changes) - MAX_CHANGES
    return ReportVersion(
        number=version.number,
        at=from_ms(version.at_ms, zone),
        cause=version_words(version, names) if names else _cause_without_names(version),
        changes=[*changes[:MAX_CHANGES], *([f"and {pluralise(more, 'more change')}"] if more > 0 else [])],
    )


def _cause_without_names(version: MemoryVersion) -> str:
    if not version.people:
        return version_words(version, {})
    number = pluralise(len(version.people), "person", "people")
    return version_words(replace(version, people=(number,)), {})
