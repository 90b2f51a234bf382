"""`memalign digest`: figures of a week on standard output, or as a file to hand on."""

import asyncio
from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Literal

from bot.cli.page_file import check_page_file, write_page
from bot.cli.people import names_of
from bot.cli.reading import open_store
from bot.cli.slack_links import card_links
from bot.cli.terminal import json_line, print_text
from bot.config import Settings
from bot.digest_words import coverage_line, figure_sentences, late_line, learning_sentences, share_note
from bot.judge_week import JudgeWeek
from bot.plain_text import pluralise
from bot.records import Digest
from bot.reports.blind_weeks import with_blind_of_weeks
from bot.reports.digest import read_digest
from bot.reports.judge_week_reader import read_judge_week
from bot.runtime.clock import from_ms, named_week, now_ms, week_of
from memalign.errors import InputError
from memalign.value_types import value_type_of
from storage.database import Database

STANDARD_OUTPUT = Path("-")
ENDINGS = (".md", ".html", ".csv", ".png")


async def digest(options: Namespace) -> None:
    """`memalign digest [--week last] [--format text|json] [--out FILE.md|.html|.csv|.png] [--theme light|dark]`.

    Raises `SettingsError`, `InputError` and `StorageError`.
    """
    file: Path | None = None if options.out == STANDARD_OUTPUT else options.out
    _check(options, file)
    async with open_store(options) as (settings, database):
        week = _week(options.week, settings)
        if file is None:
            await _print_week(settings, database, week, options.format or "text")
            return
        Database.refuse_copy_inside(settings.data, file)
        weeks = await _read_weeks(settings, database, week)
    write_page(file, await asyncio.to_thread(_render, file, weeks, options.theme or "light"))
    print_text(f"The digest of {week} is in {file}; it holds people's words: pass it on with care.")


def _check(options: Namespace, file: Path | None) -> None:
    """Raise `InputError` for what does not go together, or cannot be written, before any work."""
    if file is None:
        if options.theme:
            raise InputError("--theme is for a picture; name it with --out FILE.png.")
        return
    check_page_file(file, ENDINGS)
    if options.format:
        raise InputError("--format is for standard output; what --out writes goes by the ending of FILE.")
    if options.theme and file.suffix.casefold() != ".png":
        raise InputError("--theme is for a picture; a page is light or dark as its reader's system is.")


def _week(name: str | None, settings: Settings) -> str:
    today = from_ms(now_ms(), settings.digest.zone).date()
    week = named_week(name or "", today)
    if week is None:
        raise InputError(f"There is no week {name}; write it like 2026-W47.")
    return week


async def _read_weeks(settings: Settings, database: Database, week: str) -> list[JudgeWeek]:
    links_to = await card_links()
    return [
        await read_judge_week(settings, database, judge, week, names_of, links_to)
        for judge in settings.judges
    ]


def _render(file: Path, weeks: Sequence[JudgeWeek], theme: Literal["light", "dark"]) -> str | bytes:
    """Return what a file holds, by its ending."""
    from bot.pages.week_files import RENDERERS  # noqa: PLC0415 - who draws nothing shall not load what draws

    return RENDERERS[file.suffix.casefold()](weeks, theme)


async def _print_week(settings: Settings, database: Database, week: str, form: str) -> None:
    for judge in settings.judges:
        value_type = value_type_of(judge.feedback_value_type, judge.range)
        of_week = await read_digest(database, judge.name, value_type, week, settings.digest.zone)
        figures = await with_blind_of_weeks(database, of_week, value_type, settings)
        today = from_ms(now_ms(), settings.digest.zone).date()
        print_text(json_line(figures.as_json()) if form == "json" else _format_digest(figures, today))


def _format_digest(week: Digest, today: date) -> str:
    if not any(
        (week.shown, week.people, week.late, week.guidelines_learned, week.guidelines_retired, week.forgotten)
    ):
        if week.week > week_of(today):
            return f"{week.judge}, {week.week}: this week has not begun yet."
        return f"{week.judge}, {week.week}: nobody voted, and nothing was learned or forgotten."
    lines = [f"{week.judge}, {week.week}"]
    if not week.n:
        lines.append("  no verdict has a majority of votes" if week.people else "  nobody voted")
    else:
        people = pluralise(week.people, "person", "people")
        lines.append(f"  agreement {week.agreed} of {week.n}{share_note(week)}, {people}")
    if week.n and week.table:
        lines += _table_lines(week.table)
    sentences = (*figure_sentences(week), *learning_sentences(week), late_line(week), coverage_line(week))
    lines += [f"  {line}" for line in sentences if line]
    lines.append(
        f"  guidelines: {week.guidelines_learned} learned, {week.guidelines_retired} retired; "
        f"{pluralise(week.forgotten, 'trace')} forgotten"
    )
    return "\n".join(lines)


def _table_lines(table: Mapping[str, int]) -> list[str]:
    """Return the verdicts by what the judge (rows) and people (columns) say."""
    heads = [f"people {people}" for people in ("pass", "fail")]
    rows = [
        [f"judge {judge}", *(str(table[f"judge_{judge}_people_{people}"]) for people in ("pass", "fail"))]
        for judge in ("pass", "fail")
    ]
    return ["".join(f"  {cell:>11}" for cell in row) for row in (["", *heads], *rows)]
