"""Commands that only read the store; they work while the bot runs."""

import json
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from bot.config import JudgeSettings, Settings, load_environment, load_settings
from bot.plain_text import guideline_state, pluralise
from bot.records import Digest
from bot.reports.digest import read_digest
from bot.reports.export import Format, lines_of
from bot.runtime.clock import moment, now_ms, week_of
from memalign.value_types import value_type_of
from storage.database import Database


@asynccontextmanager
async def reading(options: Namespace) -> AsyncIterator[tuple[Settings, Database]]:
    """The settings, and the store opened for reading."""
    load_environment(options.config.parent)
    settings = load_settings(options.config, channels=False)
    database = await Database.open(settings.data, read_only=True)
    try:
        yield settings, database
    finally:
        await database.close()


def _chosen(settings: Settings, name: str | None) -> Iterable[JudgeSettings]:
    return [settings.judge(name)] if name else settings.judges


async def guidelines(options: Namespace) -> None:
    """`memalign guidelines [JUDGE]`."""
    async with reading(options) as (settings, database):
        for judge in _chosen(settings, options.judge):
            rules = (await database.memories.load(judge.name)).guidelines
            print(f"{judge.name}: {pluralise(len(rules), 'guideline')}")
            for rule in rules:
                state = guideline_state(rule)
                people, traces = ", ".join(rule.people), ", ".join(rule.source_trace_ids)
                print(f"- {rule.text}{state and f' {state}'}\n  from {people} · {traces}")


async def digest(options: Namespace) -> None:
    """`memalign digest [--week 2026-W47] [--format text|json]`."""
    async with reading(options) as (settings, database):
        zone = settings.digest.zone
        week = options.week or week_of(moment(now_ms(), zone).date())
        digests = [
            await read_digest(database, judge.name, value_type_of(judge.feedback_value_type), week, zone)
            for judge in settings.judges
        ]
    for one in digests:
        print(json.dumps(one.as_json(), ensure_ascii=False) if options.format == "json" else _in_words(one))


def _in_words(week: Digest) -> str:
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
    async with reading(options) as (settings, database):
        async for line in lines_of(database, list(_chosen(settings, options.judge)), kind):
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
