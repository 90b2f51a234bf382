"""Commands that only read the store; they work while the bot runs."""

import shlex
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from bot.cli.terminal import json_line, print_text
from bot.config import JudgeSettings, Settings, load_environment, load_settings
from bot.plain_text import FROM_ONE_PERSON, guideline_state, pluralise
from bot.records import Digest
from bot.reports.digest import read_digest
from bot.reports.export import Format, export_lines
from bot.runtime.clock import from_ms, now_ms, week_of
from bot.visible_text import isolated, visible_line
from memalign.memory.guideline_merge import merged_into
from memalign.memory.semantic import with_policy
from memalign.value_types import value_type_of
from storage.database import Database


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
            stored = (await database.memories.load(judge.name)).guidelines
            rules = [with_policy(rule, settings.memory.policy) for rule in stored]
            print_text(f"{judge.name}: {pluralise(len(rules), 'guideline')}")
            for rule in rules:
                people = ", ".join(map(isolated, rule.people))
                traces = ", ".join(map(isolated, rule.source_trace_ids))
                print_text(" ".join(filter(None, ("-", visible_line(rule.text), guideline_state(rule)))))
                alone = f" · {FROM_ONE_PERSON}" if len(rule.people) == 1 else ""
                print_text(f"  from {people} · {traces}{alone}")
                for merged in merged_into(rule):
                    print_text(f"  stands also for: {visible_line(merged.text)}")
                if "approval" in rule.lacks:
                    print_text(f"  to use it: memalign guideline approve {shlex.quote(judge.name)} {rule.id}")


async def digest(options: Namespace) -> None:
    """`memalign digest [--week 2026-W47] [--format text|json]`."""
    async with open_store(options) as (settings, database):
        zone = settings.digest.zone
        week = options.week or week_of(from_ms(now_ms(), zone).date())
        digests = [
            await read_digest(
                database, judge.name, value_type_of(judge.feedback_value_type, judge.range), week, zone
            )
            for judge in settings.judges
        ]
    for week_digest in digests:
        if options.format == "json":
            print_text(json_line(week_digest.as_json()))
        else:
            print_text(_format_digest(week_digest))


def _format_digest(week: Digest) -> str:
    lines = [f"{week.judge}, {week.week}"]
    if week.agreement is None or week.wilson_low is None or week.wilson_high is None:
        lines.append("  no verdict has been voted on")
    else:
        lines.append(
            f"  agreement {week.agreed} of {week.n} ({week.agreement:.0%}, 95 % interval "
            f"{week.wilson_low:.0%} to {week.wilson_high:.0%}), {week.people} people"
        )
    if week.table:
        lines += [f"  {name.replace('_', ' ')}: {number}" for name, number in week.table.items()]
    if week.kappa is not None and week.ac1 is not None:
        lines.append(f"  Cohen's kappa {week.kappa:.2f}, Gwet's AC1 {week.ac1:.2f}")
    lines.append(
        f"  guidelines learned {week.guidelines_learned}, retired {week.guidelines_retired}; "
        f"traces forgotten {week.forgotten}"
    )
    return "\n".join(lines)


async def export(options: Namespace) -> None:
    """`memalign export [--judge JUDGE] [--format jsonl|mlflow]`."""
    kind: Format = options.format
    async with open_store(options) as (settings, database):
        async for line in export_lines(
            database, list(_select_judges(settings, options.judge)), kind, settings.memory.policy
        ):
            sys.stdout.write(json_line(line) + "\n")
