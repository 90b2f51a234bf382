"""`memalign memory log|diff|rollback`: the versions of a judge's memory."""

import sys
from argparse import Namespace

from bot.cli.people import names_of
from bot.cli.reading import open_store
from bot.cli.terminal import json_line, print_text
from bot.config import Settings, load_environment, load_settings
from bot.judging.memories import open_memories
from bot.learning.rollback_service import RollbackService
from bot.memory_words import (
    MAX_CASES_NAMED,
    case_titles,
    case_words,
    difference_document,
    difference_words,
    guideline_lines,
    line_words,
    version_words,
)
from bot.plain_text import pluralise
from bot.runtime.clock import from_ms
from bot.visible_text import isolated, visible_line
from bot.web.local_control import ask_to_roll_back
from bot.web.memory_control import RollbackArguments, roll_back
from memalign.errors import InputError
from memalign.records import Json, MemoryDiff
from memalign.serialization import to_document
from storage.database import Database
from storage.memory_history import LogEntry

NO_VERSIONS = "No change of this memory is recorded yet; each one from now on makes a version."


async def log(options: Namespace) -> None:
    """`memalign memory log JUDGE [--format text|json] [--limit N]`: newest first."""
    async with open_store(options) as (settings, database):
        judge = settings.judge(options.judge).name
        limit = -1 if options.limit is None else options.limit
        entries = await database.memory_history.log(judge, limit)
        zone = settings.digest.zone
    if options.format == "json":
        for entry in entries:
            print_text(json_line(_document(judge, entry)))
        return
    names = await names_of(person for entry in entries for person in entry.version.people)
    for entry in entries:
        version = entry.version
        at = from_ms(version.at_ms, zone)
        words = "; ".join(map(visible_line, difference_words(version, entry.difference)))
        print_text(f"{version.number:>4}  {at:%Y-%m-%d %H:%M}  {version_words(version, names)}: {words}")
    if not entries and limit:
        print_text(NO_VERSIONS)


def _document(judge: str, entry: LogEntry) -> dict[str, Json]:
    version = entry.version
    fields = {name: value for name, value in to_document(version).items() if name != "round_id"}
    fields["at"] = from_ms(fields.pop("at_ms")).isoformat()
    return {"judge": judge, **fields, **difference_document(entry.difference)}


async def diff(options: Namespace) -> None:
    """`memalign memory diff JUDGE [VERSION [VERSION2]]`: by default the last change; from a version, up to now."""
    async with open_store(options) as (settings, database):
        judge = settings.judge(options.judge).name
        head = (await database.memories.load(judge)).number
        if not head:
            print_text(NO_VERSIONS)
            return
        before = options.version
        if before is None:
            before = max(await database.memory_history.newest_change(judge) - 1, 0)
        after = head if options.version2 is None else options.version2
        difference = await database.memory_history.difference(judge, before, after)
    now = " (now)" if after == head else ""
    print_text(f"{judge}, from version {before} to version {after}{now}:")
    print_text("\n".join(diff_lines(difference)))


def diff_lines(difference: MemoryDiff) -> list[str]:
    """Return the differences in words, a line each: guidelines, then the number of cases and the first of them."""
    if difference.is_empty:
        return ["  nothing differs"]
    lines = [f"  {visible_line(line_words(line))}" for line in guideline_lines(difference)]
    cases = list(case_titles(difference))
    if cases:
        lines.append(f"  {case_words(difference)}:")
    lines += [
        f"    {sign} {isolated(trace_id)}  {visible_line(title)}"
        for sign, trace_id, title in cases[:MAX_CASES_NAMED]
    ]
    more = len(cases) - MAX_CASES_NAMED
    return [*lines, f"    and {pluralise(more, 'more case')}"] if more > 0 else lines


async def rollback(options: Namespace) -> None:
    """`memalign memory rollback JUDGE [VERSION]`: through the running bot, or on the store when none runs."""
    load_environment(options.config.parent)
    settings = load_settings(options.config, channels=False)
    judge = settings.judge(options.judge).name
    if Database.state(settings.data) == "absent":
        raise InputError(f"There is no data in {settings.data} yet, so there is nothing to go back to.")
    arguments = RollbackArguments(judge=judge, version=options.version)
    if options.dry_run or (sys.stdin.isatty() and not options.yes):
        preview = await _carry_out(settings, arguments.model_copy(update={"dry_run": True}))
        print_text(f"Going back to version {preview['version']} of {judge} changes:")
        print_text("\n".join(f"  {visible_line(line)}" for line in preview["lines"]) or "  nothing")
        if options.dry_run or not _is_confirmed():
            print_text("Nothing was changed.")
            return
        # just what was shown, whatever is learned meanwhile
        arguments = arguments.model_copy(update={"version": preview["version"]})
    done = await _carry_out(settings, arguments)
    print_text(f"{judge} is back at version {done['version']}: {visible_line('; '.join(done['lines']))}")
    print_text("Votes and reasons that this leaves out count again once their authors change them.")


def _is_confirmed() -> bool:
    try:
        return input("Go back? A roll-back can be undone. [y/N] ").strip().casefold() in {"y", "yes"}
    except EOFError:
        return False


async def _carry_out(settings: Settings, arguments: RollbackArguments) -> dict[str, Json]:
    if Database.is_in_use(settings.data):
        return await ask_to_roll_back(settings.data, arguments)
    database = await Database.open(settings.data)
    try:
        # no bot runs, so nobody is to be woken: the next one to start edits the threads that are marked, and posts
        service = RollbackService(
            database,
            await open_memories(settings, database),
            {judge.name: judge.channel for judge in settings.judges if judge.channel},
            wake_threads=lambda: None,
            wake_posting=lambda: None,
        )
        return await roll_back(service, arguments)
    finally:
        await database.close()
