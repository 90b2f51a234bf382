"""`memalign report`: one page on a judge, to hand on for an audit or a model review."""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from bot.cli.page_file import check_page_file, write_page
from bot.cli.people import names_of
from bot.cli.progress import progress
from bot.cli.reading import open_store
from bot.cli.slack_links import card_links
from bot.cli.terminal import print_text
from bot.config import JudgeSettings, Settings
from bot.judging.settings_changes import fingerprint_of
from bot.pages.judge_report import judge_report_page
from bot.reports.judge_report_reader import ReportSources, read_judge_report
from bot.runtime.clock import from_ms, now_ms
from memalign.errors import SettingsError
from storage.database import Database

ENDING = ".html"


async def report(options: Namespace) -> None:
    """`memalign report [JUDGE] --out FILE.html`. Raises `SettingsError`, `InputError` and `StorageError`."""
    file: Path = options.out
    check_page_file(file, (ENDING,))
    async with open_store(options) as (settings, database):
        Database.refuse_copy_inside(settings.data, file)
        judge = _judge(settings, options.judge)
        now = from_ms(now_ms(), settings.digest.zone)
        with progress("reading", await database.verdicts.count_of_judge(judge.name)) as advance:
            sources = await _sources(settings, judge, advance)
            page = judge_report_page(await read_judge_report(database, settings, judge, now, sources))
        write_page(file, page)
    print_text(f"The report on {judge.name} is in {file}; it holds people's words: pass it on with care.")


def _judge(settings: Settings, name: str | None) -> JudgeSettings:
    if name is not None:
        return settings.judge(name)
    if len(settings.judges) > 1:
        known = ", ".join(judge.name for judge in settings.judges)
        raise SettingsError(f"A report is on one judge: name it before `--out`. The judges are: {known}.")
    return settings.judges[0]


async def _sources(settings: Settings, judge: JudgeSettings, advance: Callable[[int], None]) -> ReportSources:
    return ReportSources(
        fingerprint=fingerprint_of(judge, settings),
        names_of=names_of,
        links_to=await card_links(),
        advance=advance,
    )
