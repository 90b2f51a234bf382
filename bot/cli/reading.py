"""Commands that only read the store; they work while the bot runs."""

import shlex
import sys
import textwrap
from argparse import Namespace
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from bot.cli.people import names_of
from bot.cli.terminal import json_line, print_text
from bot.config import JudgeSettings, Settings, load_environment, load_settings
from bot.plain_text import FROM_ONE_PERSON, agreement, guideline_state, pluralise, trial_sentence
from bot.reports.export import Format, export_lines, export_person_lines
from bot.reports.guideline_numbers import number_guidelines
from bot.reports.guideline_order import by_record
from bot.visible_text import isolated, visible_line
from memalign.errors import SettingsError
from memalign.memory.guideline_merge import merged_into, people_of
from memalign.memory.semantic import guidelines_of
from memalign.records import Guideline
from storage.database import Database

MAX_TRACES_SHOWN = 3
"""Traces that a guideline's line names."""
MAX_QUOTE_LENGTH = 160


@asynccontextmanager
async def open_store(options: Namespace) -> AsyncIterator[tuple[Settings, Database]]:
    """Open the store of the settings for reading, and yield both."""
    load_environment(options.config.parent)
    settings = load_settings(options.config, channels=False)
    database = await Database.open(settings.data, read_only=True)
    try:
        yield settings, database
        for sentence in await database.problems():
            print(f"memalign: {sentence}", file=sys.stderr)
    finally:
        await database.close()


def _select_judges(settings: Settings, name: str | None) -> Iterable[JudgeSettings]:
    return [settings.judge(name)] if name else settings.judges


async def guidelines(options: Namespace) -> None:
    """`memalign guidelines [JUDGE]`."""
    async with open_store(options) as (settings, database):
        for judge in _select_judges(settings, options.judge):
            rules = guidelines_of(await database.memories.load(judge.name), settings.policy_of(judge))
            names = await names_of(person for rule in rules for person in people_of(rule))
            print_text(f"{judge.name}: {pluralise(len(rules), 'guideline')}")
            numbers = number_guidelines(rules)
            for rule in by_record(rules):
                print_text("\n".join(_guideline_lines(judge.name, numbers[rule.id], rule, names)))


def _guideline_lines(judge: str, number: int, rule: Guideline, names: Mapping[str, str]) -> list[str]:
    quote, sentences = _quote(rule), (guideline_state(rule), trial_sentence(rule))
    return [
        " ".join(filter(None, (f"{number}.", visible_line(rule.text), *sentences))),
        f"  {_origin(rule, names)}",
        *([f"  “{quote}”"] if quote else []),
        *(f"  stands also for: {visible_line(merged.text)}" for merged in merged_into(rule)),
        *(
            f"  to use it: memalign guideline {action} {shlex.quote(judge)} {rule.id}"
            for action in _ways(rule)
        ),
    ]


def _ways(rule: Guideline) -> Sequence[str]:
    """Return the actions by which a guideline comes into use."""
    if rule.retired:
        return ("restore",)
    if "agreement" in rule.lacks:
        return ("approve", "edit")
    return ("approve",) if "approval" in rule.lacks or rule.is_held_back else ()


def _origin(rule: Guideline, names: Mapping[str, str]) -> str:
    """Return who taught a guideline and who decided on it, the traces and the id."""
    parts = [f"added by {names[rule.added_by.person]}"] if rule.added_by else []
    if sources := tuple(dict.fromkeys(source.person for source in rule.sources)):
        parts.append(f"from {', '.join(names[person] for person in sources)}")
    if traces := rule.source_trace_ids:
        shown = [isolated(trace_id) for trace_id in traces[:MAX_TRACES_SHOWN]]
        more = ["…"] if len(traces) > MAX_TRACES_SHOWN else []
        parts.append(f"{pluralise(len(traces), 'case')}: {', '.join([*shown, *more])}")
    if len(rule.people) == 1 and sources:
        parts.append(FROM_ONE_PERSON)
    if votes := agreement(rule):
        parts.append(votes)
    decisions = {"edited": rule.edited_by, "pinned": rule.pinned_by, "retired": rule.retired_by}
    parts += [f"{done} by {names[by.person]}" for done, by in decisions.items() if by]
    if rule.approved_by:
        parts.append(f"approved by {names[rule.approved_by]}")
    return " · ".join([*parts, f"id {rule.id}"])


def _quote(rule: Guideline) -> str:
    """Return the beginning of the first reason that says more than the guideline itself."""
    quotes = (visible_line(source.quote) for source in rule.sources)
    said = next((quote for quote in quotes if quote and quote.strip(" .") != rule.text.strip(" .")), "")
    return textwrap.shorten(said, MAX_QUOTE_LENGTH, placeholder=" …")


async def export(options: Namespace) -> None:
    """`memalign export [--judge JUDGE] [--person USER] [--format jsonl|mlflow]`. Raises `SettingsError`."""
    kind: Format = options.format
    if options.person and kind == "mlflow":
        raise SettingsError("`export --person` writes JSONL only; leave out `--format mlflow`.")
    async with open_store(options) as (settings, database):
        judges = list(_select_judges(settings, options.judge))
        lines = (
            export_person_lines(database, judges, options.person, settings.policy_of)
            if options.person
            else export_lines(database, judges, kind, settings.policy_of)
        )
        async for line in lines:
            sys.stdout.write(json_line(line) + "\n")
