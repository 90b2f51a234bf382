"""Labels of earlier settings that a judge's value type no longer has: they stop the start."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.config import JudgeSettings, Settings
from bot.plain_text import pluralise
from memalign.errors import SettingsError
from memalign.records import Episode, Label
from memalign.value_types import ValueType, label_text, value_type_of
from storage.database import Database
from storage.judge_settings import JudgeFingerprint
from storage.records import PersonFeedback

MAX_TRACES_NAMED = 3
"""Traces that a command to forget them names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLabel:
    """A label that was given under earlier settings."""

    trace_id: str
    value: Label


async def refuse_unfit_labels(settings: Settings, database: Database) -> None:
    """Raise `SettingsError` where a judge has learned from labels that its value type no longer has."""
    known = await database.judge_settings.fingerprints()
    for judge in settings.judges:
        if judge.name in known and _has_same_type(judge, known[judge.name]):
            continue  # all that was learned since was read by this type
        if problem := value_problem(judge, await stored_labels(database, judge.name)):
            raise SettingsError(problem)


async def stored_labels(database: Database, judge: str) -> list[StoredLabel]:
    """Return all labels that a judge has learned from, or is still to learn from. Raises `StorageError`."""
    labels = labels_of((await database.memories.load(judge)).episodes)
    for pending in await database.feedback.pending_of(judge):
        stored = await database.verdicts.get(pending.verdict_id)
        feedback = await database.feedback.of(pending.verdict_id)
        values = [] if stored is None or not feedback else [stored.verdict.value]
        values += [value for each in feedback.values() if (value := _correction(each)) is not None]
        labels += [StoredLabel(trace_id=pending.trace_id, value=value) for value in values]
    return labels


def labels_of(episodes: Mapping[str, Episode]) -> list[StoredLabel]:
    """Return the labels of all people on some cases."""
    return [
        StoredLabel(trace_id=trace_id, value=value)
        for trace_id, episode in episodes.items()
        for value in (episode.label, *(each.value for each in (*episode.opinions, *episode.minority)))
    ]


def unfit_labels(judge: JudgeSettings, labels: Sequence[StoredLabel]) -> list[StoredLabel]:
    """Return those of the labels that a judge's value type does not have."""
    value_type = value_type_of(judge.feedback_value_type, judge.range)
    return [label for label in labels if not value_type.accepts(label.value)]


def value_problem(judge: JudgeSettings, labels: Sequence[StoredLabel]) -> str | None:
    """Return the sentence on labels that a judge's value type does not have, and on the remedy; None for none."""
    unfit = unfit_labels(judge, labels)
    if not unfit:
        return None
    value_type = value_type_of(judge.feedback_value_type, judge.range)
    trace_ids = list(dict.fromkeys(label.trace_id for label in unfit))
    value = unfit[0].value
    is_one_value = all(label.value == value for label in unfit)
    values = label_text(value) if is_one_value else f"values such as {label_text(value)}"
    cases = f"The judge {judge.name} has {pluralise(len(trace_ids), 'case')} with {values}"
    rename = f"`memalign rename-judge {shlex.quote(judge.name)} {shlex.quote(judge.name + '-old')}`"
    if not _is_of_kind(value_type, value):
        before = '"bool"' if isinstance(value, bool) else "the earlier type"
        return f"{cases}, and takes {_declared(value_type)} now: put {before} back, or run {rename}."
    lack = "out of range" if value_type.numeric else "no category"
    forget = f"`memalign forget {_traces(trace_ids)}`"
    return f"{cases}, now {lack}: put it back, or run {forget} or {rename}."


def _has_same_type(judge: JudgeSettings, known: JudgeFingerprint) -> bool:
    value_type = value_type_of(judge.feedback_value_type, judge.range)
    return (value_type.setting, value_type.value_range) == (known.feedback_value_type, known.value_range)


def _correction(feedback: PersonFeedback) -> Label | None:
    return None if feedback.correction is None else feedback.correction.value


def _is_of_kind(value_type: ValueType, label: Label) -> bool:
    """Return whether the label could be one of this type if there were more categories, or a wider range."""
    if value_type.kind == "category":
        return any(type(each) is type(label) for each in value_type.categories)
    return value_type.numeric and ValueType(kind=value_type.kind).accepts(label)


def _traces(trace_ids: Sequence[str]) -> str:
    return shlex.join(trace_ids) if len(trace_ids) <= MAX_TRACES_NAMED else "TRACE…"


def _declared(value_type: ValueType) -> str:
    return "categories" if value_type.kind == "category" else f'"{value_type.kind}"'
